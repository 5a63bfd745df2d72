"""Every public estimator keeps scikit-learn's promises; no check is expected to fail."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from sktspulse import TSPulseTransformer

ESTIMATORS = [
    TSPulseTransformer(),
    TSPulseTransformer("all", channels="mean", batch_size=5),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimators_pass_every_check(estimator, check):
    check(estimator)
