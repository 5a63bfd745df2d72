"""Interactive figures have the traces, spans and the threshold of the display."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from sktspulse import AnomalyScoreDisplay, ImputationDisplay

pytest.importorskip("matplotlib")

STAMPS = pd.date_range("2025-03-03", periods=60, freq="h", tz="Europe/Berlin")
X = pd.DataFrame({"flow": np.sin(np.arange(60) / 5), "heat": np.arange(60.0)}, STAMPS)


def test_without_plotly_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    display = AnomalyScoreDisplay.from_predictions(X, np.zeros(60))
    with pytest.raises(ImportError, match=r"needs plotly.*'\.\[plotly\]'"):
        display.plotly()


def test_a_recording_stands_above_its_scores():
    pytest.importorskip("plotly")
    scores = np.full(60, -0.1)
    scores[20:23] = -4
    figure = AnomalyScoreDisplay.from_predictions(X, scores, offset=-1.0).plotly()
    assert [trace.name for trace in figure.data] == ["flow", "heat", "score"]
    np.testing.assert_array_equal(figure.data[2].y, -scores)
    assert str(figure.data[0].x[0])[:13] == "2025-03-03T00"  # local time
    spans = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [str(spans[0].x0)[:13], str(spans[0].x1)[:13]] == ["2025-03-03T20", "2025-03-03T22"]
    (threshold,) = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert threshold.y0 == threshold.y1 == 1
    titles = [axis.title.text for axis in figure.select_yaxes()]
    assert titles == ["flow", "heat", "anomaly score"]
    assert figure.to_html(include_plotlyjs=False)


def test_filled_values_have_their_interval():
    pytest.importorskip("plotly")
    gappy = X.copy()
    gappy.iloc[10:12, 0] = np.nan
    std = np.where(gappy.isna(), 1.0, 0)
    figure = ImputationDisplay.from_predictions(gappy, X, std, X).plotly()
    assert [trace.name for trace in figure.data] == ["known", "filled, 90 % interval", "truth"]
    filled = figure.data[1]
    np.testing.assert_allclose(np.asarray(filled.y, float)[10:12], X["flow"].iloc[10:12])
    assert np.isnan(np.asarray(filled.y, float)[13:]).all()
    np.testing.assert_allclose(
        np.asarray(filled.error_y.array, float)[9:12], [0, 1.6449, 1.6449], 1e-4
    )
    assert figure.to_html(include_plotlyjs=False)
