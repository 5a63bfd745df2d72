"""TSLens as the estimators use it: what it learns, what changes nothing, what is refused."""

from __future__ import annotations

import pickle
import signal

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from skorch.callbacks import Callback, EarlyStopping
from skorch.utils import noop

from sktspulse import TSLens, TSPulseClassifier, TSPulseRegressor

QUICK = TSLens(max_epochs=3, lr=0.02, batch_size=8)


@pytest.fixture(params=[TSPulseClassifier, TSPulseRegressor])
def model(request, checkpoint, few_trees):
    """Give both estimators, with a quick TSLens."""
    return request.param(clone(QUICK), checkpoint=checkpoint, batch_size=8, random_state=0)


def draw(n=24, n_channels=2, n_timepoints=40, seed=0):
    """Draw series whose level tells the class; as a number, it is the target."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = rng.normal(size=(n, n_channels, n_timepoints)) + 3 * y[:, None, None]
    return X, y


def answer(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def assert_same(one, other, X):
    np.testing.assert_array_equal(answer(one, X), answer(other, X))


# --------------------------------------------------------------------------- what changes nothing


def test_weights_are_repetition_and_the_order_has_no_effect(model):
    X, y = draw()
    weights = np.random.default_rng(0).integers(0, 4, 24)
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(24), weights))
    weighted = clone(model).fit(X, y, sample_weight=weights)
    assert_same(weighted, clone(model).fit(X[order], y[order]), X)


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_an_answer_does_not_depend_on_the_other_series(model, windowing):
    X, y = draw(n_timepoints=90)
    model.set_params(windowing=windowing).fit(X, y)
    together = answer(model, X)
    alone = np.concatenate([answer(model, one[None]) for one in X])
    np.testing.assert_allclose(alone, together, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(answer(model, X[::-1]), together[::-1], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        answer(model.set_params(batch_size=5), X), together, rtol=1e-6, atol=1e-6
    )


def test_series_go_through_the_network_in_batches(model, monkeypatch):
    X, y = draw()
    model.fit(X, y)
    sizes = []
    forward = torch.nn.Module.__call__

    def spy(module, *args, **kwargs):
        if type(module).__name__ == "TSLensNetwork":
            sizes.append(len(args[0]))
        return forward(module, *args, **kwargs)

    monkeypatch.setattr(torch.nn.Module, "__call__", spy)
    model.predict(X)
    assert sizes == [8, 8, 8]


@pytest.mark.parametrize("fine_tune_embeddings", [False, True])
def test_a_seed_gives_one_answer_and_another_seed_another(model, fine_tune_embeddings):
    X, y = draw()
    model.set_params(strategy__fine_tune_embeddings=fine_tune_embeddings)
    one, again = clone(model).fit(X, y), clone(model).fit(X, y)
    assert_same(one, again, X)
    other = clone(model).set_params(random_state=1).fit(X, y)
    assert np.abs(answer(one, X) - answer(other, X)).max() > 1e-6


def test_global_generators_and_the_shared_network_are_left_alone(model):
    X, y = draw()
    network = model._read_checkpoint()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    states = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model.set_params(strategy__fine_tune_embeddings=True).fit(X, y).predict(X)
    assert (torch.random.get_rng_state() == states[0]).all()
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002
    assert all((w == before[name]).all() for name, w in network.state_dict().items())


def test_predictions_follow_the_unit_of_the_target(checkpoint):
    X, y = draw()
    model = TSPulseRegressor(QUICK, checkpoint=checkpoint, random_state=0)
    expected = 1e6 * clone(model).fit(X, y).predict(X) - 5
    np.testing.assert_allclose(clone(model).fit(X, 1e6 * y - 5).predict(X), expected, rtol=1e-3)


# --------------------------------------------------------------------------- what it learns


def test_it_learns(model):
    X, y = draw(60)
    model.set_params(strategy__max_epochs=25).fit(X[:40], y[:40])
    assert (model.strategy_, model.n_representations_) == ("tslens", 0)
    assert model.score(X[40:], y[40:]) > 0.8
    history = model.history_
    assert set(history) == {"epoch", "train_loss", "valid_loss", "lr", "seconds"}
    assert model.n_iter_ == len(history["valid_loss"]) > 3
    assert min(history["valid_loss"]) < 0.5 * history["valid_loss"][0]


def test_several_targets_are_predicted_together(checkpoint):
    X, y = draw(60)
    strategy = clone(QUICK).set_params(max_epochs=25)
    model = TSPulseRegressor(strategy, checkpoint=checkpoint, random_state=0)
    targets = np.column_stack([y, -1e3 * y, np.ones(60)])
    predictions = model.fit(X, targets).predict(X)
    assert predictions.shape == (60, 3)
    assert np.isnan(model.alpha_).all()
    assert r2_score(targets[:, :2], predictions[:, :2]) > 0.8
    np.testing.assert_allclose(predictions[:, 2], 1, atol=0.5)
    assert clone(model).fit(X, y[:, None]).predict(X).shape == (60, 1)


@pytest.mark.parametrize("counts", [(1, 1), (1, 5), (4, 4, 4), (1, 1, 2, 8)])
def test_a_dozen_series_and_single_members_are_enough(checkpoint, counts):
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.random.default_rng(0).normal(size=(len(y), 2, 40)) + 3 * y[:, None, None]
    model = TSPulseClassifier(QUICK, checkpoint=checkpoint, random_state=0).fit(X, y)
    assert set(model.predict(X)) <= set(y)
    np.testing.assert_allclose(model.predict_proba(X).sum(1), 1)


def test_missing_values_constants_and_unequal_lengths_are_taken(model):
    X, y = draw(20, n_timepoints=60)
    X[::3, 0, 10:30] = np.nan
    X[0], X[1], X[2, 1] = np.nan, 5.0, np.nan
    X = [one[:, : 8 + 2 * i] for i, one in enumerate(X)]
    for windowing in ("resample", "sliding"):
        model.set_params(windowing=windowing).fit(X, y)
        assert np.isfinite(answer(model, X)).all()


def test_class_weights_are_weights_of_series(checkpoint):
    X, y = draw()
    model = TSPulseClassifier(QUICK, checkpoint=checkpoint, random_state=0)
    by_class = clone(model).set_params(class_weight={0: 4.0}).fit(X, y)
    assert_same(by_class, clone(model).fit(X, y, sample_weight=np.where(y == 0, 4, 1)), X)


# --------------------------------------------------------------------------- as a parameter


def test_auto_is_the_probe(model):
    X, y = draw()
    auto = clone(model).set_params(strategy="auto").fit(X, y)
    assert (auto.strategy_, auto.n_iter_, auto.history_) == ("probe", 0, {})
    assert_same(auto, clone(model).set_params(strategy="probe").fit(X, y), X)


def test_the_name_is_an_instance_with_defaults(model):
    X, y = draw(9)
    named = clone(model).set_params(strategy="tslens").fit(X, y)
    assert_same(named, clone(model).set_params(strategy=TSLens()).fit(X, y), X)


def test_a_search_reaches_the_options(checkpoint):
    X, y = draw(30)
    model = TSPulseClassifier(QUICK, checkpoint=checkpoint, random_state=0)
    assert model.get_params()["strategy__lr"] == 0.02
    search = GridSearchCV(model, {"strategy__lr": [1e-9, 0.05]}, cv=2).fit(X, y)
    assert search.best_params_ == {"strategy__lr": 0.05}
    assert search.best_estimator_.strategy.lr == 0.05
    assert model.strategy.lr == QUICK.lr == 0.02


def test_clones_share_no_options(model):
    other = clone(model).set_params(strategy__max_epochs=1)
    assert model.strategy.max_epochs == 3
    assert other.strategy is not model.strategy


@pytest.mark.parametrize("fine_tune_embeddings", [False, True])
def test_pickles_hold_the_trained_weights_but_not_the_backbone(model, fine_tune_embeddings):
    X, y = draw()
    model.set_params(strategy__fine_tune_embeddings=fine_tune_embeddings).fit(X, y)
    assert_same(pickle.loads(pickle.dumps(model)), model, X)
    names = set(model._model.weights)
    assert not any("backbone.layers" in name for name in names)
    assert any("embedding" in name for name in names) == fine_tune_embeddings


def test_fitting_again_with_another_strategy_forgets_the_first(model):
    X, y = draw()
    probe = clone(model).set_params(strategy="probe").fit(X, y)
    assert_same(model.fit(X, y).set_params(strategy="probe").fit(X, y), probe, X)
    assert model.n_iter_ == 0


def test_callbacks_are_called_and_progress_is_shown(model, capsys):
    class Count(Callback):
        n_epochs = 0

        def on_epoch_end(self, net, **kwargs):
            self.n_epochs += 1

    count = Count()
    X, y = draw()
    model.set_params(strategy__callbacks=[count], verbose=1).fit(X, y)
    assert count.n_epochs == 3
    assert "0/4" in capsys.readouterr().err


class Interrupt(Callback):
    """Press Ctrl-C in the second epoch."""

    def on_batch_end(self, net, **kwargs):
        if len(net.history) == 2:
            signal.raise_signal(signal.SIGINT)


def test_an_interrupt_stops_fit_and_changes_nothing(model):
    X, y = draw()
    before = answer(model.fit(X, y), X)
    refit = clone(model).set_params(strategy__callbacks=[Interrupt()], strategy__max_epochs=9)
    with pytest.raises(KeyboardInterrupt):
        refit.fit(X, y)
    with pytest.raises(NotFittedError):
        refit.predict(X)
    model.strategy.callbacks = [Interrupt()]
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :1], y)
    np.testing.assert_array_equal(answer(model, X), before)


def test_an_interrupt_stops_cross_validation(model):
    X, y = draw()
    model.set_params(strategy__callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(model, X, y, cv=KFold(3))


def test_callbacks_that_stop_early_do_not_interrupt(model):
    X, y = draw()
    stopping = EarlyStopping(patience=2, threshold=1e9, threshold_mode="abs", sink=noop)
    model.set_params(strategy__callbacks=[stopping], strategy__max_epochs=9).fit(X, y)
    assert model.n_iter_ == 3
    assert {len(column) for column in model.history_.values()} == {3}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_epochs", 0),
        ("lr", "auto"),
        ("lr", 0),
        ("batch_size", 0.5),
        ("mask_fraction", 1),
        ("channel_expansion", 0),
        ("head_width", 0),
        ("fine_tune_embeddings", "yes"),
        ("validation_fraction", 0.8),
        ("n_iter_no_change", 0),
        ("callbacks", "print"),
    ],
)
def test_bad_options_are_refused_and_leave_the_estimator_as_it_was(model, name, value):
    X, y = draw()
    with pytest.raises(ValueError, match=f"The '{name}' parameter of TSLens must be"):
        model.set_params(**{f"strategy__{name}": value}).fit(X, y)
    assert not [name for name in vars(model) if name.endswith("_")]
