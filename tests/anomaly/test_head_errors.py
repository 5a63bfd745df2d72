"""The errors of heads at every point, with few passes."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest

from sktspulse.anomaly.head_errors import PointErrors, TrailingErrors, heads_of
from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.network.config import TSPulseConfig

HEADS = ("time", "frequency", "forecast")


def wave(n_timepoints: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=n_timepoints)
    return np.sin(np.arange(n_timepoints) / 7) + 0.1 * noise


def test_errors_equal_a_loop():
    network = load_checkpoint("tspulse-p8")
    for series in (wave(600), wave(200)):
        series[30:50] = np.nan
        errors = PointErrors(network, HEADS, 8)(series)
        hidden = naive_anomaly.hidden_errors(network, series)
        for head, expected in zip(HEADS, hidden, strict=False):
            np.testing.assert_allclose(errors[head], expected, rtol=1e-3, atol=1e-4)
        forecast = naive_anomaly.forecast_errors(network, series)
        np.testing.assert_allclose(errors["forecast"], forecast, rtol=1e-3, atol=1e-4)


def test_coarse_errors_equal_a_loop():
    network = load_checkpoint("tspulse-p8")
    series = wave(2203)
    series[30:50] = np.nan
    errors = PointErrors(network, ("coarse",), 8)(series)["coarse"]
    averages = naive_anomaly.averages(series, 4)
    expected = naive_anomaly.hidden_errors(network, averages)[1]
    for t, value in enumerate(series):
        wanted = np.nan if np.isnan(value) else expected[t // 4]
        np.testing.assert_allclose(errors[t], wanted, rtol=1e-3, atol=1e-4)


def test_coarse_errors_of_a_few_points_are_unknown():
    errors = PointErrors(load_checkpoint("tspulse-p8"), ("coarse",), 8)(wave(28))["coarse"]
    assert errors.shape == (28,)
    assert np.isnan(errors).all()


def test_no_place_in_a_patch_is_harder_than_another():
    errors = PointErrors(load_checkpoint("tspulse-p8"), HEADS[:2], 64)
    walk = np.cumsum(np.random.default_rng(0).normal(size=4096))
    for head, found in errors(walk).items():
        by_place = found[512:-512].reshape(-1, 8).mean(0)
        assert by_place.max() < 1.25 * by_place.min(), head


def test_trailing_errors_equal_a_loop():
    network = load_checkpoint("tspulse-p8")
    series = wave(170)
    series[30:50] = np.nan
    errors = TrailingErrors(network, HEADS[:2], 8)(series)
    expected = naive_anomaly.trailing_errors(network, series)
    np.testing.assert_allclose(
        np.stack([*errors.values()]),
        np.where(np.isnan(series), np.nan, expected),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.parametrize("length", [1100, 1152])
def test_trailing_errors_are_the_same_from_any_block_on(length):
    network = load_checkpoint("tspulse-p8")
    series = wave(length)
    whole = TrailingErrors(network, HEADS, 8)(series)
    late = TrailingErrors(network, HEADS, 8, first=512)(series[512:])
    for head in HEADS:
        assert whole[head].shape == (length,)
        np.testing.assert_allclose(late[head], whole[head][1024:], rtol=1e-3, atol=1e-6)


def test_trailing_errors_know_nothing_of_later_blocks():
    network = load_checkpoint("tspulse-p8")
    series = wave(400)
    whole = TrailingErrors(network, HEADS, 8)(series)
    series[192:] = 50
    for head, errors in TrailingErrors(network, HEADS, 8)(series).items():
        np.testing.assert_array_equal(errors[:192], whole[head][:192])


@pytest.mark.parametrize("kind", [PointErrors, TrailingErrors])
@pytest.mark.parametrize("length", [8, 100, 512, 700])
def test_windows_are_counted(kind, length):
    class Counter:
        n = 0

        def update(self, n):
            self.n += n

    network = load_checkpoint("tspulse-p8")
    read = kind(network, HEADS, 8, Counter())
    read(wave(length))
    assert read.progress.n == read.count(length)


def test_passes_are_few():
    network = load_checkpoint("tspulse-p8")
    n = 10_000
    hidden = PointErrors(network, ("time", "frequency"), 8).count(n)
    forecast = PointErrors(network, ("forecast",), 8).count(n)
    assert 8 * hidden + forecast < 13 * n / 50


def test_heads_of_other_networks():
    assert heads_of(TSPulseConfig(forecast_length=0)) == ("time", "frequency", "coarse")
    assert heads_of(TSPulseConfig(frequency_head=False)) == ("time", "coarse", "forecast")
    assert heads_of(TSPulseConfig(), trailing=True) == HEADS


def test_what_is_hidden_has_no_say():
    # A spike is missed by its whole height, as no pass that shows it guesses it.
    network = load_checkpoint("tspulse-p8")
    series = wave(520)
    errors = PointErrors(network, ("time", "forecast"), 8)(series)
    series[301] += 5
    spiked = PointErrors(network, ("time", "forecast"), 8)(series)
    for head, before in errors.items():
        assert np.sqrt(spiked[head][301]) - np.sqrt(before[301]) > 3


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_a_constant_is_guessed(level):
    network = load_checkpoint("tspulse-p8")
    errors = PointErrors(network, HEADS, 8)(np.full(600, level))
    assert all((one == 0).all() for one in errors.values())
