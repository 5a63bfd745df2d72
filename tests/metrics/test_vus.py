"""Measures of anomaly scores: their definition, what they are blind to, what they refuse."""

from __future__ import annotations

import naive_metrics
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, make_scorer

from sktspulse.metrics import (
    affiliation_precision_score,
    affiliation_recall_score,
    find_period,
    range_precision_score,
    range_recall_score,
    vus_pr_score,
    vus_roc_score,
)

each_score = pytest.mark.parametrize("score", [vus_pr_score, vus_roc_score])

# Seed, points and window of a recording, and both volumes as TSB-AD 1.5 gives them ("opt").
PUBLISHED = [
    (0, 60, 0, 0.3307880844645551, 0.8363636363636363),
    (1, 60, 7, 0.6760707886315059, 0.8962919731147593),
    (2, 400, 24, 0.6005717701086123, 0.8392297377121054),
    (3, 400, 100, 0.6808754960280283, 0.8735274131391121),
    (4, 1000, 25, 0.5594728546886921, 0.7800973563987953),
    (5, 3000, 60, 0.48833935541753676, 0.7759189266465218),
]
# Seed and period of a noisy wave, and the period that TSB-AD 1.5 finds.
PUBLISHED_PERIODS = [
    (0, 3.3, 33),
    (1, 8, 16),
    (2, 30, 30),
    (3, 77.7, 77),
    (4, 200, 125),
    (5, 303, 8),
    (6, 304, 7),
    (7, 410, 6),
]


# Seed and points of a recording told to be anomalous where its scores exceed 1, and range-based
# precision and recall, affiliation precision and recall, and AUC-PR, as TSB-AD 1.5 gives them.
PUBLISHED_RANGES = [
    (
        0,
        60,
        [
            0.2777777777777778,
            0.7500000000000001,
            0.664621327254306,
            0.9946808510638298,
            0.4370286576168929,
        ],
    ),
    (
        1,
        60,
        [
            0.5833333333333334,
            0.4766666666666667,
            0.9253667568722405,
            0.9482251755898558,
            0.4377877648667122,
        ],
    ),
    (
        2,
        400,
        [
            0.40740740740740744,
            0.261205429031516,
            0.7016490941317222,
            0.9955401740707565,
            0.5418233610774509,
        ],
    ),
    (
        3,
        1000,
        [
            0.3803680981595092,
            0.2453418873270132,
            0.6405476229236351,
            0.9982649532144877,
            0.5407876346799269,
        ],
    ),
]


def recording(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw up to four anomalies, and scores of which some are equal."""
    rng = np.random.default_rng(seed)
    y = np.zeros(n, dtype=int)
    for start in rng.integers(0, n, 4):
        y[start : start + rng.integers(1, n // 8)] = 1
    return y, (rng.standard_normal(n) + y).round(2)


def wave(seed: int, period: float, n: int = 2000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sin(2 * np.pi * np.arange(n) / period) + 0.3 * rng.standard_normal(n)


@st.composite
def cases(draw):
    """Labels of both kinds and scores, few or many of them equal."""
    n = draw(st.integers(2, 30))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    assume(0 < sum(y) < n)
    highest = draw(st.sampled_from([1, 3, 1000]))
    scores = draw(st.lists(st.integers(0, highest), min_size=n, max_size=n))
    return np.array(y), np.array(scores, dtype=float)


def volumes(y, scores, window):
    return [score(y, scores, window=window) for score in (vus_pr_score, vus_roc_score)]


@pytest.mark.parametrize(("seed", "n", "window", "pr", "roc"), PUBLISHED)
def test_values_are_those_of_the_benchmark(seed, n, window, pr, roc):
    np.testing.assert_allclose(volumes(*recording(seed, n), window), [pr, roc], rtol=0, atol=1e-9)


@settings(max_examples=50)
@given(cases(), st.integers(0, 9))
def test_values_are_those_of_a_point_by_point_twin(case, window):
    expected = naive_metrics.volumes(*map(np.ndarray.tolist, case), window)
    np.testing.assert_allclose(volumes(*case, window), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [249, 250, 251, 500])
@pytest.mark.parametrize(
    "anomalies",
    [[(0, 3), (5, 6), (8, 9)], [(200, 248)], [(1, 248)], [(0, 1), (100, 120), (121, 124)]],
    ids=["at the start", "at the end", "nearly all", "neighbours"],
)
def test_twin_agrees_where_thresholds_skip_ranks(n, anomalies):
    y = np.zeros(n, dtype=int)
    for start, stop in anomalies:
        y[start:stop] = 1
    scores = np.random.default_rng(n).standard_normal(n) + y
    expected = naive_metrics.volumes(y.tolist(), scores.tolist(), 5)
    np.testing.assert_allclose(volumes(y, scores, 5), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("window", [30, 31, 100, 1000])
def test_slopes_may_be_longer_than_the_series(window):
    y, scores = recording(0, 30)
    expected = naive_metrics.volumes(y.tolist(), scores.tolist(), window)
    np.testing.assert_allclose(volumes(y, scores, window), expected, rtol=0, atol=1e-12)


@given(cases(), st.integers(0, 40))
def test_only_the_order_of_scores_counts(case, window):
    y, scores = case
    assert volumes(y, scores, window) == volumes(y, np.exp(scores / 100) - 7, window)


@given(cases(), st.integers(0, 40))
def test_volumes_lie_between_zero_and_one(case, window):
    assert all(0 <= volume <= 1 + 1e-12 for volume in volumes(*case, window))


@given(cases(), st.integers(0, 40))
def test_time_may_run_backwards(case, window):
    y, scores = case
    backwards = volumes(y[::-1], scores[::-1], window)
    np.testing.assert_allclose(volumes(y, scores, window), backwards, rtol=0, atol=1e-12)


@given(cases(), st.integers(0, 40))
def test_a_perfect_order_scores_one(case, window):
    y, scores = case
    np.testing.assert_allclose(volumes(y, scores + 2000 * y, window), 1, rtol=1e-12)


@each_score
def test_slopes_forgive_what_is_near_and_not_what_is_far(score):
    y = np.zeros(200)
    y[100:110] = 1
    near, far = np.roll(y, 3), np.roll(y, 60)
    assert score(y, near, window=20) > score(y, near, window=0)
    assert score(y, near, window=20) > score(y, far, window=20)


@pytest.mark.parametrize("length", [0, 1])
def test_recall_is_scaled_by_the_share_of_anomalies_met(length):
    y, scores = np.array([0, 1, 1, 0, 0, 1]), np.array([5, 4, 3, 2, 1, 0])
    recall = np.array([0, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 1])
    met = np.array([0, 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1])
    precision = np.array([0, 1 / 2, 2 / 3, 2 / 4, 2 / 5, 3 / 6])
    expected = (np.diff(recall * met, prepend=0) * precision).sum()
    assert vus_pr_score(y, scores, window=length) == pytest.approx(expected, abs=1e-12)


@each_score
def test_labels_and_scores_come_in_many_forms(score):
    y, scores = recording(1, 60)
    expected = score(y, scores, window=5)
    assert type(expected) is float
    for labels in (y.astype(bool), y.astype(float), y.tolist(), y[:, None]):
        assert score(labels, scores.tolist(), window=np.int64(5)) == expected


def test_scorer_of_an_estimator():
    X, y = recording(2, 400)[1][:, None], recording(2, 400)[0]
    model = LogisticRegression().fit(X, y)
    scorer = make_scorer(vus_pr_score, response_method="decision_function", window=24)
    assert scorer(model, X, y) == vus_pr_score(y, X[:, 0], window=24)


def test_given_arrays_stay_as_they_are():
    y, scores = recording(0, 60)
    y.flags.writeable = scores.flags.writeable = False
    assert volumes(y, scores, 6)


@each_score
@pytest.mark.parametrize(
    ("y", "scores", "window", "message"),
    [
        ([0, 1, 0], [1, 2], 0, "y_true has 3 points and y_score has 2, .* Pass a label and a"),
        ([1, -1, 1], [1, 2, 3], 0, r"y_true holds \[-1.0, 1.0\], .* Pass y_true == label"),
        ([0, 0.5], [1, 2], 0, r"y_true holds \[0.0, 0.5\]"),
        ([0, 0], [1, 2], 0, "y_true is 0 everywhere, .* Leave this series out"),
        ([True, True], [1, 2], 0, "y_true is 1 everywhere"),
        ([0, np.nan], [1, 2], 0, "y_true is nan at point 1 and not finite at 1 of 2 points"),
        ([0, 1, 0], [np.inf, np.nan, 1], 0, "y_score is inf at point 0 .* 2 of 3 .* Fill or drop"),
        ([0, 1], [[1, 2], [3, 4]], 0, r"y_score has the shape \(2, 2\), .* Pass one value"),
        ([], [], 0, r"y_true has the shape \(0,\)"),
        ([0, 1], [1, 2], -1, "window is -1, expected an integer of at least 0 .* find_period"),
        ([0, 1], [1, 2], 2.0, "window is 2.0, expected"),
        ([0, 1], [1, 2], None, "window is None, expected"),
    ],
)
def test_errors_say_what_to_do(score, y, scores, window, message):
    with pytest.raises(ValueError, match=message):
        score(y, scores, window=window)


# --- Stretches in place of scores


RANGES = (
    range_precision_score,
    range_recall_score,
    affiliation_precision_score,
    affiliation_recall_score,
)
each_range = pytest.mark.parametrize("score", RANGES)


def stretches(y, told):
    return [score(y, told) for score in RANGES]


@pytest.mark.parametrize(("seed", "n", "expected"), PUBLISHED_RANGES)
def test_stretches_are_measured_as_by_the_benchmark(seed, n, expected):
    y, scores = recording(seed, n)
    values = [*stretches(y, scores > 1), average_precision_score(y, scores)]
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9)


@given(cases())
def test_stretches_are_measured_as_by_loops(case):
    y, told = case[0].tolist(), (case[1] > case[1].mean()).astype(int).tolist()
    expected = [
        naive_metrics.range_recall(told, y, 0),
        naive_metrics.range_recall(y, told, 0.2),
        *naive_metrics.affiliation(y, told),
    ]
    np.testing.assert_allclose(stretches(y, told), expected, rtol=0, atol=1e-9)


@given(cases())
def test_stretches_may_run_backwards(case):
    y, told = case[0], case[1] > case[1].mean()
    np.testing.assert_allclose(stretches(y, told), stretches(y[::-1], told[::-1]), atol=1e-12)


@given(cases())
def test_measures_of_stretches_lie_between_zero_and_one(case):
    assert all(-1e-12 <= value <= 1 + 1e-12 for value in stretches(case[0], case[1] > 0))


@each_range
@given(case=cases())
def test_the_truth_scores_one_and_nothing_scores_zero(score, case):
    assert score(case[0], case[0]) == pytest.approx(1)
    assert score(case[0], 0 * case[0]) == 0


def test_alpha_rewards_being_met():
    y, told = [1, 1, 1, 1, 0, 1], [1, 0, 0, 0, 0, 0]
    assert range_recall_score(y, told, alpha=1) == 0.5
    assert range_recall_score(y, told, alpha=0) == 0.125


def test_pieces_of_one_stretch_count_less():
    y = [1, 1, 1, 1, 1, 0]
    assert range_recall_score(y, [1, 1, 0, 1, 1, 0]) < range_recall_score(y, [1, 1, 1, 1, 0, 0])


@each_range
def test_far_is_worse_than_near(score):
    y = np.zeros(300, int)
    y[100:110] = 1
    assert score(y, np.roll(y, 3)) > score(y, np.roll(y, 120))


@each_range
def test_labels_of_outlier_detectors_are_read(score):
    y, scores = recording(0, 60)
    expected = score(y, scores > 1)
    other = score(1 - 2 * y, np.where(scores > 1, -1, 1), pos_label=-1)
    assert other == expected
    assert type(expected) is float


def test_scorers_of_stretches():
    X, y = recording(2, 400)[1][:, None], recording(2, 400)[0]
    model = LogisticRegression().fit(X, y)
    for score in RANGES:
        assert make_scorer(score)(model, X, y) == score(y, model.predict(X))


@each_range
@pytest.mark.parametrize(
    ("y", "told", "pos_label", "message"),
    [
        ([0, 1, 0], [1, 0], 1, "y_true has 3 points and y_pred has 2"),
        ([0, 0], [1, 0], 1, "y_true is 1 nowhere, .* Leave this series out"),
        ([1, 1], [1, -1], -1, "y_true is -1 nowhere"),
        ([0, 1], [1, -1], 1, r"y_pred holds \[-1.0, 1.0\], .* 0 or 1 as pos_label is 1"),
        ([0, 1], [1, 0], -1, r"y_true holds \[0.0, 1.0\], .* -1 or 1 as pos_label is -1"),
        ([0, 1], [1, 0], 2, "pos_label is 2, expected 1 or -1"),
        ([0, 1], [1, np.nan], 1, "y_pred is nan at point 1"),
    ],
)
def test_what_is_no_stretch_is_refused(score, y, told, pos_label, message):
    with pytest.raises(ValueError, match=message):
        score(y, told, pos_label=pos_label)


@pytest.mark.parametrize("alpha", [-0.1, 1.5, "much"])
def test_alpha_out_of_range_is_refused(alpha):
    with pytest.raises(ValueError, match=r"alpha is .*, expected a number in"):
        range_recall_score([0, 1], [0, 1], alpha=alpha)


# --- Periods


@pytest.mark.parametrize(("seed", "period", "expected"), PUBLISHED_PERIODS)
def test_periods_are_those_of_the_benchmark(seed, period, expected):
    assert find_period(wave(seed, period)) == expected


@given(st.integers(0, 1000), st.floats(2, 60), st.integers(1, 120))
def test_periods_are_those_of_a_lag_by_lag_twin(seed, period, n):
    x = wave(seed, period, n)
    assert find_period(x) == naive_metrics.period(x.tolist())


@pytest.mark.parametrize("period", [6, 7, 24, 150, 303])
def test_clean_pulses_have_their_period(period):
    pulse = np.tile(np.r_[1.0, np.zeros(period - 1)], 60)
    assert find_period(pulse + np.roll(pulse, 1) / 2) == period


@pytest.mark.parametrize("period", [4, 5, 304, 350])
def test_periods_out_of_range_are_not_believed(period):
    pulse = np.tile(np.r_[1.0, np.zeros(period - 1)], 60)
    assert find_period(pulse) == 125


@pytest.mark.parametrize("n", [1, 2, 5, 1000])
def test_a_constant_has_no_period(n):
    assert find_period(np.full(n, 0.1)) == 125


def test_only_the_beginning_is_read():
    x = wave(0, 30, 30_000)
    changed = np.r_[x[:20_000], wave(1, 77, 10_000)]
    assert find_period(x) == find_period(changed) == find_period(x[:20_000, None])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((9, 2)), r"x has the shape \(9, 2\), expected \(n_timepoints,\)"),
        ([0, np.nan, 1], "x is nan at point 1 and not finite at 1 of 3 points"),
    ],
)
def test_a_period_is_that_of_one_known_channel(x, message):
    with pytest.raises(ValueError, match=message):
        find_period(x)
