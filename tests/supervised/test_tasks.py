"""How answers of probe and TSLens are mixed, and what is held out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from sktspulse.supervised.tasks import Classes, Mix, Numbers, hold_out


def draw(n=400, n_classes=3, seed=0):
    """Draw classes, and logits of a good and of a blind model."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n)
    good = rng.normal(size=(n, n_classes)) + 3 * np.eye(n_classes)[codes]
    return codes, good, rng.normal(size=(n, n_classes)), np.ones(n)


# --------------------------------------------------------------------------- classes


def test_the_better_model_gets_the_share():
    codes, good, blind, weights = draw()
    task = Classes(3)
    assert task.mix(good, blind, codes, weights).share < 0.3
    assert task.mix(blind, good, codes, weights).share > 0.7
    assert task.mix(None, good, codes, weights).strategy == "tslens"


def test_two_that_err_apart_are_blended_to_something_better():
    codes, good, noise, weights = draw()
    one, other = good + noise, good - noise
    mix = Classes(3).mix(one, other, codes, weights)
    assert mix.strategy == "blend"
    losses = [loss_of(logits, codes) for logits in (mix(one, other), one, other)]
    assert losses[0] < min(losses[1:])


def loss_of(logits, codes):
    return -log_softmax(logits, axis=1)[np.arange(len(codes)), codes].mean()


@pytest.mark.parametrize("factor", [0.2, 1, 5])
def test_boldness_is_mended(factor):
    codes, good, _, weights = draw(2000)
    tempered = Classes(3).mix(None, factor * good, codes, weights)
    mild = Classes(3).mix(None, good, codes, weights)
    np.testing.assert_allclose(tempered(0, factor * good), mild(0, good), rtol=0.05, atol=0.05)


def test_weights_of_held_out_series_are_repetition():
    codes, good, blind, _ = draw(60)
    weights = np.random.default_rng(1).integers(0, 4, 60)
    repeated = np.repeat(np.arange(60), weights)
    task = Classes(3)
    one = task.mix(good, blind, codes, weights.astype(float))
    other = task.mix(good[repeated], blind[repeated], codes[repeated], np.ones(len(repeated)))
    np.testing.assert_allclose(one, other, rtol=1e-6)
    losses = (
        task.held_out_loss(good, codes, weights.astype(float)),
        task.held_out_loss(good[repeated], codes[repeated], np.ones(len(repeated))),
    )
    assert losses[0] == pytest.approx(losses[1])


def test_two_classes_have_one_logit():
    task = Classes(2)
    assert task.n_outputs == 1
    outputs, codes = torch.tensor([[0.3], [-2.0]]), np.array([1, 0])
    both = torch.cat([torch.zeros(2, 1), outputs], 1)
    expected = torch.nn.functional.cross_entropy(both, torch.tensor([1, 0]), reduction="none")
    torch.testing.assert_close(task.loss(outputs, task.encode(codes)), expected)
    assert task.is_solved(outputs.numpy(), codes)
    assert not task.is_solved(outputs.numpy(), 1 - codes)


# --------------------------------------------------------------------------- numbers


def test_numbers_are_scaled_and_brought_back():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(50, 2)) * [1e-6, 1e6] + [3, -1e7]
    targets[:, 1] = 5
    task = Numbers(2)
    task.learn(targets, np.ones(50))
    scaled = task.encode(targets).double().numpy()
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(0), [1, 0], atol=1e-5)
    mix = task.mix(None, scaled, targets, np.ones(50))
    np.testing.assert_allclose(mix(0, scaled), targets, rtol=1e-6)
    assert task.is_solved(mix(0, scaled), mix(0, scaled))


def test_the_mixture_of_numbers_has_the_least_error():
    rng = np.random.default_rng(0)
    targets, noise = rng.normal(size=(200, 1)), rng.normal(size=(200, 1))
    task = Numbers(1)
    task.learn(targets, np.ones(200))
    probe, lens = targets + noise, task.encode(targets).double().numpy() - 3 * noise
    mix = task.mix(probe, lens, targets, np.ones(200))
    assert mix.share == pytest.approx(0.3, abs=0.06)
    assert mix.strategy == "blend"


def test_a_mixture_of_nothing_from_the_lens_is_the_probe():
    assert Mix(0.0).strategy == "probe"
    assert Mix(0.0)(np.array([2.0]), np.array([9.0])) == 2


# --------------------------------------------------------------------------- held out


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.sampled_from([0.1, 0.2, 0.5]))
def test_held_out_classes_are_shared_evenly_and_none_is_emptied(counts, fraction):
    codes = np.repeat(np.arange(len(counts)), counts)
    held = hold_out(codes, fraction, np.random.default_rng(0))
    left = np.bincount(codes[~held], minlength=len(counts))
    assert (left >= 1).all()
    shares = np.bincount(codes[held], minlength=len(counts))
    for count, share in zip(counts, shares, strict=True):
        assert share == 0 if count == 1 else abs(share - fraction * count) <= 1
    candidates = sum(count for count in counts if count > 1)
    assert abs(held.sum() - fraction * candidates) <= 1


def test_held_out_numbers_spread_over_their_range():
    targets = np.random.default_rng(0).permutation(np.arange(100.0))[:, None]
    held = hold_out(targets, 0.2, np.random.default_rng(1))
    assert held.sum() == 20
    assert np.diff(np.sort(targets[held, 0])).max() <= 5
    again = hold_out(targets, 0.2, np.random.default_rng(1))
    other = hold_out(np.zeros((100, 1)), 0.2, np.random.default_rng(2))
    assert (held == again).all()
    assert other.sum() == 20
