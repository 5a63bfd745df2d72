"""Standard deviations are as large as errors are, and follow the indicators of large errors."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.imputation.blending import N_GAP_BINS
from sktspulse.imputation.filled import Filled, HiddenWindows
from sktspulse.imputation.uncertainty import Uncertainty


def draw(kind="normal", n=200, seed=0):
    """Windows whose errors grow with the gap bin and with the difference between the heads."""
    rng = np.random.default_rng(seed)
    shape = (n, 2, 64)
    bins = rng.choice([0, 9, 25, 49], shape).astype(np.int8)
    difference = rng.choice([0.0, 4.0], shape)
    deviation = np.sqrt((1 + bins / 20) * 0.1 + difference)
    noise = rng.normal(size=shape) if kind == "normal" else rng.standard_t(3, shape)
    is_filled = rng.random(shape) < 0.5
    truth = rng.normal(size=shape)
    values = truth + is_filled * deviation * noise
    filled = Filled(values, is_filled, bins, difference.astype(np.float32))
    return HiddenWindows(truth, filled, np.zeros(n, int)), np.zeros(shape), deviation


@pytest.mark.parametrize("kind", ["normal", "heavy-tailed"])
def test_nine_in_ten_are_covered_at_every_distance(kind):
    windows, channel_variances, _ = draw(kind)
    uncertainty = Uncertainty.fit(windows, channel_variances)
    new, channel_variances, _ = draw(kind, seed=1)
    deviation = np.sqrt(uncertainty(new.filled, channel_variances))
    inside = np.abs(new.filled.values - new.truth) < 1.645 * deviation
    for one in (0, 9, 25, 49):
        chosen = new.filled.is_filled & (new.filled.gap_bins == one)
        assert inside[chosen].mean() == pytest.approx(0.9, abs=0.02)


def test_deviations_follow_the_difference_between_the_heads():
    windows, channel_variances, _ = draw()
    uncertainty = Uncertainty.fit(windows, channel_variances)
    new, channel_variances, truth = draw(seed=1)
    deviation = np.sqrt(uncertainty(new.filled, channel_variances))
    differs = new.filled.head_difference > 0
    assert np.median(deviation[differs] / truth[differs]) == pytest.approx(1, abs=0.2)
    assert np.corrcoef(np.log(deviation.ravel()), np.log(truth.ravel()))[0, 1] > 0.9


def test_a_useless_indicator_has_no_weight_and_none_is_negative():
    windows, _, _ = draw()
    rng = np.random.default_rng(2)
    difference = windows.filled.head_difference
    useless = rng.normal(size=difference.shape).astype(np.float32) ** 2
    filled = windows.filled._replace(head_difference=useless)
    weights = Uncertainty.fit(windows._replace(filled=filled), -difference).weights
    assert (weights >= 0).all()
    assert (weights[:, 0] > 0.5).all()


def test_without_hidden_points_variances_are_one():
    windows, channel_variances, _ = draw(n=3)
    filled = windows.filled._replace(is_filled=np.zeros_like(windows.filled.is_filled))
    uncertainty = Uncertainty.fit(windows._replace(filled=filled), channel_variances)
    assert (uncertainty.error_variances == 1).all()
    assert uncertainty.error_variances.shape == (2, N_GAP_BINS + 1)
    assert (uncertainty(filled, channel_variances) == 1).all()


def test_perfect_values_are_certain():
    windows, channel_variances, _ = draw(n=20)
    filled = windows.filled._replace(values=windows.truth)
    uncertainty = Uncertainty.fit(windows._replace(filled=filled), channel_variances)
    deviation = np.sqrt(uncertainty(filled, channel_variances))
    assert np.isfinite(deviation).all()
    assert (deviation[filled.is_filled] < 1e-6).all()
