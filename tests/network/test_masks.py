"""Masks hide exactly what they are asked to, and depend on nothing but shape and generator."""

from __future__ import annotations

import naive
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.network.masks import block_mask, gap_mask, hybrid_mask, point_mask


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@given(n_hidden=st.integers(0, 24), seed=st.integers(0, 99))
def test_point_mask_hides_the_number_asked_for(n_hidden, seed):
    observed = point_mask((3, 2, 24), n_hidden, seeded(seed))
    assert observed.dtype == torch.bool
    assert ((~observed).sum(-1) == n_hidden).all()


@given(n_hidden=st.integers(0, 6), seed=st.integers(0, 99))
def test_block_mask_hides_whole_patches(n_hidden, seed):
    patches = block_mask((3, 2, 24), n_hidden, 4, seeded(seed)).unflatten(-1, (6, 4))
    assert (patches.all(-1) ^ (~patches).all(-1)).all()
    assert ((~patches).all(-1).sum(-1) == n_hidden).all()


@given(ratio=st.floats(0, 1, width=32), share=st.floats(0, 1, width=32), seed=st.integers(0, 99))
def test_hybrid_mask_equals_its_twin(ratio, share, seed):
    observed = hybrid_mask((5, 1, 48), torch.tensor(ratio), 8, seeded(seed), torch.tensor(share))
    generator = seeded(seed)
    patches = torch.rand((5, 1, 6), generator=generator)[:, 0].tolist()
    points = torch.rand((5, 1, 48), generator=generator)[:, 0].tolist()
    expected = [
        naive.hybrid_mask(*scores, ratio, 8, share) for scores in zip(patches, points, strict=True)
    ]
    # A product that single precision rounds up to a whole number may count one point more.
    assert abs((~observed).sum() - sum(row.count(False) for row in expected)) <= len(expected)
    if (ratio * 48) % 1 and (int(ratio * 48) * share / 8) % 1:
        assert observed[:, 0].tolist() == expected


@given(ratio=st.floats(0, 1, width=32), seed=st.integers(0, 99))
def test_gap_mask_hides_one_stretch_of_the_length_asked_for(ratio, seed):
    observed = gap_mask((6, 2, 40), ratio, seeded(seed))
    assert ((~observed).sum(-1) == int(ratio * 40)).all()
    assert (observed.int().diff(dim=-1) == -1).sum(-1).max() <= 1
    assert (observed.int().diff(dim=-1) == 1).sum(-1).max() <= 1


def test_a_gap_lies_anywhere():
    observed = gap_mask((2000, 1, 16), 0.25, seeded())
    starts = (~observed).int().argmax(-1).flatten().bincount()
    assert len(starts) == 13
    assert starts.min() > 100


def test_ratio_and_share_may_differ_between_windows():
    ratio = torch.tensor([0.0, 0.25, 0.5, 1.0])[:, None, None]
    share = torch.tensor([1.0, 1.0, 0.0, 0.5])[:, None, None]
    observed = hybrid_mask((4, 1, 64), ratio, 8, seeded(), share)
    assert (~observed).sum(-1).flatten().tolist() == [0, 16, 32, 64]
    whole = (~observed).unflatten(-1, (8, 8)).all(-1).sum(-1).flatten().tolist()
    assert whole[1] == 2
    assert whole[2] < 4


@pytest.mark.parametrize("mask", [point_mask, lambda s, n, g: block_mask(s, n, 4, g)])
def test_every_place_is_hidden_as_often(mask):
    hidden = ~mask((4000, 1, 16), 4 if mask is point_mask else 1, seeded())
    assert hidden.float().mean(0) == pytest.approx(torch.full((1, 16), 0.25), abs=0.035)


def test_the_generator_alone_decides():
    before = torch.random.get_rng_state()
    masks = [hybrid_mask((4, 1, 64), 0.5, 8, seeded(seed)) for seed in (1, 1, 2)]
    assert masks[0].equal(masks[1])
    assert not masks[0].equal(masks[2])
    assert torch.random.get_rng_state().equal(before)
