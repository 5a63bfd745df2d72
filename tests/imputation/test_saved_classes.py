"""A file may hold every class that a fitted imputer consists of."""

from __future__ import annotations

from saving.saved_files import field_classes

from sktspulse.imputation.gap_filler import GapFiller
from sktspulse.imputation.saved_classes import SAVED_CLASSES


def test_the_list_is_complete():
    assert field_classes(GapFiller) == set(SAVED_CLASSES)
