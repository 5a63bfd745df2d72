"""Notebooks link from estimators to the project's pages."""

from __future__ import annotations

import inspect
from importlib import metadata
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

import sktspulse
from sktspulse import TSPulseClassifier, TSPulseTransformer, pages

PAGES = "https://sktspulse.readthedocs.io"
PUBLIC = [getattr(sktspulse, name) for name in sktspulse.__all__]
ESTIMATORS = [x for x in PUBLIC if inspect.isclass(x) and issubclass(x, BaseEstimator)]


@pytest.fixture
def find_again():
    pages._find_pages.cache_clear()
    yield
    pages._find_pages.cache_clear()


@pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.__name__)
def test_every_estimator_links_to_its_page(kind):
    link = f'href="{PAGES}/page/generated/sktspulse.{kind.__name__}.html"'
    assert link in estimator_html_repr(kind())


def test_every_page_is_in_the_reference():
    reference = (Path(__file__).parents[1] / "docs" / "api.md").read_text("utf-8")
    sktspulse_part = reference.partition("currentmodule:: sktspulse.")[0]
    assert {kind.__name__ for kind in ESTIMATORS} <= set(sktspulse_part.split())


def test_steps_of_a_pipeline_link_to_their_own_pages():
    text = estimator_html_repr(make_pipeline(TSPulseTransformer(), StandardScaler()))
    assert f"{PAGES}/page/generated/sktspulse.TSPulseTransformer.html" in text
    assert "https://scikit-learn.org/" in text


def test_classes_of_users_have_no_page_here():
    class MyClassifier(TSPulseClassifier):
        pass

    assert PAGES not in estimator_html_repr(MyClassifier())


def test_without_an_installed_package_there_is_no_link(monkeypatch, find_again):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", absent)
    assert PAGES not in estimator_html_repr(TSPulseTransformer())
