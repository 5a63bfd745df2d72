"""Regression between channels and clusters of their joint states."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest

from sktspulse.anomaly.multichannel import (
    ChannelRegression,
    StateClusters,
    _cluster,
    _distances,
    joint_distance,
)


def coupled(n_timepoints: int = 400, noise: float = 0.1) -> np.ndarray:
    """Three channels of mean 0 and variance 1, of which the last follows the others."""
    scaled = np.random.default_rng(0).normal(size=(3, n_timepoints))
    scaled[2] = scaled[0] - scaled[1] + noise * scaled[2]
    scaled -= scaled.mean(1, keepdims=True)
    return scaled / scaled.std(1, keepdims=True)


@pytest.mark.parametrize("n_timepoints", [20, 400, 3000])
def test_errors_are_those_of_ridge_regressions(n_timepoints):
    scaled = coupled(n_timepoints)
    errors = ChannelRegression.fit(scaled).errors(scaled)
    for channel in range(3):
        expected = naive_anomaly.ridge_errors(scaled, channel)
        np.testing.assert_allclose(errors[channel], expected, atol=1e-10)


def test_errors_with_missing_channels_are_those_of_regressions_on_the_others():
    scaled = coupled()
    scaled[np.random.default_rng(1).random(scaled.shape) < 0.4] = np.nan
    regression = ChannelRegression.fit(scaled)
    found, settings = regression.errors(scaled), regression[:2]
    for channel in range(3):
        expected = [naive_anomaly.error_from_known(*settings, point, channel) for point in scaled.T]
        np.testing.assert_allclose(found[channel], expected, rtol=1e-6)


@pytest.mark.parametrize("noise", [0.5, 0.1, 1e-3])
def test_errors_are_as_large_where_a_channel_is_missing(noise):
    scaled = coupled(3000, noise)
    regression = ChannelRegression.fit(scaled)
    whole = regression.errors(scaled)
    scaled[1] = np.nan
    errors = regression.errors(scaled)
    assert np.isnan(errors[1]).all()
    for channel in (0, 2):
        assert errors[channel].mean() == pytest.approx(whole[channel].mean(), rel=0.1)


def test_points_and_channels_that_are_missing_change_no_other_error():
    scaled = coupled()
    regression = ChannelRegression.fit(scaled)
    before = regression.errors(scaled)
    scaled[1, 50], scaled[:, 60] = np.nan, np.nan
    others = np.delete(np.arange(400), [50, 60])
    np.testing.assert_array_equal(regression.errors(scaled)[:, others], before[:, others])


def test_missing_values_in_fit_hardly_weaken_the_relations():
    scaled = coupled(3000)
    full = ChannelRegression.fit(scaled).covariance
    scaled[1, :1500] = scaled[0, :1500] = np.nan
    np.testing.assert_allclose(ChannelRegression.fit(scaled).covariance, full, atol=0.35)


def test_a_constant_channel_neither_predicts_nor_is_predicted():
    scaled = coupled()
    scaled[1] = 0
    regression = ChannelRegression.fit(scaled)
    other = scaled.copy()
    other[1] = 5
    assert (regression.errors(other)[1] == 0).all()
    np.testing.assert_array_equal(regression.errors(other)[0], regression.errors(scaled)[0])


@pytest.mark.parametrize("trailing", [False, True])
def test_distances_equal_a_loop(trailing):
    scaled = coupled()
    scaled[1, 100:130] = np.nan
    scaled[0, 200] = 1e6
    states = StateClusters.fit(scaled, trailing)
    assert states.centers.shape == (20, 3)
    np.testing.assert_allclose(
        states.distances(scaled), naive_anomaly.state_distances(states, scaled), atol=1e-9
    )


def test_the_joint_distance_is_unknown_only_where_all_channels_are():
    distances = np.array([[3, np.nan, np.nan], [4, 2, np.nan]])
    np.testing.assert_array_equal(joint_distance(distances), [5, 2, np.nan])


def test_a_new_combination_is_far():
    normal = np.zeros((2, 800))
    normal[0, 100:200] = normal[1, 300:400] = normal[0, 500:600] = 1
    other = normal.copy()
    other[1, 520:580] = 1
    states = StateClusters.fit(normal, trailing=False)
    assert np.median(states.distances(normal)) < 0.01
    assert (states.distances(other).max(0)[530:570] > 0.9).all()


@pytest.mark.parametrize("value", [1.0, -3.0])
def test_another_value_of_a_constant_channel_is_news_for_16_points(value):
    normal = coupled(800)
    normal[1] = 0
    states = StateClusters.fit(normal, trailing=True)
    other = normal.copy()
    other[1, 100:300] = other[1, 500:510] = other[1, 760:790] = value
    news = np.flatnonzero(states.distances(other)[1])
    # A state is the median of 8 points. At 763, eleven of the last 448 had another value.
    np.testing.assert_array_equal(news, [*range(103, 119), *range(763, 768)])


def test_rare_commands_weigh_no_more_than_frequent_ones():
    scaled = np.zeros((2, 1000))
    scaled[0, ::2], scaled[1, 5:10] = 1, 1
    states = StateClusters.fit(scaled / scaled.std(1, keepdims=True), trailing=False)
    np.testing.assert_allclose(states.ranges * scaled.std(1), 1)


def test_cross_validated_distances_are_those_of_new_data():
    rng = np.random.default_rng(0)
    scaled, new = rng.normal(size=(2, 6, 400))
    states = StateClusters.fit(scaled, trailing=True)
    distances = (
        states.distances(scaled),
        states.cross_validated_distances(scaled),
        states.distances(new),
    )
    fitted, held_out, later = (np.nanmean(np.square(one)) for one in distances)
    assert fitted < 0.9 * later
    assert held_out == pytest.approx(later, rel=0.1)


def test_a_quarter_does_not_influence_its_own_distances():
    scaled = coupled()
    states = StateClusters.fit(scaled, trailing=False)
    averaged = states._states(scaled)
    others = _cluster(np.delete(averaged, np.s_[100:200], axis=1))
    np.testing.assert_array_equal(
        states.cross_validated_distances(scaled)[:, 100:200],
        _distances(averaged[:, 100:200], others),
    )


def test_a_far_value_counts_as_one_that_is_just_out_of_reach():
    scaled = np.random.default_rng(0).normal(size=(3, 400))
    clusters = StateClusters.fit(scaled, trailing=True)
    far, further = scaled.copy(), scaled.copy()
    far[1, 200:], further[1, 200:] = 1e4, 1e7
    np.testing.assert_array_equal(clusters.distances(far), clusters.distances(further))
