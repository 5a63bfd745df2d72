"""Classification and regression as TSLens sees them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from sktspulse.supervised.tasks import Classification, Regression


def draw(n=400, n_classes=3, seed=0):
    """Draw classes and informative logits."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n)
    return codes, rng.normal(size=(n, n_classes)) + 3 * np.eye(n_classes)[codes], np.ones(n)


@pytest.mark.parametrize("factor", [0.2, 1, 5])
def test_the_confidence_of_logits_has_no_effect(factor):
    codes, logits, weights = draw(2000)
    task = Classification.fit(codes, weights)
    losses, calibrated = [], []
    for found in (logits, factor * logits):
        scale, shift = task.output_scale(found, codes, weights)
        calibrated.append(found * scale + shift)
        losses.append(task.validation_loss(found, codes, weights))
    np.testing.assert_allclose(*calibrated, rtol=0.05, atol=0.05)
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    best = log_softmax(calibrated[0], axis=1)[np.arange(2000), codes].mean()
    assert losses[0] == pytest.approx(-best, rel=0.05)


def test_weights_are_repetition():
    codes, logits, _ = draw(60)
    weights = np.random.default_rng(1).integers(0, 4, 60)
    repeated = np.repeat(np.arange(60), weights)
    task, ones = Classification(3), np.ones(len(repeated))
    pair = (codes[repeated], ones), (codes, weights.astype(float))
    found = logits[repeated], logits
    losses = [task.validation_loss(f, *p) for f, p in zip(found, pair, strict=True)]
    assert losses[0] == pytest.approx(losses[1])
    targets = logits[:, :1]
    one, other = Regression.fit(targets[repeated], ones), Regression.fit(targets, pair[1][1])
    np.testing.assert_allclose(one, other)


def test_two_classes_have_one_logit():
    task = Classification.fit(np.array([0, 1, 1]), np.ones(3))
    assert task.n_outputs == 1
    assert Classification.fit(np.array([0, 1, 2]), np.ones(3)).n_outputs == 3
    outputs, codes = torch.tensor([[0.3], [-2.0]]), np.array([1, 0])
    both = torch.cat([torch.zeros(2, 1), outputs], 1)
    expected = torch.nn.functional.cross_entropy(both, torch.tensor([1, 0]), reduction="none")
    torch.testing.assert_close(task.loss(outputs, task.encode(codes)), expected)


def test_numbers_are_standardised_and_brought_back():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(50, 2)) * [1e-6, 1e6] + [3, -1e7]
    targets[:, 1] = 5
    task = Regression.fit(targets, np.ones(50))
    assert task.n_outputs == 2
    scaled = task.encode(targets).double().numpy()
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(0), [1, 0], atol=1e-5)
    factor, shift = task.output_scale(scaled, targets, np.ones(50))
    np.testing.assert_allclose(scaled * factor + shift, targets, rtol=1e-6)


def test_the_error_is_averaged_over_outputs():
    task = Regression.fit(np.zeros((2, 2)), np.ones(2))
    outputs, targets = np.array([[1.0, 3], [0, 0]]), np.zeros((2, 2))
    assert task.validation_loss(outputs, targets, np.array([3.0, 1])) == 3.75
    losses = task.loss(torch.from_numpy(outputs), torch.from_numpy(targets))
    assert losses.tolist() == [5, 0]
