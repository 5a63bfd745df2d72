"""A fine-tuned network fits its series better, and never worse than before."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sktspulse.network.config import TSPulseConfig
from sktspulse.network.masks import hybrid_mask
from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.fine_tuning import FineTuner
from sktspulse.pretraining.losses import PretrainingLoss

CONFIG = TSPulseConfig(
    context_length=64,
    d_model=8,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=16,
    forecast_length=4,
)


def mask(shape, generator):
    return hybrid_mask(shape, 0.4, 8, generator)


def tuner(**settings):
    defaults = {"n_steps": 60, "steps_per_check": 20, "batch_size": 8, "lr": 3e-3, "seed": 1}
    weights = {"time": 1.0, "frequency": 1.0}
    return FineTuner(
        **{"mask": mask, "loss_weights": weights, "bfloat16": False} | defaults | settings
    )


def waves(n_series=3, n_timepoints=600):
    t, rng = np.arange(n_timepoints), np.random.default_rng(0)
    rows = [np.sin(t / (4 + i)) + 0.1 * rng.standard_normal(n_timepoints) for i in range(n_series)]
    rows[0][100:140] = np.nan
    return rows


@pytest.fixture
def network():
    return TSPulse(CONFIG).eval().requires_grad_(False)


def weights_of(network):
    return torch.cat([part.flatten() for part in network.state_dict().values()])


def test_the_validation_loss_falls_and_the_best_network_is_kept(network):
    before, one = weights_of(network).clone(), tuner()
    tuned = one.fine_tune(network, waves())
    assert min(one.validation_losses) < 0.8 * one.validation_losses[0]
    assert torch.equal(weights_of(network), before)
    assert not tuned.training
    assert not any(p.requires_grad for p in tuned.parameters())
    validation = one._split(CONFIG, waves())[1]
    kept = one._validation_loss(tuned, validation, PretrainingLoss(CONFIG, one.loss_weights))
    assert kept == pytest.approx(min(one.validation_losses))


def test_the_given_network_is_kept_if_none_is_better(network):
    one = tuner(lr=100.0, patience=2)
    tuned = one.fine_tune(network, waves())
    assert len(one.validation_losses) == 3
    assert torch.equal(weights_of(tuned), weights_of(network))


def test_the_seed_determines_the_result_and_global_generators_are_not_used(network):
    state = torch.get_rng_state()
    first, second, other = (
        tuner(seed=seed, n_steps=20).fine_tune(network, waves()) for seed in (1, 1, 2)
    )
    assert torch.equal(weights_of(first), weights_of(second))
    assert not torch.equal(weights_of(first), weights_of(other))
    assert torch.equal(torch.get_rng_state(), state)


def test_units_do_not_matter(network):
    plain = tuner(n_steps=20)
    plain.fine_tune(network, waves())
    scaled = tuner(n_steps=20)
    scaled.fine_tune(network, [1e6 * (one + 3) for one in waves()])
    np.testing.assert_allclose(scaled.validation_losses, plain.validation_losses, rtol=1e-3)


def test_the_validation_part_is_not_trained_on(network):
    one, other = waves(), waves()
    for row in other:
        row[-int(0.2 * len(row)) :] = 0.0
    training = [tuner()._split(CONFIG, rows)[0] for rows in (one, other)]
    validation = [tuner()._split(CONFIG, rows)[1] for rows in (one, other)]
    assert all(torch.equal(training[0][i][0]["x"], training[1][i][0]["x"]) for i in range(5))
    assert not torch.equal(validation[0][0][0]["x"], validation[1][0][0]["x"])


def test_short_series_are_trained_on_and_steps_reported(network):
    reported = []
    tuned = tuner(patience=99).fine_tune(network, [row[:30] for row in waves()], reported.append)
    assert reported == [20, 20, 20]
    assert torch.isfinite(weights_of(tuned)).all()


def test_mixed_precision_is_near(network):
    losses = []
    for bfloat16 in (False, True):
        one = tuner(bfloat16=bfloat16, n_steps=20)
        one.fine_tune(network, waves())
        losses.append(one.validation_losses)
    np.testing.assert_allclose(*losses, rtol=0.1)


def test_series_without_a_known_value_are_refused(network):
    with pytest.raises(ValueError, match="none of which has a known value"):
        tuner().fine_tune(network, [np.full(100, np.nan)])
