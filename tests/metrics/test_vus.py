from __future__ import annotations

import naive_metrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.metric_cases import cases, recording
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer

from sktspulse.metrics import vus_pr_score, vus_roc_score

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


def volumes(y, scores, window):
    return [score(y, scores, window=window) for score in (vus_pr_score, vus_roc_score)]


@pytest.mark.parametrize(("seed", "n", "window", "pr", "roc"), PUBLISHED)
def test_values_equal_those_of_the_benchmark(seed, n, window, pr, roc):
    np.testing.assert_allclose(volumes(*recording(seed, n), window), [pr, roc], rtol=0, atol=1e-9)


@settings(max_examples=50)
@given(cases(), st.integers(0, 9))
def test_values_equal_those_of_a_point_by_point_twin(case, window):
    expected = naive_metrics.volumes(*map(np.ndarray.tolist, case), window)
    np.testing.assert_allclose(volumes(*case, window), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [249, 250, 251, 500])
@pytest.mark.parametrize(
    "anomalies",
    [[(0, 3), (5, 6), (8, 9)], [(200, 248)], [(1, 248)], [(0, 1), (100, 120), (121, 124)]],
    ids=["at the start", "at the end", "nearly all", "neighbours"],
)
def test_twin_agrees_if_thresholds_skip_ranks(n, anomalies):
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
def test_only_the_order_of_scores_matters(case, window):
    y, scores = case
    assert volumes(y, scores, window) == volumes(y, np.exp(scores / 100) - 7, window)


@given(cases(), st.integers(0, 40))
def test_volumes_lie_between_zero_and_one(case, window):
    assert all(0 <= volume <= 1 + 1e-12 for volume in volumes(*case, window))


@given(cases(), st.integers(0, 40))
def test_values_are_the_same_backwards_in_time(case, window):
    y, scores = case
    backwards = volumes(y[::-1], scores[::-1], window)
    np.testing.assert_allclose(volumes(y, scores, window), backwards, rtol=0, atol=1e-12)


@given(cases(), st.integers(0, 40))
def test_a_perfect_order_scores_one(case, window):
    y, scores = case
    np.testing.assert_allclose(volumes(y, scores + 2000 * y, window), 1, rtol=1e-12)


@each_score
def test_slopes_reward_near_detections_and_not_far_ones(score):
    y = np.zeros(200)
    y[100:110] = 1
    near, far = np.roll(y, 3), np.roll(y, 60)
    assert score(y, near, window=20) > score(y, near, window=0)
    assert score(y, near, window=20) > score(y, far, window=20)


@pytest.mark.parametrize("length", [0, 1])
def test_recall_is_scaled_by_the_fraction_of_anomalies_detected(length):
    y, scores = np.array([0, 1, 1, 0, 0, 1]), np.array([5, 4, 3, 2, 1, 0])
    recall = np.array([0, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 1])
    detected = np.array([0, 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1])
    precision = np.array([0, 1 / 2, 2 / 3, 2 / 4, 2 / 5, 3 / 6])
    expected = (np.diff(recall * detected, prepend=0) * precision).sum()
    assert vus_pr_score(y, scores, window=length) == pytest.approx(expected, abs=1e-12)


@each_score
def test_labels_and_scores_of_every_type_are_accepted(score):
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


def test_arguments_are_not_modified():
    y, scores = recording(0, 60)
    y.flags.writeable = scores.flags.writeable = False
    assert volumes(y, scores, 6)


@each_score
@pytest.mark.parametrize(
    ("y", "scores", "window", "message"),
    [
        ([0, 1, 0], [1, 2], 0, r"inconsistent numbers of samples: \[3, 2\]"),
        ([1, -1, 1], [1, 2, 3], 0, r"y_true contains \[-1.0, 1.0\], .* Pass y_true == label"),
        ([0, 0.5], [1, 2], 0, r"y_true contains \[0.0, 0.5\]"),
        ([0, 0], [1, 2], 0, "y_true is 0 everywhere, .* Leave this series out"),
        ([True, True], [1, 2], 0, "y_true is 1 everywhere"),
        ([0, np.nan], [1, 2], 0, "Input y_true contains NaN"),
        ([0, 1, 0], [np.inf, np.nan, 1], 0, "Input y_score contains NaN"),
        ([0, 1], [[1, 2], [3, 4]], 0, r"1d array, got an array of shape \(2, 2\)"),
        ([], [], 0, r"0 sample\(s\) \(shape=\(0,\)\)"),
        ([0, 1], [1, 2], -1, r"'window' .* an int in the range \[0, inf\)"),
        ([0, 1], [1, 2], 2.0, "'window' .* Got 2.0"),
        ([0, 1], [1, 2], None, "'window' .* Got None"),
    ],
)
def test_invalid_arguments_raise(score, y, scores, window, message):
    with pytest.raises(ValueError, match=message):
        score(y, scores, window=window)
