from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kurtosis

from sktspulse.datasets import processes
from sktspulse.datasets.processes import PROCESSES


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("family", PROCESSES)
@pytest.mark.parametrize("n_timepoints", [8, 97])
def test_families_are_finite_and_repeatable(family, n_timepoints):
    first, again = (PROCESSES[family](np.random.default_rng(1), 30, n_timepoints) for _ in range(2))
    assert first.shape == (30, n_timepoints)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)


def test_steps_of_random_walks_are_uncorrelated(rng):
    steps = np.diff(PROCESSES["random_walk"](rng, 200, 512)).clip(-3, 3)
    assert abs((steps[:, 1:] * steps[:, :-1]).mean()) < 0.02 * (steps**2).mean()


def test_heavy_tails_are_heavy(rng):
    assert np.median(kurtosis(PROCESSES["heavy_tailed"](rng, 200, 512), axis=1)) > 3


def test_smooth_series_have_smaller_steps_than_coloured_ones(rng):
    steps = [
        np.diff(series).std() / series.std()
        for series in (PROCESSES[family](rng, 200, 512) for family in ("smooth", "coloured"))
    ]
    assert steps[0] < 0.2 * steps[1]


def test_gaussian_process_has_the_covariance_of_its_kernel(rng):
    lag = np.arange(65)
    kernel = np.exp(-lag / 8)
    samples = processes._gaussian(rng, np.tile(kernel, (20_000, 1)))
    covariance = samples.T @ samples / len(samples)
    distance = np.abs(np.subtract.outer(lag[:-1], lag[:-1]))
    np.testing.assert_allclose(covariance, kernel[distance], atol=0.05)


def test_kernels_have_unit_variance_and_lie_between_zero_and_one(rng):
    kernels = processes._kernel(rng, 500, 64)
    np.testing.assert_allclose(kernels[:, 0], 1)
    assert kernels.min() >= 0
    assert kernels.max() <= 1


def test_logistic_map_follows_its_equation(rng):
    path = PROCESSES["logistic_map"](rng, 50, 100)
    growth = path[:, 1:] / (path[:, :-1] * (1 - path[:, :-1]))
    np.testing.assert_allclose(growth, growth[:, :1] + 0 * growth, rtol=1e-9)
    assert growth.min() >= 3.5
    assert growth.max() <= 4.0


def test_attractor_follows_the_lorenz_and_rossler_equations(rng):
    state = x, y, z = np.array([1.0, 2.0, 3.0])
    dynamics = processes._dynamics(rng, 200)
    slopes = np.einsum("ijn,j->in", dynamics, [1.0, *state, x * y, x * z])
    lorenz = slopes[0] == 10.0
    np.testing.assert_allclose(slopes[2, lorenz], x * y - 8 / 3 * z, rtol=1e-12)
    np.testing.assert_allclose(slopes[0, ~lorenz], 6 * (-y - z), rtol=1e-12)
    np.testing.assert_allclose(slopes[1, ~lorenz], 6 * (x + 0.2 * y), rtol=1e-12)
    assert 0.3 < lorenz.mean() < 0.7


def test_mackey_glass_stays_on_its_attractor(rng):
    path = PROCESSES["mackey_glass"](rng, 50, 512)
    assert 0.1 < path.min() < path.max() < 1.6
    assert path.std(axis=1).min() > 0.01
