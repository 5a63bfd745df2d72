"""Other periods fill a gap."""

from __future__ import annotations

import naive
import numpy as np
import pytest

from sktspulse.imputation.seasonal import _N_AVERAGED, seasonal_fill


def waves(period, n_timepoints, noise=0.2, seed=0):
    t, rng = np.arange(n_timepoints), np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * t / period) + 0.5 * np.cos(4 * np.pi * t / period)
    return wave + noise * rng.normal(size=n_timepoints)


@pytest.mark.parametrize("period", [1, 4, 7, 30])
def test_values_are_those_of_a_loop(period):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2, 60)).cumsum(1)
    rows[rng.random(rows.shape) < 0.4] = np.nan
    rows[1, 10:45] = np.nan
    wanted = np.isnan(rows)
    expected = [naive.seasonal(rows[row], t, period, _N_AVERAGED) for row, t in np.argwhere(wanted)]
    filled = seasonal_fill(rows, wanted, period)
    np.testing.assert_allclose(filled[wanted], expected, atol=1e-12)
    assert np.isnan(filled[~wanted]).all()


def test_a_long_gap_is_filled_from_far_away():
    truth = waves(24, 2400, noise=0.0) + np.linspace(0, 3, 2400)
    rows = truth[None].copy()
    rows[0, 700:1700] = np.nan
    filled = seasonal_fill(rows, np.isnan(rows), 24)[0, 700:1700]
    assert np.abs(filled - truth[700:1700]).max() < 0.05


def test_units_do_not_matter():
    rows = waves(12, 200)[None]
    rows[0, 50:90] = np.nan
    wanted = np.isnan(rows)
    expected = 1e3 * (seasonal_fill(rows, wanted, 12) + 7)
    np.testing.assert_allclose(seasonal_fill(1e3 * (rows + 7), wanted, 12), expected, rtol=1e-9)


def test_too_few_known_values_are_nan():
    rows = np.full((2, 40), np.nan)
    rows[:, [0, 20]] = 1.0
    assert np.isnan(seasonal_fill(rows, np.isnan(rows), 20)).all()
