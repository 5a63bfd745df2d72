"""One call makes a page."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from estimator_cases import CASES, checkpoint

import sktspulse
from sktspulse import TSPulseAnomalyDetector, TSPulseImputer

pytest.importorskip("matplotlib")


def report(X, path=None, **options):
    detector = TSPulseAnomalyDetector(checkpoint=checkpoint())
    imputer = TSPulseImputer(random_state=0, checkpoint=checkpoint())
    return sktspulse.report(X, path, detector=detector, imputer=imputer, **options)


def test_the_page_is_returned_and_written(tmp_path):
    X = CASES["imputer"].data()
    page = report(X, tmp_path / "page.html", title="Pump")
    assert (tmp_path / "page.html").read_text("utf-8") == page
    assert [*tmp_path.iterdir()] == [tmp_path / "page.html"]
    assert "<title>Pump</title>" in page
    assert report(X, title="Pump") == page


def test_default_estimators():
    page = sktspulse.report(np.sin(np.arange(200) / 9)[:, None])
    assert "<h1>Recording</h1>" in page


@pytest.mark.parametrize(
    "X", [np.ones((60, 2)), np.arange(8.0)[:, None], np.full((60, 2), [[1.0, np.nan]])]
)
def test_constant_short_and_unknown_channels(X):
    assert "No alarms." in report(X)


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.full((60, 2), np.nan), "X has only missing values"),
        (np.ones((1, 2)), "needs at least 8"),
        (np.ones(60), "X.reshape"),
        (np.full((60, 2), np.inf), "infinity"),
    ],
)
def test_what_is_no_recording_leaves_no_page(X, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        report(X, tmp_path / "page.html")
    assert not [*tmp_path.iterdir()]


def test_what_is_missing_is_said_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("sktspulse.reporting.reports.examine", lambda *_: pytest.fail("it worked"))
    with pytest.raises(ValueError, match=r"There is no folder '.*absent'"):
        report(np.ones((60, 2)), tmp_path / "absent" / "page.html")
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[plot\]'"):
        report(np.ones((60, 2)))
