"""Training of a TSLens: learning rate, early stopping, and the weights that are kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skorch import callbacks

from sktspulse import TSLens, TSPulseClassifier
from sktspulse.supervised.samples import Samples
from sktspulse.supervised.tasks import Classification, Regression
from sktspulse.supervised.tslens.batches import validation_mask
from sktspulse.supervised.tslens.training import MomentScaler, TSLensModel

QUICK = {"max_epochs": 12, "lr": 0.02, "batch_size": 8, "n_iter_no_change": 12}


def draw(n=36, n_channels=2, seed=0, shift=4.0):
    """Draw noise of two classes that differ in their level."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, n_channels, 40)) + shift * y[:, None, None]
    return Samples(list(X), y, np.ones(n))


def train(network, samples, seed=0, **options):
    task = Classification.fit(samples.y, samples.weights)
    options = TSLens(**QUICK | options)
    return TSLensModel.fit(
        options, network, samples, task, windowing="resample", seed=seed, verbose=0
    )


def outputs(model, network, samples):
    return model.outputs(network, samples.X, 16, None)


@pytest.mark.parametrize("fine_tune_embeddings", [False, True])
def test_it_learns_and_leaves_the_network_alone(network, fine_tune_embeddings):
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    model = train(network, draw(), fine_tune_embeddings=fine_tune_embeddings)
    new = draw(seed=1)
    assert ((outputs(model, network, new)[:, 0] > 0) == new.y).all()
    assert model.history["train_loss"][-1] < 0.5 * model.history["train_loss"][0]
    assert all((weight == before[name]).all() for name, weight in network.state_dict().items())
    assert any("embedding" in name for name in model.weights) == fine_tune_embeddings


def test_the_best_weights_are_kept(network):
    samples = draw(shift=1)
    model = train(network, samples, lr=1.0)
    losses = model.history["valid_loss"]
    held_out = samples.take(validation_mask(samples.y, 0.2, np.random.default_rng(0)))
    logits = outputs(model, network, held_out) / model.factor
    loss = Classification(1).validation_loss(logits, held_out.y, held_out.weights)
    assert loss == pytest.approx(min(losses), rel=1e-4)
    assert min(losses) < losses[-1]


def test_training_stops_when_nothing_improves(network):
    samples = draw(shift=0)
    model = train(network, samples, max_epochs=40, n_iter_no_change=2, lr=0.1)
    losses = model.history["valid_loss"]
    assert len(losses) < 40
    assert len(losses) - 1 - int(np.argmin(losses)) == 2


def test_the_learning_rate_rises_and_falls_to_nothing(network):
    rates = train(network, draw(), max_epochs=20, lr=0.01, n_iter_no_change=20).history["lr"]
    peak = int(np.argmax(rates))
    assert 4 <= peak <= 7
    assert 0.009 < rates[peak] <= 0.01
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    assert rates[-1] < 1e-5


def test_the_seed_and_nothing_else_decides_and_the_global_generator_is_left_alone(network):
    samples = draw()
    torch.manual_seed(7)
    state = torch.random.get_rng_state()
    one = train(network, samples)
    assert (torch.random.get_rng_state() == state).all()
    torch.manual_seed(8)
    other, third = train(network, samples), train(network, samples, seed=1)
    assert all((one.weights[name] == other.weights[name]).all() for name in one.weights)
    assert any((one.weights[name] != third.weights[name]).any() for name in one.weights)


def test_series_of_more_weight_count_more(network):
    samples = draw(shift=0)
    light = np.where(samples.y == 1, 1.8, 0.2)
    means = [
        outputs(train(network, samples._replace(weights=w)), network, samples).mean()
        for w in (light, 2 - light)
    ]
    assert means[0] > means[1]


def test_regression_is_brought_back_to_the_units_of_the_target(network):
    samples = draw()
    y = 1e3 * samples.y[:, None] + 5e4
    task = Regression.fit(y, samples.weights)
    options = TSLens(**QUICK | {"max_epochs": 25})
    model = TSLensModel.fit(
        options, network, samples._replace(y=y), task, windowing="resample", seed=0, verbose=0
    )
    assert np.abs(outputs(model, network, samples) - y).mean() < 300


def test_moments_have_mean_0_and_variance_1_and_constants_are_0():
    samples = draw()
    panel = [np.vstack([one, np.ones((1, 40))]) for one in samples.X]
    moments = MomentScaler.fit(panel, samples.weights)(panel)
    assert moments.shape == (36, 6)
    np.testing.assert_allclose(moments.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(moments[:, [0, 1, 3, 4]].std(0), 1)
    assert not moments[:, [2, 5]].any()


@pytest.mark.parametrize("lr", [1e3, 1e6, 1e30])
def test_a_far_too_large_rate_is_an_error_with_a_remedy(lr, checkpoint):
    X, y = np.random.default_rng(0).normal(size=(20, 1, 40)), np.arange(20) % 2
    model = TSPulseClassifier(TSLens(5, lr=lr), checkpoint=checkpoint, random_state=0)
    with pytest.raises(ValueError, match=r"diverged: .*Lower lr, which is"):
        model.fit(X, y)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(
    ("callback", "works"),
    [
        (callbacks.EpochScoring("accuracy", lower_is_better=False), False),
        (callbacks.InputShapeSetter(), False),
        (callbacks.PassthroughScoring("valid_loss"), True),
        (callbacks.EarlyStopping(patience=9, sink=lambda _: None), True),
    ],
)
def test_callbacks_of_skorch_work_or_are_refused_by_name(callback, works, checkpoint):
    X, y = np.random.default_rng(0).normal(size=(20, 1, 40)), np.arange(20) % 2
    strategy = TSLens(2, callbacks=[callback])
    model = TSPulseClassifier(strategy, checkpoint=checkpoint, random_state=0)
    if works:
        assert model.fit(X, y).n_iter_ == 2
    else:
        with pytest.raises(ValueError, match=f"callbacks .*{type(callback).__name__}.* failed"):
            model.fit(X, y)
