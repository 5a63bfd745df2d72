"""Every public estimator keeps scikit-learn's promises; no check is expected to fail."""

from __future__ import annotations

import os

import pytest
import torch
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
from sktspulse.network.checkpoints import save_checkpoint
from sktspulse.network.tspulse import TSPulse

TINY = TSPulseConfig(
    context_length=64,
    d_model=4,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=16,
    forecast_length=4,
)
# The checks of scikit-learn are about tables of few columns.
pytestmark = pytest.mark.filterwarnings("ignore:X is read as:UserWarning")
CHECKPOINT = f"{os.environ['SKTSPULSE_TEST_FOLDER']}/checks.safetensors"
with torch.random.fork_rng():
    torch.manual_seed(0)
    save_checkpoint(TSPulse(TINY), CHECKPOINT)
FINE_TUNED = {"strategy": TSLens(max_epochs=20, lr=0.01), "checkpoint": CHECKPOINT}
ESTIMATORS = [
    TSPulseClassifier(),
    TSPulseClassifier(**FINE_TUNED),
    TSPulseRegressor(),
    TSPulseRegressor(**FINE_TUNED),
    TSPulseRetriever(),
    TSPulseRetriever(2, metric="cosine", channels="mean", store="int8"),
    TSPulsePretrainer(TINY, max_epochs=1, steps_per_epoch=2, batch_size=4),
    TSPulseTransformer(),
    TSPulseTransformer("all", channels="mean", batch_size=5),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimators_pass_every_check(estimator, check):
    check(estimator)
