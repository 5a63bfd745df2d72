"""Trials hide known points, read candidates for them, and bring them in the form of windows."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.imputation.blending import N_GAP_BINS, time_head_weights
from sktspulse.imputation.candidates import CandidateReader
from sktspulse.imputation.trial import run_trials, shuffled

CONTEXT = 64


class Fake:
    """A network that answers 0 and 1, and counts its windows."""

    def __init__(self) -> None:
        self.n_windows = 0

    def __call__(self, windows):
        self.n_windows += len(windows)
        return np.tile(np.array([[[0.0], [1.0]]]), (len(windows), 1, windows.shape[1]))


def run(panels, stride=16):
    fake = Fake()
    reader = CandidateReader(fake, CONTEXT, patch_length=8, stride=stride)
    periods = np.zeros(panels[0].shape[1], int)
    return fake, list(run_trials(panels, reader, periods, np.random.default_rng(0)))


def panel(n_series=1, n_channels=2, n_timepoints=700):
    return np.random.default_rng(0).normal(size=(n_series, n_channels, n_timepoints))


@pytest.mark.parametrize("n_timepoints", [20, 64, 700, 9000])
def test_passes_through_the_network_are_bounded(n_timepoints):
    fake, trials = run([panel(n_timepoints=n_timepoints)])
    available = max(1, -(-(n_timepoints - CONTEXT) // 16) + 1)
    assert len(trials) == 2
    assert fake.n_windows <= 2 * min(256, 8 * available) + 2


def test_windows_hold_truth_and_fills():
    X = panel(2)
    _, trials = run([X])
    parts = [trial.windows(trial.fill(time_head_weights(2)), CONTEXT) for trial in trials]
    windows = shuffled(parts, np.random.default_rng(0))
    assert windows.truth.shape[1:] == (2, CONTEXT)
    assert windows.is_hidden.any((0, 2)).all()
    hidden = windows.is_hidden
    assert (windows.filled.values[hidden] == 0).all()
    np.testing.assert_array_equal(windows.filled.values[~hidden], windows.truth[~hidden])
    assert (windows.filled.head_difference[hidden] == 1).all()
    assert windows.filled.gap_bins[hidden].max() < N_GAP_BINS
    assert set(windows.fold) == {0, 1, 2, 3}
    rows = X.reshape(-1, 700)
    for window, fold in zip(windows.truth[:20, 0], windows.fold, strict=False):
        row, start = np.argwhere(rows[:, : 700 - CONTEXT + 1] == window[0])[0]
        np.testing.assert_array_equal(rows[row, start : start + CONTEXT], window)
        assert fold == 4 * (start + CONTEXT // 2) // 700


def test_products_are_those_of_the_hidden_points():
    _, (trial, _) = run([panel(4, 1)])
    products = trial.products()
    assert products.shape == (1, 2, N_GAP_BINS, 8, 8)
    assert (products[:, 1] == 0).all()  # without a period
    errors = trial.candidates[0].values[:, 1] - 1
    assert (errors == 0).all()
    counts = products[0, 0, :, -1, -1]
    assert (products[0, 0, :, 3:5] == 0).all()
    np.testing.assert_allclose(
        products[0, 0, :, 1, -1] - products[0, 0, :, 0, -1], counts, atol=1e-9
    )


def test_padding_is_not_filled():
    _, trials = run([panel(3, n_timepoints=30), panel(1, n_timepoints=100)])
    for trial in trials:
        padded = np.isnan(trial.segments.values).all(1)
        assert padded.any()
        assert not trial.wanted[padded[:, None].repeat(2, 1)].any()
