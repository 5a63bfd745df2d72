"""Arrays through the network: answers, units, devices and hashes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.inference import fingerprint, resolve_device
from sktspulse.network.reading import infer, reconstruct
from sktspulse.network.scaling import standardize
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
    return infer(NETWORK, rows, read_everything, batch_size=batch_size)


def assert_close(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


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
    assert_close(infer_everything(rows[order], batch_size), together[order])
    one = slice(place % n, place % n + 1)
    assert_close(infer_everything(rows[one], batch_size), together[one])


def test_answers_of_the_shipped_network_do_not_depend_on_their_neighbours():
    rows = np.random.default_rng(0).normal(size=(70, 512)).astype(np.float32)
    network = load_checkpoint("tspulse-p8")
    settings_ = {"read": read_everything, "batch_size": 32}
    together = infer(network, rows, **settings_)
    parts = (rows[:1], rows[1:41], rows[41:])
    apart = np.concatenate([infer(network, part, **settings_) for part in parts])
    assert_close(apart, together)


def test_answers_are_those_of_the_network():
    rows = draw_rows(5)
    x = torch.from_numpy(rows)[:, None]
    expected = read_everything(NETWORK, x.nan_to_num(), ~x.isnan())
    answer = infer_everything(rows)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-5)


def test_batches_fill_vectors_and_missing_values_are_zeros(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    seen = []

    def read(network, x, observed):
        seen.append((tuple(x.shape), tuple(observed.shape)))
        assert (x[~observed] == 0).all()
        assert not torch.is_grad_enabled()
        return x[:, 0]

    rows = draw_rows(10)
    answer = infer(NETWORK, rows, read, batch_size=3)
    assert seen == [((4, 1, 64), (4, 1, 64))] * 4
    assert_close(answer, np.nan_to_num(rows))


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
    infer(NETWORK, draw_rows(10), read_everything, batch_size=4, progress=counter)
    assert counter.n == 10


def test_random_state_and_threads_are_left_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()  # noqa: NPY002
    infer_everything(draw_rows(3))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    assert torch.get_num_threads() == before[2]


# --------------------------------------------------------------------------- reconstruct


def test_reconstructions_are_those_of_the_network_in_the_units_of_the_rows():
    rows = 1e3 * draw_rows(6).astype(float) + 7e4
    z, loc, scale = standardize(rows)
    x = torch.from_numpy(z.astype(np.float32))[:, None]
    prediction = NETWORK(x.nan_to_num(), ~x.isnan())
    expected = [
        prediction.in_units(name)[:, 0].numpy() * scale + loc for name in ("time", "frequency")
    ]
    answer = reconstruct(NETWORK, rows, ("time", "frequency"), batch_size=4)
    assert answer.dtype == np.float64
    assert_close(answer, np.stack(expected, 1))


@pytest.mark.parametrize(("unit", "level"), [(1e-200, 0), (1e150, 0), (3, 1e4)])
def test_units_and_levels_of_reconstructions_do_not_matter(unit, level):
    rows = draw_rows(3).astype(float)
    expected = reconstruct(NETWORK, rows, ["time"], batch_size=4)
    answer = reconstruct(NETWORK, unit * rows + level, ["time"], batch_size=4)
    assert_close((answer - level) / unit, expected, 1e-4)


def test_forecasts_have_their_own_length():
    answer = reconstruct(NETWORK, draw_rows(3), ["forecast"], batch_size=4)
    assert answer.shape == (3, 1, SMALL.forecast_length)


def test_a_level_row_keeps_its_level_and_an_unknown_one_is_not_guessed():
    rows = draw_rows(3)
    rows[1] = np.where(np.isnan(rows[1]), np.nan, -4.5)
    rows[2, 7:] = np.nan  # fewer than a patch
    varied, level, unknown = reconstruct(NETWORK, rows, ["time"], batch_size=4)[:, 0]
    assert np.ptp(varied) > 0
    np.testing.assert_array_equal(level, np.full(64, -4.5))
    assert np.isnan(unknown).all()
    assert reconstruct(NETWORK, rows[:0], ["time"], batch_size=4).shape == (0, 1, 64)


# --------------------------------------------------------------------------- device


def test_the_device_is_the_one_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_best_device_is_found(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == torch.device(expected)


@pytest.mark.parametrize("device", ["gpu", "CPU", "meta", "cuda:99", "", None, 0.5, ["cpu"]])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device):
    with pytest.raises(ValueError, match=r"device=.* is not available .*'cpu'.*'auto'"):
        resolve_device(device)


# --------------------------------------------------------------------------- fingerprint


def test_fingerprints_tell_weights_and_sizes_apart():
    assert fingerprint(NETWORK) == fingerprint(small_network())
    others = [small_network(1), TSPulse(replace(SMALL, n_layers=1))]
    assert fingerprint(NETWORK) not in {fingerprint(network) for network in others}
    one_bit = small_network()
    one_bit.revin.bias.data += 1e-7
    assert fingerprint(one_bit) != fingerprint(NETWORK)
