"""Fine-tuning as the estimators do it: what the strategies share, choose, keep and refuse."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from sktspulse import TSPulseClassifier, TSPulseConfig, TSPulseRegressor
from sktspulse.network.checkpoints import save_checkpoint
from sktspulse.network.tspulse import TSPulse
from sktspulse.supervised import strategies
from sktspulse.supervised.tasks import Mix

SIZES = {"context_length": 32, "patch_length": 4, "d_model": 6, "n_layers": 1}
SIZES |= {"n_decoder_layers": 1, "n_registers": 2, "n_signature_bins": 0, "forecast_length": 0}
QUICK = {"max_epochs": 3, "lr": 0.02, "train_batch_size": 8, "batch_size": 8, "random_state": 0}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Save an untrained network that answers at once."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    save_checkpoint(TSPulse(TSPulseConfig(**SIZES)), path)
    return path


@pytest.fixture(params=[TSPulseClassifier, TSPulseRegressor])
def model(request, checkpoint):
    """Give both estimators, to be fine-tuned in an instant."""
    return request.param("tslens", checkpoint=checkpoint, **QUICK)


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


def test_weights_are_repetition_and_order_is_nothing_to_the_bit(model):
    X, y = draw()
    weights = np.random.default_rng(0).integers(0, 4, 24)
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(24), weights))
    weighted = clone(model).fit(X, y, sample_weight=weights)
    assert_same(weighted, clone(model).fit(X[order], y[order]), X)


@pytest.mark.parametrize("length", ["resample", "window"])
def test_an_answer_does_not_depend_on_the_other_series(model, length):
    X, y = draw(n_timepoints=90)
    model.set_params(length=length).fit(X, y)
    together = answer(model, X)
    np.testing.assert_array_equal(np.concatenate([answer(model, one[None]) for one in X]), together)
    np.testing.assert_array_equal(answer(model, X[::-1]), together[::-1])


@pytest.mark.parametrize("tune_embeddings", [False, True])
def test_a_seed_gives_one_answer_and_another_seed_another(model, tune_embeddings):
    X, y = draw()
    model.set_params(tune_embeddings=tune_embeddings)
    one, again = clone(model).fit(X, y), clone(model).fit(X, y)
    assert_same(one, again, X)
    other = clone(model).set_params(random_state=1).fit(X, y)
    assert np.abs(answer(one, X) - answer(other, X)).max() > 1e-6


def test_the_global_generators_and_the_shared_network_are_left_alone(model):
    X, y = draw()
    network = model._read_checkpoint()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    states = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model.set_params(tune_embeddings=True).fit(X, y)
    assert (torch.random.get_rng_state() == states[0]).all()
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002
    assert all((w == before[name]).all() for name, w in network.state_dict().items())


def test_predictions_follow_the_unit_of_the_target(checkpoint):
    X, y = draw()
    model = TSPulseRegressor("tslens", checkpoint=checkpoint, **QUICK)
    expected = 1e6 * clone(model).fit(X, y).predict(X) - 5
    np.testing.assert_allclose(clone(model).fit(X, 1e6 * y - 5).predict(X), expected, rtol=1e-3)


# --------------------------------------------------------------------------- what it is worth


def test_it_learns(model):
    X, y = draw(60)
    model.set_params(max_epochs=25).fit(X[:40], y[:40])
    assert model.strategy_ == "tslens"
    assert model.score(X[40:], y[40:]) > 0.8
    assert model.n_iter_ == len(model.history_["valid_loss"]) > 3
    assert min(model.history_["valid_loss"]) < 0.5 * model.history_["valid_loss"][0]


def test_several_numbers_are_predicted_together(checkpoint):
    X, y = draw(60)
    model = TSPulseRegressor("tslens", checkpoint=checkpoint, **QUICK | {"max_epochs": 25})
    targets = np.column_stack([y, -1e3 * y, np.ones(60)])
    predictions = model.fit(X, targets).predict(X)
    assert predictions.shape == (60, 3)
    assert r2_score(targets[:, :2], predictions[:, :2]) > 0.8
    np.testing.assert_allclose(predictions[:, 2], 1, atol=0.5)
    assert clone(model).fit(X, y[:, None]).predict(X).shape == (60, 1)


@pytest.mark.parametrize("counts", [(1, 1), (1, 5), (4, 4, 4), (1, 1, 2, 8)])
def test_a_dozen_series_and_single_members_are_enough(checkpoint, counts):
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.random.default_rng(0).normal(size=(len(y), 2, 40)) + 3 * y[:, None, None]
    model = TSPulseClassifier("tslens", checkpoint=checkpoint, **QUICK).fit(X, y)
    assert set(model.predict(X)) <= set(y)
    np.testing.assert_allclose(model.predict_proba(X).sum(1), 1)


def test_missing_values_constants_and_unequal_lengths_are_taken(model):
    X, y = draw(20, n_timepoints=60)
    X[::3, 0, 10:30] = np.nan
    X[0], X[1], X[2, 1] = np.nan, 5.0, np.nan
    X = [one[:, : 8 + 2 * i] for i, one in enumerate(X)]
    for length in ("resample", "window"):
        model.set_params(length=length).fit(X, y)
        assert np.isfinite(answer(model, X)).all()


def test_class_weights_are_weights_of_series(checkpoint):
    X, y = draw()
    model = TSPulseClassifier("tslens", checkpoint=checkpoint, **QUICK)
    by_class = clone(model).set_params(class_weight={0: 4.0}).fit(X, y)
    assert_same(by_class, clone(model).fit(X, y, sample_weight=np.where(y == 0, 4, 1)), X)


# --------------------------------------------------------------------------- what is chosen


def test_few_series_stay_with_the_probe(model):
    X, y = draw()
    auto = clone(model).set_params(strategy="auto").fit(X, y)
    assert (auto.strategy_, auto.n_iter_, auto.history_["epoch"]) == ("probe", 0, [])
    assert_same(auto, clone(model).set_params(strategy="probe").fit(X, y), X)


@pytest.mark.parametrize(("share", "strategy"), [(0.0, "probe"), (0.4, "blend"), (1.0, "tslens")])
def test_what_suits_held_out_series_is_what_answers(model, monkeypatch, share, strategy):
    X, y = draw()
    monkeypatch.setattr(strategies, "_ENOUGH_SERIES", 10)
    monkeypatch.setattr("sktspulse.supervised.tasks.Classes.is_solved", lambda *_: False)
    monkeypatch.setattr("sktspulse.supervised.tasks.Numbers.is_solved", lambda *_: False)
    for name in ("Classes", "Numbers"):
        monkeypatch.setattr(f"sktspulse.supervised.tasks.{name}.mix", lambda *_: Mix(share))
    auto = clone(model).set_params(strategy="auto").fit(X, y)
    assert auto.strategy_ == strategy
    assert auto.n_iter_ == 3
    assert (auto._probe is None) == (share == 1) == (auto.n_forms_ == 0)
    assert (auto._tuned is None) == (share == 0)
    assert np.isfinite(answer(auto, X)).all()


def test_a_probe_without_mistakes_is_not_tried_to_be_bettered(checkpoint, monkeypatch):
    monkeypatch.setattr(strategies, "_ENOUGH_SERIES", 10)
    X, y = draw(60)
    model = TSPulseClassifier(checkpoint=checkpoint, **QUICK).fit(X + 9 * y[:, None, None], y)
    assert (model.strategy_, model.n_iter_) == ("probe", 0)


def test_too_little_time_leaves_the_probe_and_says_so(model):
    X, y = draw()
    model.set_params(max_time=0)
    with pytest.warns(UserWarning, match="max_time=0 s was too short to train TSLens on 24"):
        model.fit(X, y)
    assert model.strategy_ == "probe"
    assert_same(model, clone(model).set_params(strategy="probe").fit(X, y), X)


@pytest.mark.parametrize(("max_time", "is_tried"), [(1.0, True), (0.5, False)])
def test_whether_tslens_is_tried_depends_on_the_work_and_not_on_the_clock(
    model, monkeypatch, max_time, is_tried
):
    monkeypatch.setattr(strategies, "_ENOUGH_SERIES", 10)
    tried = []
    monkeypatch.setattr(model, "_tune", lambda *_: tried.append(1) or strategies.Outcome())
    X, y = draw()
    model.set_params(strategy="auto", max_time=max_time).fit(X, y)
    assert bool(tried) == is_tried


# --------------------------------------------------------------------------- what is kept


@pytest.mark.parametrize("tune_embeddings", [False, True])
def test_pickles_keep_what_was_trained_and_not_the_backbone(model, tune_embeddings):
    X, y = draw()
    model.set_params(tune_embeddings=tune_embeddings).fit(X, y)
    assert_same(pickle.loads(pickle.dumps(model)), model, X)
    names = set(model._tuned.weights)
    assert not any("backbone.layers" in name for name in names)
    assert any("embedding" in name for name in names) == tune_embeddings


def test_a_search_goes_over_strategies(checkpoint):
    X, y = draw(30)
    model = TSPulseClassifier(checkpoint=checkpoint, **QUICK)
    search = GridSearchCV(model, {"strategy": ["probe", "tslens"]}, cv=2)
    search.set_params(n_jobs=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_warm_start_goes_on_where_the_last_fit_ended(model):
    X, y = draw(60)
    model.set_params(max_epochs=15).fit(X, y)
    first = model.history_["valid_loss"]
    cold = clone(model).fit(X, y)
    assert cold.history_["valid_loss"] == first
    warm = model.set_params(warm_start=True, max_epochs=1).fit(X, y)
    assert warm.history_["valid_loss"][0] < first[0]
    assert warm.set_params(max_epochs=1).fit(X[:, :1], y).n_iter_ == 1


def test_callbacks_are_told_and_progress_is_shown(model, capsys):
    class Count(Callback):
        n_epochs = 0

        def on_epoch_end(self, net, **kwargs):
            self.n_epochs += 1

    count = Count()
    X, y = draw()
    model.set_params(callbacks=[count], verbose=1).fit(X, y)
    assert count.n_epochs == 3
    assert "TSLens" in capsys.readouterr().err


def test_fitting_again_with_another_strategy_forgets_the_first(model):
    X, y = draw()
    model.fit(X, y)
    assert_same(
        model.set_params(strategy="probe").fit(X, y),
        clone(model).set_params(strategy="probe").fit(X, y),
        X,
    )
    assert model.n_iter_ == 0


# --------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"strategy": "finetune"}, "strategy is 'finetune', expected one of"),
        ({"max_time": -1}, "max_time is -1, but must be a number from 0"),
        ({"max_epochs": 0}, "max_epochs is 0, but must be an integer from 1"),
        ({"lr": "fast"}, r"lr is 'fast', expected one of \['auto'\]"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"train_batch_size": 0.5}, "train_batch_size is 0.5"),
        ({"mask_ratio": 1}, "mask_ratio is 1"),
        ({"channel_expansion": 0}, "channel_expansion is 0"),
        ({"head_width": 0}, "head_width is 0"),
        ({"validation_fraction": 0.8}, "validation_fraction is 0.8"),
        ({"n_iter_no_change": 0}, "n_iter_no_change is 0"),
    ],
)
def test_bad_parameters_are_refused_when_fitting(model, parameters, message):
    X, y = draw()
    with pytest.raises(ValueError, match=message):
        model.set_params(**parameters).fit(X, y)
    assert not [name for name in vars(model) if name.endswith("_")]
