"""Panels and retrievers that several tests of retrieval use."""

from __future__ import annotations

import copy

import pytest

from sktspulse import TSPulseRetriever
from sktspulse.datasets import make_labelled_panel


@pytest.fixture(scope="package")
def panel():
    return make_labelled_panel(60, n_classes=3, random_state=0)


@pytest.fixture(scope="package")
def fitted(panel):
    return TSPulseRetriever(3).fit(panel[0][:50])


@pytest.fixture
def retriever(fitted):
    return copy.deepcopy(fitted)
