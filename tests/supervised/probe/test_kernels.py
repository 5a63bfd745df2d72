"""Gains and counts of competing kernels equal a loop; series do not depend on each other."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.supervised.probe import kernels as module
from sktspulse.supervised.probe.kernels import KernelBank, _draw
from sktspulse.supervised.probe.shapes import standard_shapes


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).cumsum(-1)


def extract(bank, panel):
    return bank(standard_shapes(panel))


def naive(series, bank):
    """Slide every kernel along the padded series, and let the groups compete."""
    features = []
    for exponent in range(bank.n_dilations):
        pair = _draw(bank.n_channels, bank.n_groups, exponent)
        for values, kernels in zip((series, np.diff(series)), pair, strict=True):
            responses = naive_responses(values, kernels)
            n_groups, n_competing, n_timepoints = responses.shape
            gains, counts = np.zeros((2, n_groups, n_competing))
            for group in range(n_groups):
                for t in range(n_timepoints):
                    best, worst = responses[group, :, t].argmax(), responses[group, :, t].argmin()
                    gains[group, best] += responses[group, best, t]
                    counts[group, worst] += 1
            features += [*gains.clip(0).ravel() / n_timepoints, *counts.ravel() / n_timepoints]
    return np.sqrt(features)


def naive_responses(values, kernels):
    """Return ``(n_groups, n_competing, n_timepoints)``."""
    groups = []
    for weights, mixing in zip(kernels.weights, kernels.mixing, strict=True):
        total = sum(n * channel for n, channel in zip(mixing, values, strict=True))
        padded = np.pad(total, 4 * kernels.dilation)
        columns = []
        for t in range(len(total)):
            seen = padded[t : t + 8 * kernels.dilation + 1 : kernels.dilation]
            columns.append([sum(seen * kernel) for kernel in weights])
        groups.append(np.transpose(columns))
    return np.array(groups)


@pytest.mark.parametrize(("n_channels", "n_timepoints"), [(1, 20), (2, 9), (5, 20), (1, 70)])
def test_features_equal_a_loop(n_channels, n_timepoints):
    shapes = standard_shapes(draw(2, n_channels, n_timepoints))
    bank = KernelBank.fit(shapes)._replace(n_groups=3)
    expected = [naive(series, bank) for series in shapes]
    np.testing.assert_allclose(bank(shapes), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("n", "n_dilations"), [(2, 1), (9, 1), (17, 2), (512, 6), (10_000, 7)])
def test_kernels_span_at_most_the_longest_series(n, n_dilations):
    shapes = standard_shapes([draw(1, 2), draw(1, n)])
    bank = KernelBank.fit(shapes)
    assert bank.n_dilations == n_dilations
    assert bank(shapes[1:]).shape == (1, bank.n_features)


@pytest.mark.parametrize(
    ("n_series", "length", "n_groups"),
    [
        (1, 9, 32),
        (1000, 512, 32),
        (2048, 1024, 32),
        (3000, 512, 10),
        (10**5, 9, 32),
        (10**5, 512, 8),
    ],
)
def test_the_more_there_is_to_read_the_fewer_groups(n_series, length, n_groups):
    bank = KernelBank.fit(n_series * [np.zeros((1, length), np.float32)])
    assert bank.n_groups == n_groups


def test_gains_are_at_most_the_norm_and_counts_are_shares():
    bank = KernelBank(2, 2, 8)
    parts = np.square(extract(bank, draw(6, 2, 30))).reshape(6, 2, 2, 2, 8, 8)
    np.testing.assert_allclose(parts[:, :, :, 1].sum(-1), 1, rtol=1e-5)
    assert parts.min() >= 0
    assert parts[:, :, :, 0].max() < 5


@pytest.mark.parametrize("n_channels", [1, 3, 300])
def test_series_are_independent_and_may_differ_in_length(n_channels, monkeypatch):
    panel = [draw(n_channels, n) for n in (40, 60, 40, 7)]
    bank = KernelBank.fit(standard_shapes(panel))._replace(n_groups=8)
    alone = np.vstack([extract(bank, [series]) for series in panel])
    np.testing.assert_allclose(extract(bank, panel), alone, atol=1e-5)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 1)
    np.testing.assert_allclose(extract(bank, panel), alone, atol=1e-5)


def test_unit_and_level_do_not_matter():
    panel = draw(3, 2, 50)
    bank = KernelBank.fit(standard_shapes(panel))
    np.testing.assert_allclose(extract(bank, 7e5 * panel + 1e5), extract(bank, panel), atol=1e-3)


def test_gaps_are_lines_and_unknown_channels_are_flat():
    line = np.linspace(0, 1, 50)
    series = np.stack([line, np.full(50, np.nan)])
    gappy = series.copy()
    gappy[0, 20:30] = np.nan  # the mean stays, the scale does not
    bank = KernelBank.fit(standard_shapes([series]))
    found, expected = (extract(bank, [one]).reshape(-1, 2, 256) for one in (gappy, series))
    np.testing.assert_allclose(found[:, 1], expected[:, 1], atol=1e-6)
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=0.1)


def test_kernels_tie_where_a_series_is_flat():
    bank = KernelBank(1, 1, 8)
    gains, counts = np.split(extract(bank, [np.full((1, 30), 7.0)])[0].reshape(2, 2, -1), 2, axis=1)
    assert not gains.any()
    np.testing.assert_array_equal(counts, 1)


def test_kernels_are_the_same_for_all_data_and_differ_among_themselves():
    weights = [kernels.weights for exponent in range(2) for kernels in _draw(3, 8, exponent)]
    _draw.cache_clear()
    again = [kernels.weights for exponent in range(2) for kernels in _draw(3, 8, exponent)]
    np.testing.assert_array_equal(weights, again)
    assert len(np.unique(np.reshape(weights, (-1, 9)), axis=0)) == 4 * 8 * 8
    np.testing.assert_allclose(np.sum(weights, axis=-1), 0, atol=1e-6)
    np.testing.assert_allclose(np.abs(weights).sum(-1), 1, rtol=1e-5)
