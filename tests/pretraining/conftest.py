"""A small network and its batches, for tests of several modules."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.network.config import TSPulseConfig
from sktspulse.pretraining.batches import MaskedBatches, random_mask
from sktspulse.pretraining.corpus import Corpus, WindowStream
from sktspulse.pretraining.options import WindowSampling

CONFIG = TSPulseConfig(
    context_length=64,
    d_model=4,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=16,
    forecast_length=4,
)


@pytest.fixture(scope="session")
def config():
    return CONFIG


@pytest.fixture
def batches():
    return make_batches


def make_batches(
    rank=0, mask_fraction=(0.1, 0.5), n_timepoints=300, *, length=68, n_windows=32, augment=True
):
    series = np.random.default_rng(0).standard_normal((5, n_timepoints)).cumsum(1)
    series[0, 50:90] = np.nan
    sampling = WindowSampling(
        mask_fraction=mask_fraction,
        block_fraction=(0.0, 1.0),
        resolutions=(1, 2, 4, 8),
        augment=augment,
    )
    corpus = Corpus.from_series(series)
    stream = WindowStream(corpus, length, n_windows, sampling, 3, n_processes=2)
    return MaskedBatches(stream, CONFIG, random_mask(sampling, CONFIG), rank)
