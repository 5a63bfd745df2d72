"""Adapters can be imported without the library they are for, and say what to install."""

from __future__ import annotations

import pytest

from sktspulse import TSPulseClassifier
from sktspulse.adapters.delegation import Delegating, base_class


def test_a_class_of_an_absent_library_says_how_to_install_it():
    absent = base_class("abacus", "abacus.classification", "Base")

    class Adapter(Delegating, absent):
        pass

    class OfRecordings(Delegating, absent):
        def __init__(self, estimator):
            self.estimator = estimator
            absent.__init__(self, axis=0)

    for kind in (Adapter, OfRecordings):
        message = rf"{kind.__name__} needs abacus\. .* pip install '\.\[abacus\]'"
        with pytest.raises(ImportError, match=message):
            kind(TSPulseClassifier())


def test_a_class_of_a_library_is_itself():
    assert base_class("pathlib", "pathlib", "Path") is __import__("pathlib").Path
