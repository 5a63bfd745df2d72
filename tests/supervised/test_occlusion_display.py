"""Occlusion finds what a prediction depends on, and plots it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sktspulse import OcclusionDisplay, TSPulseClassifier
from sktspulse.supervised import occlusion_display


class Peaks:
    """Classify by the peak of channel 1 within time points 20 to 29; what is missing is 0."""

    classes_ = np.array(["flat", "peaked"])

    def predict_proba(self, X):
        self.largest = max(len(X), getattr(self, "largest", 0))
        peaks = np.nan_to_num(X[:, 1, 20:30]).max(axis=1).clip(0, 1)
        return np.column_stack([1 - peaks, peaks])


def draw(at=24):
    x = np.zeros((3, 40))
    x[1, at] = 0.9
    return x


def naive_drops(model, x, n_spans):
    whole = model.predict_proba(x[None])[0]
    drops = np.zeros((len(x), n_spans))
    for channel in range(len(x)):
        for span in range(n_spans):
            hidden = x.copy()
            first, last = span * x.shape[1] // n_spans, (span + 1) * x.shape[1] // n_spans
            hidden[channel, first:last] = np.nan
            one = model.predict_proba(hidden[None])[0]
            drops[channel, span] = whole.max() - one[whole.argmax()]
    return drops


@pytest.mark.parametrize("n_spans", [1, 7, 8, 40])
def test_drops_are_those_of_hiding_one_span_after_the_other(n_spans, monkeypatch):
    monkeypatch.setattr(occlusion_display, "_BATCH_ROWS", 10)
    model, x = Peaks(), draw()
    before = x.copy()
    display = OcclusionDisplay.from_estimator(model, x, n_spans=n_spans)
    np.testing.assert_allclose(display.probability_drops, naive_drops(model, x, n_spans))
    np.testing.assert_array_equal(x, before)
    assert display.label == "peaked"
    assert display.probability == 0.9
    assert model.largest <= 10


def test_only_the_informative_span_is_marked():
    display = OcclusionDisplay.from_estimator(Peaks(), draw(), n_spans=8)
    expected = np.zeros((3, 8))
    expected[1, 4] = 0.9
    np.testing.assert_allclose(display.probability_drops, expected)
    np.testing.assert_array_equal(display.edges, np.arange(0, 41, 5))
    for mesh, drops in zip(display.meshes_, expected, strict=True):
        shown = mesh.get_array().ravel()
        np.testing.assert_array_equal(np.ma.getmaskarray(shown), drops == 0)
        np.testing.assert_allclose(shown.compressed(), drops[drops != 0])
        assert mesh.get_clim() == (-0.9, 0.9)


class Weights:
    """The probability is a weighted sum of the spans of one channel."""

    classes_ = np.array([0, 1])

    def __init__(self, *weights):
        self.weights = np.array(weights)

    def predict_proba(self, X):
        present = ~np.isnan(X[:, 0, :: X.shape[2] // len(self.weights)])
        p = 0.5 + present @ self.weights
        return np.column_stack([1 - p, p])


@pytest.mark.parametrize(
    ("weights", "floor", "colored"),
    [
        ((0.3, 0.05, -0.1, 0.07), 0.06, [1, 0, 1, 1]),  # a fifth of the largest
        ((0.05, 0.015, -0.03, 0.001), 0.02, [1, 0, 1, 0]),
        ((0.01, 0.005, -0.002, 0.001), 0.02, [0, 0, 0, 0]),
    ],
)
def test_small_drops_are_not_coloured(weights, floor, colored):
    display = OcclusionDisplay.from_estimator(Weights(*weights), np.zeros(40), n_spans=4)
    assert display.floor_ == pytest.approx(floor)
    (mesh,) = display.meshes_
    mask = np.ma.getmaskarray(mesh.get_array()).ravel()
    assert (~mask).astype(int).tolist() == colored
    alphas = mesh.to_rgba(mesh.get_array())[..., 3].ravel()
    assert ((alphas > 0.2) == ~mask).all()
    title = display.axes_[0].get_title(loc="left")
    assert ("no drop above 0.02" in title) == (not any(colored))


def test_spans_of_a_data_frame_lie_at_their_dates():
    stamps = pd.date_range("2025-01-01", periods=40, freq="h", tz="Asia/Tokyo")
    frame = pd.DataFrame(draw().T, stamps, ["x", "y", "z"])
    display = OcclusionDisplay.from_estimator(Peaks(), frame, n_spans=8)
    assert [ax.get_ylabel() for ax in display.axes_] == ["x", "y", "z"]
    assert display.axes_[-1].get_xlabel() == "time (Asia/Tokyo)"
    corners = display.meshes_[0].get_coordinates()[0, :, 0]
    np.testing.assert_allclose(np.diff(corners), 5 / 24)
    first = display.lines_[0].get_xdata(orig=False)[0]
    np.testing.assert_allclose(first - corners[0], 0.5 / 24)


def test_a_planted_event_is_found_by_the_network():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2, 96)), np.arange(40) % 2
    X[y == 1, 1, 48:72] += 6 * np.hanning(24)
    model = TSPulseClassifier().fit(X[1:], y[1:])
    display = OcclusionDisplay.from_estimator(model, X[1], n_spans=8)
    assert display.label == 1
    assert np.unravel_index(display.probability_drops.argmax(), (2, 8)) in {(1, 4), (1, 5)}


def test_figures_have_names_and_go_on_given_axes():
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(3)
    names = ["x", "y", "z"]
    display = OcclusionDisplay.from_estimator(
        Peaks(), draw(), names=names, axes=axes, color="green"
    )
    assert list(display.axes_) == list(axes)
    assert [ax.get_ylabel() for ax in axes] == names
    assert {line.get_color() for line in display.lines_} == {"green"}
    assert axes[0].get_title(loc="left") == "class peaked, probability 0.90"
    display.figure_.canvas.draw()


def test_one_channel_may_come_without_its_axis():
    class Mean:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            p = np.nan_to_num(X).mean(axis=(1, 2)).clip(0, 1)
            return np.column_stack([1 - p, p])

    display = OcclusionDisplay.from_estimator(Mean(), np.full(20, 0.8), n_spans=4)
    np.testing.assert_allclose(display.probability_drops, [[0.2] * 4])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"x": np.zeros((2, 3, 4))}, r"has shape \(2, 3, 4\), expected .*X\[0\]"),
        (
            {"n_spans": 0},
            "n_spans is 0, expected an integer from 1 to 40, the number of time points",
        ),
        ({"n_spans": 41}, "n_spans is 41"),
        ({"n_spans": 2.5}, "n_spans is 2.5"),
        ({"names": ["a"]}, "names has 1 names, but x has 3 channels"),
        ({"axes": [None]}, "axes has 1 axes, but 3 are drawn on"),
    ],
)
def test_bad_input_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        OcclusionDisplay.from_estimator(Peaks(), **({"x": draw()} | parameters))
