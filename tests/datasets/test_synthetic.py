from __future__ import annotations

import numpy as np
import pytest

from sktspulse.datasets import (
    FAMILIES,
    make_gappy_series,
    make_labelled_panel,
    make_series,
    synthetic,
)


def step_size(series):
    """Size of a step relative to the size of the series."""
    return np.diff(series, axis=1).std(axis=1) / series.std(axis=1)


# ---------------------------------------------------------------- make_series


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n_timepoints", [8, 97, 512])
def test_series_are_finite_standard_and_never_constant(family, n_timepoints):
    series = make_series(40, n_timepoints, families=[family], random_state=0)
    assert series.shape == (40, n_timepoints)
    assert series.dtype == np.float32
    np.testing.assert_allclose(series.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(series.std(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_series_of_one_call_differ(family):
    series = make_series(40, families=[family], random_state=0)
    similarity = np.abs(np.corrcoef(series)) - np.eye(40)
    assert similarity.max() < 0.9999
    assert np.median(similarity) < 0.9  # trends are alike by nature, shared draws would be one


@pytest.mark.parametrize("family", FAMILIES)
def test_single_series_can_be_drawn(family):
    assert np.isfinite(make_series(1, families=[family], random_state=0)).all()


def test_same_seed_same_series():
    first, again = (make_series(64, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, make_series(64, random_state=4))


@pytest.mark.parametrize("source", [np.random.RandomState, np.random.default_rng])
def test_passed_generators_are_used_and_advance(source):
    generator = source(0)
    first, second = (make_series(16, random_state=generator) for _ in range(2))
    np.testing.assert_array_equal(first, make_series(16, random_state=source(0)))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("make", [make_series, make_labelled_panel, make_gappy_series])
def test_global_generator_is_untouched(make):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make(random_state=0)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_default_draws_every_family_and_more_mixtures(monkeypatch):
    drawn = []
    for name, family in list(synthetic._BASE_FAMILIES.items()):

        def recording(rng, n, t, name=name, family=family):
            drawn.append((name, n))
            return family(rng, n, t)

        monkeypatch.setitem(synthetic._BASE_FAMILIES, name, recording)
    make_series(1000, 16, random_state=0)
    assert {name for name, _ in drawn} == set(synthetic._BASE_FAMILIES)
    # A mixture needs two more series, so one in four mixtures draws five for every four.
    assert sum(n for _, n in drawn) == pytest.approx(1250, rel=0.05)


def test_listing_a_family_twice_draws_it_twice_as_often():
    series = make_series(3000, 64, families=["smooth", "smooth", "logistic_map"], random_state=0)
    assert (step_size(series) < 0.8).mean() == pytest.approx(2 / 3, abs=0.03)


def test_smooth_and_rough_series_are_both_common():
    step = step_size(make_series(2000, random_state=0))
    assert (step < 0.1).mean() > 0.2
    assert (step > 0.8).mean() > 0.15


def test_periods_reach_from_a_few_steps_to_the_window():
    series = make_series(2000, families=["sine"], random_state=0)
    peak = np.abs(np.fft.rfft(series)).argmax(axis=1)
    thirds = np.histogram(np.log2(peak), bins=[0, 2.33, 4.67, 7.1])[0] / 2000
    assert (thirds > 0.2).all()


@pytest.mark.parametrize("families", [["sine", "cosine"], []])
def test_unknown_or_no_families_raise(families):
    with pytest.raises(ValueError, match=r"cosine|no name"):
        make_series(2, families=families)


@pytest.mark.parametrize("sizes", [{"n_series": 0}, {"n_timepoints": 7}, {"n_series": 2.0}])
def test_too_small_sizes_raise(sizes):
    with pytest.raises(ValueError, match=next(iter(sizes))):
        make_series(**sizes)


# ---------------------------------------------------------------- make_labelled_panel


def test_labelled_panel_is_balanced_shuffled_and_seeded():
    X, y = make_labelled_panel(50, 64, 4, n_channels=3, random_state=0)
    again, _ = make_labelled_panel(50, 64, 4, n_channels=3, random_state=0)
    assert X.shape == (50, 3, 64)
    assert sorted(np.bincount(y)) == [12, 12, 13, 13]
    assert (np.diff(y) != 0).sum() > 20
    assert not np.array_equal(y, np.arange(50) % 4)
    np.testing.assert_array_equal(X, again)


@pytest.mark.parametrize("size", ["n_series", "n_timepoints", "n_classes", "n_channels"])
def test_too_small_panels_raise(size):
    with pytest.raises(ValueError, match=f"'{size}' parameter of make_labelled_panel must be"):
        make_labelled_panel(**{size: 0})


def test_classes_show_in_the_spectrum_not_in_single_time_points():
    X, y = make_labelled_panel(400, 128, 3, random_state=1)
    spectrum = np.abs(np.fft.rfft(X[:, 0]))
    assert _nearest_centroid_accuracy(spectrum, y) > 0.9
    assert _nearest_centroid_accuracy(X[:, 0], y) < 0.6


def _nearest_centroid_accuracy(features, y):
    centroids = np.stack([features[:200][y[:200] == label].mean(axis=0) for label in range(3)])
    distance = ((features[200:, None] - centroids) ** 2).sum(axis=2)
    return (distance.argmin(axis=1) == y[200:]).mean()


# ---------------------------------------------------------------- make_gappy_series


@pytest.mark.parametrize("n_channels", [1, 2, 6])
@pytest.mark.parametrize("missing_fraction", [0, 0.1, 0.7])
def test_gaps_hide_exactly_the_fraction_and_nothing_else_changes(n_channels, missing_fraction):
    X, complete = make_gappy_series(
        500, n_channels, missing_fraction=missing_fraction, random_state=0
    )
    missing = np.isnan(X)
    assert missing.sum() == round(missing_fraction * X.size)
    assert np.isfinite(complete).all()
    np.testing.assert_array_equal(X[~missing], complete[~missing])


def test_gaps_are_single_points_and_blocks():
    X, _ = make_gappy_series(5000, 4, missing_fraction=0.1, random_state=0)
    edges = np.diff(np.pad(np.isnan(X), ((1, 1), (0, 0))).astype(int), axis=0)
    lengths = np.flatnonzero(edges.T.ravel() == -1) - np.flatnonzero(edges.T.ravel() == 1)
    assert (lengths == 1).sum() > 500
    assert lengths[lengths >= 12].sum() > 400


def test_sensors_share_day_and_weather_one_is_smooth_one_intermittent():
    _, complete = make_gappy_series(random_state=0)
    plain = complete[:, [0, 3, 4, 5]]
    spectrum = np.abs(np.fft.rfft(plain - plain.mean(axis=0), axis=0))
    assert (spectrum[84] > 10 * np.median(spectrum, axis=0)).all()  # 2016 h hold 84 days
    assert np.abs(np.corrcoef(plain.T)).min() > 0.2
    assert step_size(complete.T)[1] < 0.5 * step_size(plain.T).min()
    assert 0.5 < (complete[:, 2] == 0).mean() < 0.98


@pytest.mark.parametrize("missing_fraction", [-0.1, 1.0])
def test_missing_fractions_outside_the_range_raise(missing_fraction):
    with pytest.raises(ValueError, match="missing_fraction"):
        make_gappy_series(missing_fraction=missing_fraction)
