from __future__ import annotations

import naive_metrics
import numpy as np
import pytest
from hypothesis import given
from metrics.metric_cases import cases, recording
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, make_scorer

from sktspulse.metrics import (
    affiliation_precision_score,
    affiliation_recall_score,
    range_precision_score,
    range_recall_score,
)

# Seed and points of a recording, predicted anomalous if its scores exceed 1; range-based precision
# and recall, affiliation precision and recall, and AUC-PR of TSB-AD 1.5.
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


RANGES = (
    range_precision_score,
    range_recall_score,
    affiliation_precision_score,
    affiliation_recall_score,
)
each_range = pytest.mark.parametrize("score", RANGES)


def all_scores(y, predicted):
    return [score(y, predicted) for score in RANGES]


@pytest.mark.parametrize(("seed", "n", "expected"), PUBLISHED_RANGES)
def test_values_equal_those_of_the_benchmark(seed, n, expected):
    y, scores = recording(seed, n)
    values = [*all_scores(y, scores > 1), average_precision_score(y, scores)]
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9)


@given(cases())
def test_values_equal_those_of_loops(case):
    y, predicted = case[0].tolist(), (case[1] > case[1].mean()).astype(int).tolist()
    expected = [
        naive_metrics.range_recall(predicted, y, 0),
        naive_metrics.range_recall(y, predicted, 0.2),
        *naive_metrics.affiliation(y, predicted),
    ]
    np.testing.assert_allclose(all_scores(y, predicted), expected, rtol=0, atol=1e-9)


@given(cases())
def test_values_are_the_same_backwards_in_time(case):
    y, predicted = case[0], case[1] > case[1].mean()
    np.testing.assert_allclose(
        all_scores(y, predicted), all_scores(y[::-1], predicted[::-1]), atol=1e-12
    )


@given(cases())
def test_values_lie_between_zero_and_one(case):
    assert all(-1e-12 <= value <= 1 + 1e-12 for value in all_scores(case[0], case[1] > 0))


@each_range
@given(case=cases())
def test_perfect_predictions_score_one_and_none_score_zero(score, case):
    assert score(case[0], case[0]) == pytest.approx(1)
    assert score(case[0], 0 * case[0]) == 0


def test_alpha_rewards_detection():
    y, predicted = [1, 1, 1, 1, 0, 1], [1, 0, 0, 0, 0, 0]
    assert range_recall_score(y, predicted, alpha=1) == 0.5
    assert range_recall_score(y, predicted, alpha=0) == 0.125


def test_fragmented_predictions_score_less():
    y = [1, 1, 1, 1, 1, 0]
    assert range_recall_score(y, [1, 1, 0, 1, 1, 0]) < range_recall_score(y, [1, 1, 1, 1, 0, 0])


@each_range
def test_far_is_worse_than_near(score):
    y = np.zeros(300, int)
    y[100:110] = 1
    assert score(y, np.roll(y, 3)) > score(y, np.roll(y, 120))


@each_range
def test_labels_of_outlier_detectors_give_the_same_values(score):
    y, scores = recording(0, 60)
    expected = score(y, scores > 1)
    other = score(1 - 2 * y, np.where(scores > 1, -1, 1), pos_label=-1)
    assert other == expected
    assert type(expected) is float


def test_scorers_of_an_estimator():
    X, y = recording(2, 400)[1][:, None], recording(2, 400)[0]
    model = LogisticRegression().fit(X, y)
    for score in RANGES:
        assert make_scorer(score)(model, X, y) == score(y, model.predict(X))


@each_range
@pytest.mark.parametrize(
    ("y", "predicted", "pos_label", "message"),
    [
        ([0, 1, 0], [1, 0], 1, r"inconsistent numbers of samples: \[3, 2\]"),
        ([0, 0], [1, 0], 1, "y_true is never 1, .* Leave this series out"),
        ([1, 1], [1, -1], -1, "y_true is never -1"),
        ([0, 1], [1, -1], 1, r"y_pred contains \[-1.0, 1.0\], .* should be 0 and 1"),
        ([0, 1], [1, 0], -1, r"y_true contains \[0.0, 1.0\], .* should be -1 and 1"),
        ([0, 1], [1, 0], 2, "'pos_label' .* Got 2"),
        ([0, 1], [1, np.nan], 1, "Input y_pred contains NaN"),
    ],
)
def test_invalid_arguments_raise(score, y, predicted, pos_label, message):
    with pytest.raises(ValueError, match=message):
        score(y, predicted, pos_label=pos_label)


@pytest.mark.parametrize("alpha", [-0.1, 1.5, "much"])
def test_alpha_out_of_range_raises(alpha):
    with pytest.raises(
        ValueError, match="'alpha' parameter of range_recall_score must be a float in"
    ):
        range_recall_score([0, 1], [0, 1], alpha=alpha)
