"""The errors of heads at every point, with few passes."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest

from sktspulse._anomaly_heads import HEADS, PointErrors, heads_of
from sktspulse._checkpoints import load_checkpoint
from sktspulse._config import TSPulseConfig


def wave(n_timepoints: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=n_timepoints)
    return np.sin(np.arange(n_timepoints) / 7) + 0.1 * noise


def test_errors_equal_a_loop():
    network = load_checkpoint("tspulse-p8")
    for series in (wave(600), wave(200)):
        series[30:50] = np.nan
        errors = PointErrors(network, HEADS, 8)(series)
        hidden = naive_anomaly.hidden_errors(network, series)
        np.testing.assert_allclose(errors[:2], hidden, rtol=1e-3, atol=1e-4)
        forecast = naive_anomaly.forecast_errors(network, series)
        np.testing.assert_allclose(errors[2], forecast, rtol=1e-3, atol=1e-4)
        np.testing.assert_array_equal(errors[3], series**2)


def test_passes_are_few():
    network = load_checkpoint("tspulse-p8")
    n = 10_000
    hidden = PointErrors(network, ("time", "frequency"), 8).count(n)
    forecast = PointErrors(network, ("forecast",), 8).count(n)
    assert 8 * hidden + forecast < 13 * n / 50


def test_heads_of_other_networks():
    assert heads_of(TSPulseConfig(forecast_length=0)) == ("time", "frequency", "level")
    assert heads_of(TSPulseConfig(frequency_head=False)) == ("time", "forecast", "level")


def test_what_is_hidden_has_no_say():
    # A spike is missed by its whole height, as no pass that shows it guesses it.
    network = load_checkpoint("tspulse-p8")
    series = wave(520)
    errors = PointErrors(network, ("time", "forecast"), 8)(series)
    series[301] += 5
    spiked = PointErrors(network, ("time", "forecast"), 8)(series)
    moved = np.sqrt(spiked[:, 301]) - np.sqrt(errors[:, 301])
    assert (moved > 3).all()


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_a_constant_is_guessed(level):
    network = load_checkpoint("tspulse-p8")
    errors = PointErrors(network, HEADS[:3], 8)(np.full(600, level))
    assert (errors == 0).all()
