"""The script on a GPU draws the windows, and takes the steps, of the estimator."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from sktspulse import TrainingDisplay
from sktspulse.network.checkpoints import save_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.corpus import Corpus
from sktspulse.pretraining.losses import LOSS_WEIGHTS
from sktspulse.pretraining.optimizer import MuonAdamW

LENGTH = 33
LENGTHS = (400, 300, 20, 60)


@pytest.fixture
def on_device(monkeypatch):
    folder = Path(__file__).parents[2] / "examples" / "pretraining"
    if not folder.exists():
        pytest.skip("the examples are not beside these tests")
    monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module("on_device")
    for name in ("on_device", "holdout"):
        sys.modules.pop(name, None)


@pytest.fixture
def path(tmp_path):
    """Ramps, each value encodes its series and time point."""
    ramps = [1000 * i + np.arange(n, dtype=np.float32) for i, n in enumerate(LENGTHS)]
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    np.savez(tmp_path / "c.npz", values=np.concatenate(ramps), offsets=offsets, source=[0, 0, 0, 1])
    return tmp_path / "c.npz"


def windows(on_device, path, resolution, n=400):
    torch.manual_seed(0)
    corpus = on_device.Corpus(path, LENGTH, (resolution,), torch.device("cpu"))
    return corpus.draw(n).numpy()


@pytest.mark.parametrize("resolution", [0.25, 0.5, 1, 2, 8])
def test_long_series_are_read_at_the_requested_resolution(on_device, path, resolution):
    drawn = windows(on_device, path, resolution)
    long = drawn[drawn.max(1) < 2000]
    reference = Corpus.from_files([path]).draw(
        np.linspace(0, 0.2, 50), LENGTH, (resolution,), np.random.default_rng(0)
    )
    steps = np.diff(reference)[:1].repeat(len(long), 0)
    np.testing.assert_allclose(np.diff(long), steps, atol=1e-3)


@pytest.mark.parametrize("resolution", [2, 4, 8])
def test_half_of_the_downsampled_windows_are_averages(on_device, path, resolution):
    drawn = windows(on_device, path, resolution)
    first = drawn[drawn.max(1) < 2000, 0] % 1
    assert set(first) == {0.0, 0.5}
    assert 0.4 < (first == 0.5).mean() < 0.6


def test_windows_lie_within_their_series_and_reach_its_ends(on_device, path):
    drawn = windows(on_device, path, 1, 4000)
    series, position = np.divmod(drawn, 1000)
    known = ~np.isnan(drawn)
    assert all(len(set(row[there])) == 1 for row, there in zip(series, known, strict=True))
    for index, length in enumerate(LENGTHS):
        found = set(position[series == index])
        assert {min(found), max(found)} == {0, length - 1}


def test_a_short_series_is_whole_and_anywhere_in_the_window(on_device, path):
    drawn = windows(on_device, path, 1, 4000)
    short = drawn[(drawn // 1000 == 2).any(1)]
    assert (np.isfinite(short).sum(1) == LENGTHS[2]).all()
    assert set(np.isfinite(short).argmax(1)) == set(range(LENGTH - LENGTHS[2] + 1))


def test_series_are_drawn_as_often_as_from_main_memory(on_device, path):
    drawn = windows(on_device, path, 1, 8000)
    fraction = np.bincount((np.nanmax(drawn, 1) // 1000).astype(int), minlength=4) / len(drawn)
    np.testing.assert_allclose(fraction, Corpus.from_files([path]).probabilities(), atol=0.02)


def test_part_of_a_whole_step_is_a_step_of_that_rate(on_device):
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in ((6, 4), (5,))]
    ours, theirs = ([torch.nn.Parameter(x.clone()) for x in start] for _ in range(2))
    whole = MuonAdamW(ours[:1], ours[1:], lr=1.0)
    plain = MuonAdamW(theirs[:1], theirs[1:], lr=0.003)
    for _ in range(5):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn(mine.shape, generator=generator)
            other.grad = mine.grad.clone()
        on_device.update(whole, [x.detach() for x in ours], torch.tensor(0.003))
        plain.step()
    for mine, other, before in zip(ours, theirs, start, strict=True):
        assert (other - before).abs().max() > 1e-3
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-5)


class FewSeries:
    """Stands in for the pool, which takes processes of its own to fill."""

    def __init__(self, length, device, n_workers):
        self.series = torch.randn((8, length), device=device).cumsum(1)

    def draw(self, n):
        return self.series[torch.randint(8, (n,))]


@pytest.fixture
def trainer(on_device, tmp_path, monkeypatch):
    config = TSPulseConfig(
        context_length=64, d_model=4, n_layers=1, n_registers=2, n_signature_bins=16
    )
    save_checkpoint(TSPulse(config), tmp_path / "tiny.safetensors")
    series = np.random.default_rng(0).standard_normal((6, 300)).cumsum(1)
    corpus = {"values": series.ravel(), "offsets": np.arange(0, 1801, 300)}
    np.savez(tmp_path / "c.npz", **corpus, source=np.zeros(6, int))
    arguments = argparse.Namespace(
        name="tspulse-p8",
        device="cpu",
        start=tmp_path / "tiny.safetensors",
        corpus=tmp_path / "c.npz",
        data=tmp_path,
        output=tmp_path,
        workers=1,
    )
    # This backend needs no compiler, and refuses what cannot be one graph.
    eager = partial(torch.compile, backend="eager", fullgraph=True)
    monkeypatch.setattr(torch, "compile", eager)
    monkeypatch.setattr(on_device, "PAIRS", 4)
    monkeypatch.setattr(on_device, "Pool", FewSeries)
    return on_device.Trainer(arguments)


def test_steps_change_the_weights_and_their_average_follows(trainer):
    before = [p.detach().clone() for p in trainer.network.parameters()]
    trainer.rate.fill_(1e-3)
    for _ in range(2):
        trainer.captured_step()()
    pairs = zip(trainer.network.parameters(), trainer.average.parameters(), strict=True)
    for (weight, average), start in zip(pairs, before, strict=True):
        assert not weight.equal(start)
        moved, lagging = (weight - start).abs().max(), (average - start).abs().max()
        assert 0 < lagging < 0.01 * moved


def test_losses_are_those_of_the_estimator(trainer):
    inputs, truth = trainer.batches.draw()
    assert inputs["x"].shape == (trainer.n_windows, 1, 64)
    losses = trainer.compute(inputs, truth)
    assert set(losses) == {*LOSS_WEIGHTS, "loss"}
    weights = LOSS_WEIGHTS | {"signature": 0.5}
    total = sum(weights[name] * losses[name] for name in LOSS_WEIGHTS)
    assert losses["loss"].item() == pytest.approx(total.item(), rel=1e-5)


def test_the_history_is_drawn_by_the_display(on_device, trainer, tmp_path, monkeypatch):
    monkeypatch.setattr(on_device, "STEPS_PER_ROW", 1)
    monkeypatch.setattr(on_device, "STEPS_PER_REFRESH", 10**9)
    with (tmp_path / "history.csv").open("w", newline="") as file:
        assert on_device.train(trainer, file, 1e-3, time.monotonic() + 0.5) > 0
    display = TrainingDisplay.from_history(tmp_path / "history.csv")
    assert set(display.losses) == {*LOSS_WEIGHTS, "loss"}
