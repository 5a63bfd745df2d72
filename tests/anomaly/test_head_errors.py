"""Errors of the network's heads at every point, with few passes."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest

from sktspulse.anomaly.head_errors import CausalHeadErrors, HeadErrors, network_heads
from sktspulse.network import TSPulseConfig, load_checkpoint

HEADS = ("time", "frequency", "forecast")


def wave(n_timepoints: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=n_timepoints)
    return np.sin(np.arange(n_timepoints) / 7) + 0.1 * noise


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    """Compare up to the rounding of batches of another size."""
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.nanmax(expected), rtol=0)


def test_errors_equal_a_loop():
    network = load_checkpoint("tspulse-p8")
    for series in (wave(600), wave(200)):
        series[30:50] = np.nan
        errors = HeadErrors(network, HEADS, 8)(series)
        hidden = naive_anomaly.hidden_errors(network, series)
        for head, expected in zip(HEADS, hidden, strict=False):
            np.testing.assert_allclose(errors[head], expected, rtol=1e-3, atol=1e-4)
        forecast = naive_anomaly.forecast_errors(network, series)
        np.testing.assert_allclose(errors["forecast"], forecast, rtol=1e-3, atol=1e-4)


def test_coarse_errors_equal_a_loop():
    network = load_checkpoint("tspulse-p8")
    series = wave(2203)
    series[30:50] = np.nan
    errors = HeadErrors(network, ("coarse",), 8)(series)["coarse"]
    averages = naive_anomaly.averages(series, 4)
    expected = naive_anomaly.hidden_errors(network, averages)[1]
    for t, value in enumerate(series):
        wanted = np.nan if np.isnan(value) else expected[t // 4]
        np.testing.assert_allclose(errors[t], wanted, rtol=1e-3, atol=1e-4)


def test_coarse_errors_of_a_few_points_are_unknown():
    errors = HeadErrors(load_checkpoint("tspulse-p8"), ("coarse",), 8)(wave(28))["coarse"]
    assert errors.shape == (28,)
    assert np.isnan(errors).all()


def test_no_position_in_a_patch_has_larger_errors():
    errors = HeadErrors(load_checkpoint("tspulse-p8"), HEADS[:2], 64)
    walk = np.cumsum(np.random.default_rng(0).normal(size=4096))
    for head, found in errors(walk).items():
        by_position = found[512:-512].reshape(-1, 8).mean(0)
        assert by_position.max() < 1.25 * by_position.min(), head


def test_causal_errors_equal_a_loop():
    network = load_checkpoint("tspulse-p8")
    series = wave(170)
    series[30:50] = np.nan
    errors = CausalHeadErrors(network, HEADS[:2], 8)(series)
    expected = naive_anomaly.causal_errors(network, series)
    np.testing.assert_allclose(
        np.stack([*errors.values()]),
        np.where(np.isnan(series), np.nan, expected),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.parametrize("length", [1100, 1152])
def test_causal_errors_are_the_same_from_any_block_on(length):
    network = load_checkpoint("tspulse-p8")
    series = wave(length)
    whole = CausalHeadErrors(network, HEADS, 8)(series)
    late = CausalHeadErrors(network, HEADS, 8, first=512)(series[512:])
    for head in HEADS:
        assert whole[head].shape == (length,)
        assert_close(late[head], whole[head][1024:])


def test_causal_errors_do_not_depend_on_later_blocks():
    network = load_checkpoint("tspulse-p8")
    series = wave(400)
    whole = CausalHeadErrors(network, HEADS, 8)(series)
    series[192:] = 50
    for head, errors in CausalHeadErrors(network, HEADS, 8)(series).items():
        assert_close(errors[:192], whole[head][:192])


@pytest.mark.parametrize("kind", [HeadErrors, CausalHeadErrors])
@pytest.mark.parametrize("length", [8, 100, 512, 700])
def test_windows_are_counted(kind, length):
    class Counter:
        n = 0

        def update(self, n):
            self.n += n

    network = load_checkpoint("tspulse-p8")
    errors = kind(network, HEADS, 8, Counter())
    errors(wave(length))
    assert errors.progress.n == errors.count(length)


def test_passes_are_few():
    network = load_checkpoint("tspulse-p8")
    n = 10_000
    hidden = HeadErrors(network, ("time", "frequency"), 8).count(n)
    forecast = HeadErrors(network, ("forecast",), 8).count(n)
    assert 8 * hidden + forecast < 13 * n / 50


def test_heads_of_other_networks():
    assert network_heads(TSPulseConfig(forecast_length=0)) == ("time", "frequency", "coarse")
    assert network_heads(TSPulseConfig(frequency_head=False)) == ("time", "coarse", "forecast")
    assert network_heads(TSPulseConfig(), causal=True) == HEADS


def test_hidden_values_do_not_influence_their_reconstruction():
    # The error of a spike is its whole height, as no pass that shows it reconstructs it.
    network = load_checkpoint("tspulse-p8")
    series = wave(520)
    errors = HeadErrors(network, ("time", "forecast"), 8)(series)
    series[301] += 5
    spiked = HeadErrors(network, ("time", "forecast"), 8)(series)
    for head, before in errors.items():
        assert np.sqrt(spiked[head][301]) - np.sqrt(before[301]) > 3


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_the_errors_of_a_constant_are_0(level):
    network = load_checkpoint("tspulse-p8")
    errors = HeadErrors(network, HEADS, 8)(np.full(600, level))
    assert all((one == 0).all() for one in errors.values())
