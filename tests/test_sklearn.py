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


def fine_tuned(max_epochs):
    return {"strategy": TSLens(max_epochs=max_epochs, lr=0.04, batch_size=32), **NETWORK}


ESTIMATORS = [
    TSPulseClassifier(**NETWORK),
    TSPulseClassifier(**fine_tuned(4)),
    TSPulseRegressor(**NETWORK),
    TSPulseRegressor(**fine_tuned(8)),
    TSPulseRetriever(**NETWORK),
    TSPulseRetriever(2, metric="cosine", channels="mean", store="int8", **NETWORK),
    TSPulsePretrainer(TSPulseConfig(**SIZES), max_epochs=1, steps_per_epoch=2, batch_size=4),
    TSPulseTransformer(**NETWORK),
    TSPulseTransformer("all", channels="mean", batch_size=5, **NETWORK),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimators_pass_every_check(estimator, check):
    check(estimator)
