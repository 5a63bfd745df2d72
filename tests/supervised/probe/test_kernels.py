"""Gains and counts of competing kernels equal a loop, and follow neither unit nor level."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.network import standardize
from sktspulse.supervised.probe.kernels import KernelBank, _kernels


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).cumsum(-1)


def naive(series, bank):
    """Slide every kernel along the padded series, and let the groups compete."""
    z = standardize(series).values.astype(np.float32)
    features = []
    for exponent in range(bank.n_dilations):
        for values, kernels in zip((z, np.diff(z)), _kernels(len(series), exponent), strict=True):
            responses = _responses(values, kernels)
            n_groups, n_competing, n_timepoints = responses.shape
            gains, counts = np.zeros((2, n_groups, n_competing))
            for group in range(n_groups):
                for t in range(n_timepoints):
                    best = responses[group, :, t].argmax()
                    gains[group, best] += responses[group, best, t]
                    counts[group, responses[group, :, t].argmin()] += 1
            features += [*gains.clip(0).ravel() / n_timepoints, *counts.ravel() / n_timepoints]
    return np.sqrt(features)


def _responses(values, kernels):
    weights = kernels.weights.numpy()[:, 0].reshape(len(kernels.channels), -1, 9)
    found = np.zeros((*weights.shape[:2], values.shape[1]))
    for group, channels in enumerate(kernels.channels.tolist()):
        total = values[channels].sum(0) if len(values) > 1 else values[0]
        padded = np.pad(total, 4 * kernels.dilation)
        for t in range(len(total)):
            seen = padded[t : t + 8 * kernels.dilation + 1 : kernels.dilation]
            found[group, :, t] = weights[group] @ seen
    return found


@pytest.mark.parametrize("n_channels", [1, 3])
def test_features_equal_a_loop(n_channels):
    panel = draw(2, n_channels, 20)
    bank = KernelBank.fit(panel)
    assert bank.n_dilations == 2
    expected = [naive(series, bank) for series in panel]
    np.testing.assert_allclose(bank(panel), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("n", "n_dilations"), [(2, 1), (9, 1), (17, 2), (512, 6), (10_000, 7)])
def test_kernels_span_at_most_the_series(n, n_dilations):
    bank = KernelBank.fit([draw(1, 2), draw(1, n)])
    assert bank.n_dilations == n_dilations
    assert bank([draw(1, n)]).shape == (1, bank.n_features)


def test_series_are_independent_and_may_differ_in_length():
    panel = [draw(2, n) for n in (40, 60, 40, 7)]
    bank = KernelBank.fit(panel)
    alone = np.vstack([bank([series]) for series in panel])
    np.testing.assert_allclose(bank(panel), alone, atol=1e-6)


def test_unit_and_level_do_not_matter():
    panel = draw(3, 2, 50)
    bank = KernelBank.fit(panel)
    np.testing.assert_allclose(bank(7e5 * panel + 1e5), bank(panel), atol=1e-3)


def test_gaps_are_lines_and_unknown_channels_are_flat():
    line = np.linspace(0, 1, 50)
    series = np.stack([line, np.full(50, np.nan)])
    gappy = series.copy()
    gappy[0, 20:30] = np.nan  # the mean stays, the scale does not
    bank = KernelBank.fit([series])
    assert np.isfinite(bank([series])).all()
    found, expected = (bank([one]).reshape(-1, 2, 256) for one in (gappy, series))
    np.testing.assert_allclose(found[:, 1], expected[:, 1], atol=1e-6)
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=0.1)


def test_kernels_tie_where_a_series_is_flat():
    bank = KernelBank(1, 1)
    gains, counts = np.split(bank([np.full((1, 30), 7.0)])[0].reshape(2, 2, -1), 2, axis=1)
    assert not gains.any()
    np.testing.assert_array_equal(counts, 1)
