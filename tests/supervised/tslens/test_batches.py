"""Batches of labelled windows: cutting, hiding points, averaging, holding out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.supervised.tslens.batches import (
    MaskedCollate,
    average_windows,
    cut_panel,
    validation_mask,
)


def draw(n=6, n_channels=2):
    """Draw examples, the first point of each missing."""
    x = torch.randn(n, n_channels, 32)
    x[:, :, 0] = torch.nan
    return list(zip(x, torch.randn(n, 4), torch.arange(n), torch.ones(n), strict=True))


def collate(mask_fraction, seed=0):
    return MaskedCollate(mask_fraction, 4, torch.Generator().manual_seed(seed))


def test_nothing_is_hidden_without_a_fraction():
    examples = draw()
    inputs, truth = collate(0)(examples)
    assert inputs["x"].shape == (6, 2, 32)
    assert not inputs["x"][:, :, 0].any()
    expected = torch.ones(6, 2, 32, dtype=torch.bool)
    expected[:, :, 0] = False
    assert (inputs["observed"] == expected).all()
    assert truth["targets"].tolist() == list(range(6))
    assert truth["weights"].tolist() == [1] * 6


def test_other_points_are_hidden_each_time_the_same_in_all_channels():
    examples, hide = draw(), collate(0.5)
    first, second = (hide(examples)[0]["observed"] for _ in range(2))
    assert (first[:, 0] == first[:, 1]).all()
    assert not first[:, :, 0].any()
    assert (first.sum(-1) >= 15).all()
    assert (first.sum(-1) <= 16).all()
    assert (first != second).any()
    assert (collate(0.5)(examples)[0]["observed"] == first).all()


def test_windows_know_their_series():
    panel = [np.random.default_rng(i).normal(size=(2, n)) for i, n in enumerate((20, 80, 33))]
    windows, owners = cut_panel(panel, 32, "sliding")
    assert windows.shape == (len(owners), 2, 32)
    assert np.unique(owners).tolist() == [0, 1, 2]
    assert np.isnan(windows[owners == 0]).sum() == 2 * 12
    windows, owners = cut_panel(panel, 32, "resample")
    assert (windows.shape, owners.tolist()) == ((3, 2, 32), [0, 1, 2])


def test_outputs_are_averaged_by_series():
    owners = np.array([0, 0, 1, 2, 2, 2])
    outputs = np.random.default_rng(0).normal(size=(6, 3))
    expected = [outputs[owners == i].mean(0) for i in range(3)]
    np.testing.assert_allclose(average_windows(outputs, owners), expected)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.sampled_from([0.1, 0.2, 0.5]))
def test_every_class_gives_its_share_and_keeps_a_member(counts, fraction):
    codes = np.repeat(np.arange(len(counts)), counts)
    chosen = validation_mask(codes, fraction, np.random.default_rng(0))
    left = np.bincount(codes[~chosen], minlength=len(counts))
    assert (left >= 1).all()
    shares = np.bincount(codes[chosen], minlength=len(counts))
    for count, share in zip(counts, shares, strict=True):
        assert share == 0 if count == 1 else abs(share - fraction * count) <= 1
    candidates = sum(count for count in counts if count > 1)
    assert abs(chosen.sum() - fraction * candidates) <= 1


def test_numbers_are_chosen_over_their_range():
    targets = np.random.default_rng(0).permutation(np.arange(100.0))[:, None]
    chosen = validation_mask(targets, 0.2, np.random.default_rng(1))
    assert chosen.sum() == 20
    assert np.diff(np.sort(targets[chosen, 0])).max() <= 5
    again = validation_mask(targets, 0.2, np.random.default_rng(1))
    assert (chosen == again).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_chooses_among_equals(seed):
    first, other = (
        validation_mask(np.zeros((100, 1)), 0.2, np.random.default_rng(s)) for s in (seed, 9)
    )
    assert first.sum() == other.sum() == 20
    assert (first != other).any()
