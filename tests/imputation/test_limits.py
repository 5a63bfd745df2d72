"""Fills stay in the range, the direction and the bounds of their channel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.imputation.limits import Limits

OPEN = (None, None)


def panel(*rows):
    return np.array(rows, float)[None]


def apply(known, filled, bounds=OPEN, *, rounds=False):
    """Fill the missing values of one channel, and return all of it."""
    X = panel(known)
    limits = Limits.fit([X]).restricted(bounds, rounds=rounds)
    return limits.apply(limits.in_range(np.where(np.isnan(X), panel(filled), X), X), X)[0, 0]


NOISE = np.random.default_rng(0).normal(size=60)


def test_fills_are_at_most_a_little_outside_the_range():
    known = np.append(NOISE, [np.nan, np.nan])
    result = apply(known, np.append(NOISE, [100, -100]))
    margin = 0.05 * np.ptp(NOISE)
    np.testing.assert_allclose(result[-2:], [NOISE.max() + margin, NOISE.min() - margin])
    np.testing.assert_array_equal(result[:-2], NOISE)


def test_an_end_of_the_range_that_is_attained_often_is_a_bound():
    known = np.append(NOISE.clip(0), np.nan)
    assert apply(known, np.full(61, -0.01))[-1] == 0
    assert apply(known, np.full(61, 100.0))[-1] > NOISE.max()


def test_the_range_includes_the_known_values_of_the_series():
    limits = Limits.fit([panel(NOISE)])
    other = panel([50.0, np.nan, 60.0])
    assert limits.in_range(panel([50.0, 58.0, 60.0]), other)[0, 0, 1] == 58


@given(st.integers(0, 1000), st.sampled_from([1, -1]), st.floats(0.05, 0.9))
def test_a_monotone_channel_stays_monotone(seed, direction, rate):
    rng = np.random.default_rng(seed)
    counter = direction * rng.poisson(2, 200).cumsum() * 1e3
    known = np.where(rng.random(200) < rate, np.nan, counter)
    known[50:90] = np.nan
    if np.unique(known[~np.isnan(known)]).size < 21:
        return
    result = apply(known, counter + 5e3 * rng.normal(size=200))
    assert (direction * np.diff(result) >= 0).all()


def test_monotone_fills_are_changed_only_where_they_must():
    known = np.arange(60.0)
    known[20:30] = np.nan
    filled = np.arange(60.0) + 0.3 * np.sin(np.arange(60))
    np.testing.assert_allclose(apply(known, filled)[20:30], filled[20:30])


def test_one_reset_of_a_counter_does_not_matter_elsewhere():
    counter = np.arange(1000.0)
    counter[500:] -= 500
    known, filled = counter.copy(), counter.copy()
    known[100:110] = known[495:505] = np.nan
    filled[100:110] -= 30
    result = apply(known, filled)
    assert (np.diff(result[90:120]) >= 0).all()
    np.testing.assert_array_equal(result[495:505], counter[495:505])


def test_a_walk_is_not_monotone():
    known = np.append(NOISE.cumsum() + 3 * np.arange(60), [np.nan, 0])
    assert Limits.fit([panel(known)]).direction == [0]


def test_bounds_hold_for_every_channel_and_series():
    X = np.stack([panel(NOISE, NOISE)[0]] * 2)
    X[..., :20] = np.nan
    limits = Limits.fit([X]).restricted(([-0.5, np.nan], 0.25), rounds=False)
    result = limits.apply(np.where(np.isnan(X), 3 * NOISE, X), X)[..., :20]
    assert result.max() == 0.25
    assert result[:, 0].min() == -0.5
    assert result[:, 1].min() < -0.5


def test_observed_bounds_are_those_of_fit():
    limits = Limits.fit([panel(NOISE, np.full(60, np.nan))]).restricted("observed", rounds=False)
    np.testing.assert_array_equal(limits.bounds, [[NOISE.min(), -np.inf], [NOISE.max(), np.inf]])


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((1, 0), r"lower bound above the upper"),
        ((0, 1, 2), r"has 3 entries, but \(low, high\) was expected"),
        (([0, 0, 0], None), r"entry of shape \(3,\), but X has 2 channels"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        Limits.fit([panel(NOISE, NOISE)]).restricted(bounds, rounds=False)


def test_only_channels_of_whole_numbers_are_rounded():
    whole = np.append(np.arange(30) % 7, np.nan)
    assert apply(whole, np.full(31, 2.4), rounds=True)[-1] == 2
    assert apply(whole, np.full(31, 2.4))[-1] == 2.4
    assert apply(whole + 0.5, np.full(31, 2.4), rounds=True)[-1] == 2.4


def test_opened_limits_keep_the_bounds_only():
    X = panel(np.append(np.arange(40.0), np.nan))
    limits = Limits.fit([X]).opened()
    assert limits.in_range(np.where(np.isnan(X), -9e9, X), X)[0, 0, -1] == -9e9
    limits = limits.restricted((0, None), rounds=False)
    assert limits.apply(np.where(np.isnan(X), -9e9, X), X)[0, 0, -1] == 0
