from __future__ import annotations

import numpy as np
import pytest

from sktspulse.datasets import primitives


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_zscore_turns_constant_rows_to_zero():
    rows = np.array([[3.3, 3.3, 3.3], [1.0, 2.0, 3.0]])
    standard = primitives.zscore_rows(rows)
    np.testing.assert_array_equal(standard[0], 0)
    np.testing.assert_allclose(standard[1], [-np.sqrt(1.5), 0, np.sqrt(1.5)])


def test_uniform_draws_fill_the_range(rng):
    drawn = primitives.uniform(rng, -2.0, 3.0, 10_000)
    assert drawn.shape == (10_000, 1)
    np.testing.assert_allclose(np.quantile(drawn, [0, 0.5, 1]), [-2, 0.5, 3], atol=0.05)


def test_log_uniform_draws_fill_the_range_of_logarithms(rng):
    drawn = np.log10(primitives.log_uniform(rng, 0.01, 1000.0, 10_000))
    np.testing.assert_allclose(np.quantile(drawn, [0, 0.5, 1]), [-2, 0.5, 3], atol=0.05)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_sometimes_keeps_values_with_the_probability(rng, probability):
    values = np.arange(1.0, 5001)[:, None]
    kept = primitives.sometimes(rng, probability, values)
    assert (kept > 0).mean() == pytest.approx(probability, abs=0.02)
    assert np.isin(kept, [0.0, *values.ravel()]).all()


def test_smooth_curves_are_smooth_and_of_unit_size(rng):
    curves = primitives.smooth_curve(rng, 2000, 256)
    assert np.sqrt((curves**2).mean()) == pytest.approx(1, abs=0.1)
    assert np.abs(np.diff(curves)).mean() < 0.03


def test_half_of_the_envelopes_are_constant_and_all_are_positive(rng):
    envelope = primitives.envelope(rng, 2000, 64)
    assert (envelope > 0).all()
    assert (envelope == 1).all(axis=1).mean() == pytest.approx(0.5, abs=0.05)


def test_segments_count_up_from_change_point_to_change_point(rng):
    segments = primitives.draw_segments(rng, 2000, 300)
    steps = np.diff(segments, prepend=0)
    assert np.isin(steps, [0, 1]).all()
    n_changes = segments[:, -1]
    assert n_changes.min() == 1
    assert 3 < n_changes.mean() < 7


def test_levels_change_exactly_between_segments(rng):
    segments = primitives.draw_segments(rng, 50, 300)
    levels = primitives.draw_levels(rng, segments)
    np.testing.assert_array_equal(np.diff(levels) != 0, np.diff(segments) != 0)


def test_backshift_delays_by_one_step(rng):
    innovations = rng.standard_normal((3, 40))
    delayed = primitives.filtered(innovations, primitives.backshift(20))
    np.testing.assert_allclose(delayed, np.roll(innovations, 1, axis=1)[:, :20], atol=1e-12)


def test_filters_equal_a_recursion(rng):
    innovations = rng.standard_normal((2, 400))
    found = primitives.filtered(innovations, 1 / (1 - 0.8 * primitives.backshift(200)))
    state = np.zeros(2)
    for step in range(-200, 200):  # on a circle: the second half is the past of the first
        state = 0.8 * state + innovations[:, step]
        if step >= 0:
            np.testing.assert_allclose(found[:, step], state, atol=1e-12)


def test_white_noise_is_uncorrelated(rng):
    noise = primitives.white_noise(rng, 20, 1000)
    assert noise.shape == (20, 2000)
    np.testing.assert_allclose(np.corrcoef(noise), np.eye(20), atol=0.1)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_coloured_noise_has_the_requested_spectral_slope(rng, exponent):
    noise = primitives.coloured_noise(rng, 2048, np.full((200, 1), exponent))
    power = (np.abs(np.fft.rfft(noise * np.hanning(2048))) ** 2).mean(axis=0)
    frequency = np.arange(8, 256)
    slope = np.polyfit(np.log(frequency), np.log(power[frequency]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.1)
