"""Inference in chunks, and estimators that hold no weights."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sktspulse
from sktspulse import TSPulseTransformer
from sktspulse.network import inference
from sktspulse.network.checkpoints import load_checkpoint, save_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.inference import chunk_size, fingerprint, infer, resolve_device
from sktspulse.network.tspulse import TSPulse

SMALL = TSPulseConfig(context_length=64, n_signature_bins=32, n_layers=2)


def small_network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return TSPulse(SMALL).eval().requires_grad_(False)


NETWORK = small_network()


def read_everything(network, x, observed):
    prediction = network(x, observed)
    tokens = prediction.encoding.tokens[:, :, 0].movedim(0, 1).flatten(1)
    heads = [prediction.in_units(name)[:, 0] for name in ("time", "frequency", "forecast")]
    return torch.cat([tokens, *heads], 1)


def infer_everything(rows, batch_size=4):
    return next(infer(NETWORK, rows, read_everything, batch_size=batch_size))


def draw_rows(n, seed=0, missing_rate=0.2):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 64)).cumsum(axis=1).astype(np.float32)
    rows[rng.random(rows.shape) < missing_rate] = np.nan
    return rows


# --------------------------------------------------------------------------- infer


@settings(max_examples=25)
@given(st.integers(1, 11), st.integers(0, 2**31), st.integers(0, 10), st.integers(1, 9))
def test_an_answer_does_not_depend_on_its_neighbours_or_its_place(n, seed, place, batch_size):
    rows = draw_rows(n, seed)
    together = infer_everything(rows, batch_size)
    order = np.random.default_rng(seed).permutation(n)
    np.testing.assert_array_equal(infer_everything(rows[order], batch_size), together[order])
    one = slice(place % n, place % n + 1)
    np.testing.assert_array_equal(infer_everything(rows[one], batch_size), together[one])


@pytest.mark.parametrize(
    ("sizes_that_do", "expected"),
    [({5, 12, 24}, 5), ({4, 7, 24, 36}, 24), ({96, 108}, 96), ({108}, 1), (set(), 1)],
)
def test_chunks_have_a_size_at_which_all_places_are_alike(monkeypatch, sizes_that_do, expected):
    def run(network, rows, read, size):
        assert len(rows) == size
        assert (rows == rows[0]).all()
        assert np.isfinite(rows).all()
        return np.arange(size)[:, None] * (size not in sizes_that_do)

    monkeypatch.setattr(inference, "_run", run)
    assert inference.chunk_size(small_network(), 5) == expected


def test_answers_of_the_shipped_network_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(70, 512)).astype(np.float32)
    network = load_checkpoint("tspulse-p8")
    settings_ = {"read": read_everything, "batch_size": 32}
    together = next(infer(network, rows, **settings_))
    apart = np.concatenate(list(infer(network, [rows[:1], rows[1:41], rows[41:]], **settings_)))
    np.testing.assert_array_equal(apart, together)
    backwards = next(infer(network, rows[::-1].copy(), **settings_))[::-1]
    np.testing.assert_array_equal(backwards, together)


def test_answers_are_those_of_the_network():
    rows = draw_rows(5)
    x = torch.from_numpy(rows)[:, None]
    expected = read_everything(NETWORK, x.nan_to_num(), ~x.isnan())
    answer = infer_everything(rows)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-5)


def test_chunks_have_one_size_and_missing_values_are_zeros():
    seen = []

    def read(network, x, observed):
        seen.append((tuple(x.shape), tuple(observed.shape)))
        assert (x[~observed] == 0).all()
        assert not torch.is_grad_enabled()
        return x[:, 0]

    rows = draw_rows(10)
    (answer,) = infer(NETWORK, rows, read, batch_size=5)
    size = chunk_size(NETWORK, 5)
    assert seen == [((size, 1, 64), (size, 1, 64))] * -(-10 // size)
    np.testing.assert_array_equal(answer, np.nan_to_num(rows))


def test_every_block_has_its_answer_and_blocks_are_taken_one_at_a_time():
    taken = []

    def blocks():
        for n in (3, 9, 1):
            taken.append(n)
            yield draw_rows(n)

    answers = infer(NETWORK, blocks(), read_everything, batch_size=4)
    assert not taken
    for n in (3, 9, 1):
        assert len(next(answers)) == n
        assert taken[-1] == n
    assert list(answers) == []


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.5, -1e6])
def test_missing_and_constant_rows_give_finite_answers(value):
    rows = np.full((3, 64), value, np.float32)
    assert np.isfinite(infer_everything(rows)).all()
    rows[0, 5] = 1.0
    assert np.isfinite(infer_everything(rows)).all()


def test_progress_counts_every_row_once():
    class Counter:
        n = 0

        def update(self, n):
            self.n += n

    counter = Counter()
    list(infer(NETWORK, draw_rows(10), read_everything, batch_size=4, progress=counter))
    assert counter.n == 10


def test_random_state_and_threads_are_left_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()  # noqa: NPY002
    infer_everything(draw_rows(3))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    assert torch.get_num_threads() == before[2]


# --------------------------------------------------------------------------- device


def test_the_device_is_the_one_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device(torch.device("meta")) == torch.device("meta")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_best_device_is_found(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == torch.device(expected)


# --------------------------------------------------------------------------- fingerprint


def test_fingerprints_tell_weights_and_sizes_apart():
    assert fingerprint(NETWORK) == fingerprint(small_network())
    others = [small_network(1), TSPulse(replace(SMALL, n_layers=1))]
    assert fingerprint(NETWORK) not in {fingerprint(network) for network in others}
    one_bit = small_network()
    one_bit.revin.bias.data += 1e-7
    assert fingerprint(one_bit) != fingerprint(NETWORK)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "small.safetensors"
    save_checkpoint(NETWORK, path)
    return path


def test_other_weights_than_those_fitted_with_are_refused(checkpoint):
    X = np.random.default_rng(0).normal(size=(4, 100))
    transformer = TSPulseTransformer(checkpoint=checkpoint).fit(X)
    copy = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(copy.transform(X), transformer.transform(X))
    save_checkpoint(small_network(1), checkpoint)
    with pytest.raises(ValueError, match="holds other weights than when TSPulseTransformer was"):
        copy.transform(X)
    save_checkpoint(NETWORK, checkpoint)
    copy.transform(X)


# --------------------------------------------------------------------------- pickles

LOAD_AND_USE = """
import pickle, sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"used the network: {event}")
sys.addaudithook(refuse)
transformer, X, expected = pickle.load(open(sys.argv[1], "rb"))
assert (transformer.transform(X) == expected).all()
assert not any(name.startswith("huggingface_hub") for name in sys.modules)
"""


def test_pickles_are_small_and_work_in_a_fresh_process_without_the_network(tmp_path):
    X = np.random.default_rng(0).normal(size=(5, 2, 100))
    transformer = TSPulseTransformer().fit(X)
    assert len(pickle.dumps(transformer)) < 1500
    file = tmp_path / "fitted.pickle"
    file.write_bytes(pickle.dumps((transformer, X, transformer.transform(X))))
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    home = {"PYTHONPATH": str(Path(sktspulse.__file__).parents[1])}
    command = [sys.executable, "-c", LOAD_AND_USE, str(file)]
    settings_ = {"env": os.environ | threads | home, "capture_output": True, "text": True}
    run = subprocess.run(command, check=False, **settings_)
    assert run.returncode == 0, run.stderr
    assert not run.stdout


def test_estimators_hold_no_tensors():
    transformer = TSPulseTransformer().fit(np.zeros((2, 20)))
    kinds = {type(value) for value in vars(transformer).values()}
    assert kinds <= {str, int, dict}


# --------------------------------------------------------------------------- verbose


def test_a_bar_shows_only_if_asked_for(capfd, caplog):
    X = np.zeros((3, 2, 20))
    caplog.set_level(logging.DEBUG)
    TSPulseTransformer().fit_transform(X)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    TSPulseTransformer(verbose=1).fit_transform(X)
    out, err = capfd.readouterr()
    assert not out
    assert "TSPulseTransformer: 100%" in err
    assert "6/6" in err.replace(".00", "")


def test_the_bar_does_not_change_the_answer():
    X = np.random.default_rng(0).normal(size=(3, 2, 20))
    silent, loud = (TSPulseTransformer(verbose=n).fit_transform(X) for n in (0, 1))
    np.testing.assert_array_equal(silent, loud)
