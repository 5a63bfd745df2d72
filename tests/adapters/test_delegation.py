"""Adapters can be imported without the library they are for, and say what to install."""

from __future__ import annotations

import pytest

from sktspulse import TSPulseClassifier
from sktspulse.adapters.delegation import Delegating, base_class


def test_a_class_of_an_absent_library_says_how_to_install_it():
    class Adapter(Delegating, base_class("abacus", "abacus.classification", "Base")):
        def __init__(self, estimator):
            self.estimator = estimator
            super().__init__()

    with pytest.raises(ImportError, match=r"Adapter needs abacus\. .* pip install '\.\[abacus\]'"):
        Adapter(TSPulseClassifier())


def test_a_class_of_a_library_is_itself():
    assert base_class("pathlib", "pathlib", "Path") is __import__("pathlib").Path
