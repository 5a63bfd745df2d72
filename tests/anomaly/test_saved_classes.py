"""A file may hold every class that a fitted detector consists of."""

from __future__ import annotations

from saving.saved_files import field_classes

from sktspulse.anomaly.normal_model import NormalModel
from sktspulse.anomaly.saved_classes import SAVED_CLASSES
from sktspulse.series import Pace


def test_the_list_is_complete():
    assert field_classes(NormalModel) | {Pace} == set(SAVED_CLASSES)
