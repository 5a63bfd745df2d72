"""Losses equal their slow twins, ignore missing points, and are never NaN."""

from __future__ import annotations

import math

import naive
import naive_losses
import pytest
import torch

from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.losses import (
    PretrainingLoss,
    agreement,
    alignment,
    masked_mse,
    needs_pairs,
    series_weights,
    signature_cross_entropy,
)

CONFIG = TSPulseConfig(
    context_length=32,
    patch_length=4,
    d_model=4,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=16,
    forecast_length=3,
)


@pytest.fixture
def batch():
    """Five windows: whole, with missing values, constant, all hidden, with no future."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((5, 1, 32), generator=generator).cumsum(-1)
    future = torch.randn((5, 1, 3), generator=generator)
    x[2] = 3.0
    known = torch.ones_like(x, dtype=torch.bool)
    known[1, :, 5:11] = False
    observed = (torch.rand(x.shape, generator=generator) > 0.4) & known
    observed[3] = False
    future[4] = torch.nan
    return x * known, known, observed, future


@pytest.fixture
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TSPulse(CONFIG)


def losses_of(network, x, known, observed, future):
    prediction = network(x, observed)
    criterion = PretrainingLoss(CONFIG, {})
    return prediction, criterion.head_losses(prediction, x, known, observed, future)


def scaled(prediction, values):
    encoding = prediction.encoding
    return ((values - encoding.loc) / encoding.scale).flatten().tolist()


def test_reconstruction_losses_equal_their_twin(network, batch):
    x, known, observed, _ = batch
    prediction, losses = losses_of(network, *batch)
    hidden = (known & ~observed).flatten().tolist()
    for head in ("time", "frequency"):
        values = prediction.heads[head].flatten().tolist()
        target = scaled(prediction, x)
        expected = naive_losses.masked_mse(
            values, target, hidden, naive_losses.series_weights(target, known, 32)
        )
        assert losses[head].item() == pytest.approx(expected, rel=1e-4)


def test_the_forecast_loss_equals_its_twin(network, batch):
    prediction, losses = losses_of(network, *batch)
    values = prediction.heads["forecast"].flatten().tolist()
    target, there = scaled(prediction, batch[3]), batch[3].isfinite()
    weights = naive_losses.series_weights(target, there, 3)
    expected = naive_losses.masked_mse(values, target, there.flatten().tolist(), weights)
    assert losses["forecast"].item() == pytest.approx(expected, rel=1e-4)


def test_spectral_losses_equal_their_twins(network, batch):
    x, known = batch[:2]
    prediction, losses = losses_of(network, *batch)
    target = torch.where(known, torch.tensor(scaled(prediction, x)).view_as(x), 0)[:, 0].tolist()
    entropies = [
        naive_losses.cross_entropy(predicted.tolist(), naive.signature(series, 16, "log"))
        for predicted, series in zip(prediction.heads["signature"][:, 0], target, strict=True)
    ]
    assert losses["signature"].item() == pytest.approx(sum(entropies) / 5, rel=1e-4)
    coefficients = [v for series in target for v in naive.spectrum(series, 1e-3)[0]]
    values = prediction.heads["spectrum"].flatten().tolist()
    expected = naive_losses.masked_mse(values, coefficients, [True] * len(values))
    assert losses["spectrum"].item() == pytest.approx(expected, rel=1e-4)


def test_cross_entropy_is_summed_over_frequencies_and_least_at_the_truth():
    target = torch.softmax(torch.linspace(0, 3, 16), 0).expand(2, 1, 16)
    entropy = naive_losses.cross_entropy(target[0, 0].log().tolist(), target[0, 0].tolist())
    assert float(signature_cross_entropy(target.log(), target)) == pytest.approx(entropy, rel=1e-5)
    uniform = torch.full_like(target, 1 / 16).log()
    assert float(signature_cross_entropy(uniform, target)) == pytest.approx(math.log(16), rel=1e-5)
    assert math.log(16) > entropy


def test_the_loss_of_an_empty_mask_is_zero():
    x = torch.ones(2, 1, 8, requires_grad=True)
    loss = masked_mse(x, torch.zeros_like(x), torch.zeros_like(x, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert x.grad.equal(torch.zeros_like(x))


def test_extreme_windows_give_finite_losses_and_gradients(network, batch):
    _, losses = losses_of(network, *batch)
    sum(losses.values()).backward()
    assert all(math.isfinite(loss.item()) for loss in losses.values())
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_missing_values_are_ignored(network, batch):
    x, known, observed, future = batch
    _, losses = losses_of(network, x, known, observed, future)
    _, others = losses_of(network, torch.where(known, x, 1e3), known, observed, future)
    assert {k: v.item() for k, v in others.items()} == {k: v.item() for k, v in losses.items()}


def test_scale_and_level_do_not_matter(network, batch):
    x, known, observed, future = batch
    keep = [0, 1, 4]  # not the constant window, whose variance is the floor
    chosen = [part[keep] for part in (x, known, observed, future)]
    _, losses = losses_of(network, *chosen)
    chosen[0], chosen[3] = 7 * chosen[0] + 100, 7 * chosen[3] + 100
    _, others = losses_of(network, *chosen)
    assert {k: v.item() for k, v in others.items()} == pytest.approx(
        {k: v.item() for k, v in losses.items()}, rel=1e-3
    )


def test_losses_follow_the_heads():
    config = TSPulseConfig(
        context_length=32,
        n_layers=1,
        n_signature_bins=0,
        forecast_length=0,
        dual_space=False,
        frequency_head=False,
    )
    network, x = TSPulse(config), torch.zeros(1, 1, 32)
    known = torch.ones_like(x, dtype=torch.bool)
    _, losses = losses_of(network, x, known, known, torch.empty(1, 1, 0))
    assert list(losses) == ["time"]


def test_the_sum_is_weighted_and_a_loss_without_a_weight_ignored(network, batch):
    x, known, observed, future = batch
    truth = {"x": x, "known": known, "observed": observed, "future": future}
    criterion = PretrainingLoss(CONFIG, {"time": 3.0, "signature": 0.5})
    total = criterion(network(x, observed), truth)
    parts = {name: loss.item() for name, loss in criterion.parts.items()}
    assert set(parts) == {"time", "frequency", "spectrum", "signature", "forecast", "loss"}
    assert total.item() == parts["loss"]
    assert parts["loss"] == pytest.approx(3 * parts["time"] + 0.5 * parts["signature"])
    assert not criterion.parts["loss"].requires_grad


def test_pairs_are_compared_if_their_losses_have_a_weight(network, batch):
    truth = dict(zip(("x", "known", "observed", "future"), (p[:4] for p in batch), strict=True))
    prediction = network(truth["x"], truth["observed"])
    registers = prediction.encoding.tokens[CONFIG.n_register_start :]
    losses = PretrainingLoss(CONFIG, {"alignment": 2.0}, n_groups=2).losses(prediction, truth)
    assert losses["loss"].item() == pytest.approx(2 * alignment(registers, 2).item())
    assert losses["agreement"].item() == pytest.approx(agreement(registers, 2).item())
    assert [needs_pairs(w) for w in ({"time": 1}, {"alignment": 0}, {"alignment": 1})] == [0, 0, 1]


def test_a_series_with_outliers_has_at_most_the_weight_of_unit_variance():
    target = torch.tensor([[[1.0, -1, 1, -1]], [[30.0, -40, 0, 0]], [[0.1, 0, 0, 0]]])
    known = torch.ones_like(target, dtype=torch.bool)
    weight = series_weights(target, known)
    assert weight.flatten().tolist() == pytest.approx([1, 4 / 2500, 1])
    assert series_weights(target, ~known).flatten().tolist() == [1, 1, 1]


@pytest.mark.parametrize("n_windows", [2, 6, 10])
def test_agreement_equals_its_twin(n_windows):
    registers = torch.randn((3, n_windows, 1, 4), generator=torch.Generator().manual_seed(0))
    vectors = registers[:, :, 0].movedim(0, 1).flatten(1).tolist()
    assert agreement(registers).item() == pytest.approx(
        naive_losses.agreement(vectors, 0.1), abs=1e-5
    )


@pytest.mark.parametrize("n_windows", [2, 6, 10])
def test_alignment_equals_its_twin(n_windows):
    registers = torch.randn((3, n_windows, 1, 4), generator=torch.Generator().manual_seed(0))
    vectors = registers[:, :, 0].movedim(0, 1).flatten(1).tolist()
    assert alignment(registers).item() == pytest.approx(naive_losses.alignment(vectors), abs=1e-5)


@pytest.mark.parametrize("loss", [agreement, alignment])
def test_losses_of_pairs_are_averaged_over_groups(loss):
    registers = torch.randn((3, 12, 1, 4), generator=torch.Generator().manual_seed(0))
    first, second = registers.split(6, 1)
    parts = [torch.cat([first[:, i : i + 2], second[:, i : i + 2]], 1) for i in (0, 2, 4)]
    expected = sum(loss(part).item() for part in parts) / 3
    assert loss(registers, 3).item() == pytest.approx(expected, abs=1e-5)
    assert loss(registers, 1).item() != pytest.approx(expected, abs=1e-3)


def test_agreement_is_least_where_partners_are_alike_and_others_are_not():
    one = torch.eye(8).view(8, 1, 1, 8).movedim(0, 1)[:, :4]
    alike = agreement(torch.cat([one, one], 1))
    mistaken = agreement(torch.cat([one, one.flip(1)], 1))
    blank = agreement(torch.ones(1, 8, 1, 8))
    assert alike < 0.01 < blank < mistaken
    assert blank.item() == pytest.approx(math.log(7))
    pairs = torch.cat([one, one], 1)
    assert agreement(5 * pairs + 3).item() == pytest.approx(alike.item(), abs=1e-5)


def test_alignment_is_the_fraction_of_variance_between_crops_of_a_series():
    generator = torch.Generator().manual_seed(0)
    recordings = torch.randn((1, 500, 1, 40), generator=generator).repeat(1, 2, 1, 1)
    crops = torch.randn((1, 1000, 1, 40), generator=generator)
    assert alignment(recordings) == 0
    assert alignment(crops).item() == pytest.approx(1, abs=0.05)
    assert alignment(5 * (recordings + crops) + 3).item() == pytest.approx(0.5, abs=0.03)
    assert alignment(torch.ones(1, 8, 1, 8)) == 0
