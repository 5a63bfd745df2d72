"""Every public estimator keeps scikit-learn's promises; no check is expected to fail."""

from __future__ import annotations

import pytest
from estimator_cases import SIZES, checkpoint
from sklearn.utils.estimator_checks import parametrize_with_checks

from sktspulse import (
    TSLens,
    TSPulseClassifier,
    TSPulseConfig,
    TSPulsePretrainer,
    TSPulseRegressor,
    TSPulseRetriever,
    TSPulseTransformer,
)

# The checks of scikit-learn are about tables of few columns.
pytestmark = [
    pytest.mark.filterwarnings("ignore:X is read as:UserWarning"),
    pytest.mark.usefixtures("few_trees"),
]
NETWORK = {"checkpoint": checkpoint()}
FINE_TUNED = {"strategy": TSLens(max_epochs=12, lr=0.02, batch_size=32), **NETWORK}
ESTIMATORS = [
    TSPulseClassifier(**NETWORK),
    TSPulseClassifier(**FINE_TUNED),
    TSPulseRegressor(**NETWORK),
    TSPulseRegressor(**FINE_TUNED),
    TSPulseRetriever(**NETWORK),
    TSPulseRetriever(2, metric="cosine", channels="mean", store="int8", **NETWORK),
    TSPulsePretrainer(TSPulseConfig(**SIZES), max_epochs=1, steps_per_epoch=2, batch_size=4),
    TSPulseTransformer(**NETWORK),
    TSPulseTransformer("all", channels="mean", batch_size=5, **NETWORK),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimators_pass_every_check(estimator, check):
    check(estimator)
