"""Training a TSLens: batches, learning rate, clock, and the weights that are left."""

from __future__ import annotations

import math

import naive_lens
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skorch.callbacks import Callback

from sktspulse.base.clock import TimeBudget
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tslens import LensSizes, TSLens
from sktspulse.network.tspulse import TSPulse
from sktspulse.supervised.tasks import Classes
from sktspulse.supervised.tslens import training
from sktspulse.supervised.tslens.batches import Examples, InOrder, LensBatches, Shuffled, encode
from sktspulse.supervised.tslens.callbacks import OneCycle
from sktspulse.supervised.tslens.training import Tuning, descent, table, tune

CONFIG = TSPulseConfig(
    context_length=32,
    patch_length=4,
    d_model=6,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_signature_bins=0,
    forecast_length=0,
)
QUICK = Tuning(12, 0.02, 8, 0.3, 12, seed=0)


def draw(n=24, n_channels=2, seed=0):
    """Draw noise of two classes that differ in their moments."""
    rng = np.random.default_rng(seed)
    targets = torch.arange(n) % 2
    x = torch.from_numpy(rng.normal(size=(n, n_channels, 32))).float()
    moments = (8.0 * targets[:, None] - 4).repeat(1, 2 * n_channels)
    return Examples(x, torch.ones_like(x, dtype=torch.bool), moments, targets, torch.ones(n))


def build(**settings):
    torch.manual_seed(0)
    network = TSPulse(CONFIG).eval().requires_grad_(False)
    return TSLens(network, LensSizes(2, 1), **{"tune_embeddings": False, **settings})


def train(lens, tuning=QUICK, seconds=math.inf, learned=None):
    return tune(
        lens, (learned or draw(), draw(12, seed=1)), Classes(2), tuning, TimeBudget(seconds)
    )


# --------------------------------------------------------------------------- batches


@given(st.integers(1, 40), st.integers(1, 12))
def test_every_example_is_dealt_once_an_epoch_to_batches_of_one_size(n, batch_size):
    for sampler in (Shuffled(n, batch_size, 0), InOrder(n, batch_size)):
        for _ in range(2):
            batches = list(sampler)
            assert len(batches) == len(sampler)
            assert sorted(np.concatenate(batches)) == list(range(n))
            sizes = {len(batch) for batch in batches}
            assert max(sizes) <= batch_size
            assert max(sizes) - min(sizes) <= 1
    assert list(np.concatenate(list(InOrder(n, batch_size)))) == list(range(n))


def test_tokens_that_are_kept_give_the_outputs_of_their_windows():
    lens, examples = build().eval(), draw()
    tokens = encode(lens, examples.x, examples.observed, TimeBudget(math.inf))
    rows = np.array([5, 0, 7])
    batches = LensBatches(examples, None, 0)
    batches.tokens = [tokens]
    inputs, truth = batches[rows]
    expected = lens(examples.moments[rows], x=examples.x[rows], observed=examples.observed[rows])
    torch.testing.assert_close(lens(**inputs), expected, atol=2e-3, rtol=0)
    assert truth["targets"].tolist() == [1, 0, 1]


def test_windows_are_hidden_anew_each_time_in_all_channels_alike():
    examples = draw()
    batches = LensBatches(examples, lambda one, rng: one.hidden(0.5, 4, rng), 0)
    first, second = (batches[np.arange(4)][0]["observed"] for _ in range(2))
    assert first.shape == (4, 2, 32)
    assert (first.sum(-1) == 16).all()
    assert (first[:, 0] == first[:, 1]).all()
    assert (first != second).any()


def test_encoding_is_given_up_when_time_is_too_short():
    examples = draw()
    assert encode(build(), examples.x, examples.observed, TimeBudget(0)) is None


# --------------------------------------------------------------------------- rate and clock


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=9))
def test_descent_lies_between_ends_of_the_longest_fall(losses):
    n, place = naive_lens.longest_fall(losses), descent(losses)
    if n == 1:
        assert place == 0
    else:
        assert (n - 1) // 2 <= place < len(losses)


@pytest.mark.parametrize(
    ("losses", "place"),
    [([1, 2, 3], 0), ([5, 4, 3, 2, 1], 2), ([3, 3, 3, 2, 1, 9, 9], 2), ([9, 1, 8, 7, 6, 9], 2)],
)
def test_descent_of_plain_curves(losses, place):
    assert descent(losses) == place


def test_the_rate_rises_and_falls_to_nothing():
    cycle = OneCycle(100, TimeBudget(math.inf))
    cycle.lr = 0.5
    rates = [cycle.rate(done) for done in np.linspace(0, 1, 101)]
    assert max(rates) == rates[30] == 0.5
    assert np.diff(rates[:31]).min() > 0 > np.diff(rates[30:]).max()
    assert rates[0] == pytest.approx(0.02)
    assert rates[-1] == 0


def test_the_rate_falls_in_time_when_time_is_short(monkeypatch):
    now = 0.0
    monkeypatch.setattr("sktspulse.base.clock.time.monotonic", lambda: now)
    cycle = OneCycle(1000, TimeBudget(10))
    cycle.lr = 1.0
    cycle.on_train_begin(None)
    group = {}
    net = type("Net", (), {"optimizer_": type("Optimizer", (), {"param_groups": [group]})})
    rates = []
    for now in np.linspace(0, 10, 21):  # noqa: B007
        cycle.on_batch_begin(net)
        rates.append(group["lr"])
    assert rates[-1] == 0
    assert max(rates) > 0.9


# --------------------------------------------------------------------------- training


@pytest.mark.parametrize("tune_embeddings", [False, True])
def test_it_learns_what_moments_tell_and_leaves_the_rest_as_it_was(tune_embeddings):
    lens = build(tune_embeddings=tune_embeddings)
    before = {name: weight.clone() for name, weight in lens.state_dict().items()}
    rows, outputs = train(lens)
    assert ((outputs[:, 0] > 0) == (torch.arange(12) % 2 == 1)).all()
    losses = table(rows)["train_loss"]
    assert losses[-1] < 0.5 * losses[0]
    changed = {name for name, w in lens.state_dict().items() if (w != before[name]).any()}
    assert changed
    assert changed <= set(lens.trained_state())
    assert any("embedding" in name for name in changed) == tune_embeddings


def test_tokens_too_many_to_be_kept_are_made_in_each_epoch(monkeypatch):
    kept, made = build(), build()
    quick = QUICK._replace(mask_ratio=0)
    expected, _ = train(kept, quick)
    monkeypatch.setattr(training, "_MAX_TOKEN_BYTES", 1000)
    rows, _ = train(made, quick)
    losses = [table(part)["valid_loss"] for part in (expected, rows)]
    np.testing.assert_allclose(*losses, atol=0.02)


def test_the_weights_that_were_best_are_left():
    tuning = QUICK._replace(max_epochs=12, lr=0.3)
    lens = build()
    rows, outputs = train(lens, tuning)
    held = draw(12, seed=1)
    with torch.no_grad():
        answers = lens(held.moments, x=held.x, observed=held.observed)
    torch.testing.assert_close(outputs, answers, atol=0.05, rtol=0.01)
    loss = Classes(2).held_out_loss(outputs.numpy(), held.targets.numpy(), held.weights.numpy())
    assert loss == pytest.approx(min(table(rows)["valid_loss"]), rel=1e-4)


def test_training_ends_early_when_nothing_gets_better():
    learned = draw()._replace(moments=torch.zeros(24, 4))
    rows, _ = train(build(), QUICK._replace(max_epochs=40, n_iter_no_change=2), learned=learned)
    losses = table(rows)["valid_loss"]
    assert len(losses) < 40
    assert len(losses) - 1 - int(np.argmin(losses)) == 2


def test_time_ends_training_and_no_time_begins_none():
    lens = build()
    before = {name: weight.clone() for name, weight in lens.state_dict().items()}
    assert train(lens, seconds=0) is None
    assert all((weight == before[name]).all() for name, weight in lens.state_dict().items())
    rows, _ = train(lens, QUICK._replace(max_epochs=10**6, n_iter_no_change=10**6), seconds=1)
    assert 1 <= len(rows) < 10**6
    assert rows[-1]["seconds"] < 5


def test_a_rate_is_found_and_finding_it_leaves_no_trace():
    seen = []

    class Watch(Callback):
        def on_train_begin(self, net, **kwargs):
            seen.append({name: w.clone() for name, w in net.module_.state_dict().items()})

    lens = build()
    before = {name: weight.clone() for name, weight in lens.state_dict().items()}
    rows, _ = train(lens, QUICK._replace(lr="auto", max_epochs=5, callbacks=[Watch()]))
    assert 1e-4 < max(table(rows)["lr"]) < 0.1
    assert all((weight == before[name]).all() for name, weight in seen[0].items())


def test_a_seed_gives_the_same_weights_and_the_global_generator_is_left_alone():
    lenses = [build(), build()]
    torch.manual_seed(7)
    state = torch.random.get_rng_state()
    for lens in lenses:
        train(lens, QUICK._replace(lr="auto", max_epochs=2))
    assert (torch.random.get_rng_state() == state).all()
    one, other = (lens.trained_state() for lens in lenses)
    assert all((one[name] == other[name]).all() for name in one)
    third = build()
    train(third, QUICK._replace(lr="auto", max_epochs=2, seed=1))
    assert any((w != one[name]).any() for name, w in third.trained_state().items())


def test_examples_of_more_weight_count_more():
    targets = torch.zeros(24, dtype=torch.long)
    targets[12:] = 1
    biased = draw()._replace(moments=torch.zeros(24, 4), targets=targets)
    light = torch.where(targets == 1, 1.8, 0.2)
    shares = []
    for weights in (light, 2 - light):
        lens = build()
        train(lens, QUICK, learned=biased._replace(weights=weights))
        with torch.no_grad():
            shares.append(lens(biased.moments, x=biased.x, observed=biased.observed).mean().item())
    assert shares[0] > shares[1]
