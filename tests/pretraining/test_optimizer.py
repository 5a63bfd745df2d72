"""The optimizer agrees with those of torch, and resumes exactly."""

from __future__ import annotations

import io

import pytest
import torch

from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.optimizer import MuonAdamW, orthogonalize, split_parameters

SHAPES = [(6, 4), (4, 6), (6, 4), (5,), ()]


def parameters():
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def train(values, optimizers, steps):
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for p in values:
            p.grad = torch.randn(p.shape, generator=generator)
        for optimizer in optimizers:
            optimizer.step()


@pytest.mark.parametrize("shape", [(3, 8, 5), (3, 5, 8), (1, 6, 6)])
def test_singular_values_move_near_one_and_vectors_stay(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    result = orthogonalize(matrices).float()
    u, _, vh = torch.linalg.svd(matrices, full_matrices=False)
    inner = u.mT @ result @ vh.mT
    singular = inner.diagonal(dim1=-2, dim2=-1)
    assert ((singular > 0.3) & (singular < 1.4)).all()
    assert (inner - torch.diag_embed(singular)).abs().max() < 0.1


def test_zero_matrices_stay_zero():
    assert not orthogonalize(torch.zeros(2, 3, 4)).any()


def test_vectors_are_updated_as_by_adamw():
    ours, theirs = parameters(), parameters()
    settings = {"lr": 0.01, "weight_decay": 0.1, "betas": (0.9, 0.95)}
    train(ours, [MuonAdamW([], ours, **settings)], range(20))
    train(theirs, [torch.optim.AdamW(theirs, **settings)], range(20))
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_matrices_are_updated_as_by_muon():
    ours, theirs = parameters()[:3], parameters()[:3]
    train(ours, [MuonAdamW(ours, [], lr=0.01, weight_decay=0.1)], range(20))
    settings = {"lr": 0.01, "weight_decay": 0.1, "momentum": 0.95}
    muon = torch.optim.Muon(theirs, adjust_lr_fn="match_rms_adamw", **settings)
    train(theirs, [muon], range(20))
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=5e-3)


def test_a_restored_optimizer_continues_exactly():
    whole, halved = parameters(), parameters()
    train(whole, [MuonAdamW(whole[:3], whole[3:], 0.01)], range(8))
    first = MuonAdamW(halved[:3], halved[3:], 0.01)
    train(halved, [first], range(4))
    content = io.BytesIO()
    torch.save(first.state_dict(), content)
    content.seek(0)
    second = MuonAdamW(halved[:3], halved[3:], 0.5)
    second.load_state_dict(torch.load(content, weights_only=True))
    train(halved, [second], range(4, 8))
    assert all(p.equal(q) for p, q in zip(whole, halved, strict=True))


def test_a_parameter_without_a_gradient_is_not_changed():
    values = parameters()
    before = [p.detach().clone() for p in values]
    MuonAdamW(values[:3], values[3:], 0.01).step()
    assert all(p.equal(q) for p, q in zip(values, before, strict=True))


def test_every_parameter_has_one_rule():
    network = TSPulse(TSPulseConfig(context_length=16, d_model=2, n_signature_bins=4))
    matrices, others = split_parameters(network)
    assert {p.ndim for p in matrices} == {2}
    assert {id(p) for p in (*matrices, *others)} == {id(p) for p in network.parameters()}
    assert len(matrices) + len(others) == len(list(network.parameters()))
    assert any(p is network.backbone.registers for p in others)
