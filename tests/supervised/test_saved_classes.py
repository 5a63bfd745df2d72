"""A file may hold every class that a fitted classifier or regressor consists of."""

from __future__ import annotations

from saving.saved_files import field_classes

from sktspulse.supervised.probe.probe import LinearHead, Probe
from sktspulse.supervised.saved_classes import SAVED_CLASSES
from sktspulse.supervised.tslens.training import TSLensModel


def test_the_list_is_complete():
    needed = field_classes(Probe) | field_classes(TSLensModel) | field_classes(LinearHead)
    assert len(needed) == 16
    assert needed <= set(SAVED_CLASSES)
