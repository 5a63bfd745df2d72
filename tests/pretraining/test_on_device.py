"""The device is given the windows, and takes the steps, that the processor would."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sktspulse.pretraining.corpus import Corpus
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
    for name in ("on_device", "aside"):
        sys.modules.pop(name, None)


@pytest.fixture
def path(tmp_path):
    """Ramps, in which a value says which series it is from and where."""
    ramps = [1000 * i + np.arange(n, dtype=np.float32) for i, n in enumerate(LENGTHS)]
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    np.savez(tmp_path / "c.npz", values=np.concatenate(ramps), offsets=offsets, source=[0, 0, 0, 1])
    return tmp_path / "c.npz"


def windows(on_device, path, resolution, n=400):
    torch.manual_seed(0)
    corpus = on_device.Corpus(path, LENGTH, (resolution,), torch.device("cpu"))
    return corpus.draw(n).numpy()


@pytest.mark.parametrize("resolution", [0.25, 0.5, 1, 2, 8])
def test_long_series_are_read_at_the_pace_asked_for(on_device, path, resolution):
    drawn = windows(on_device, path, resolution)
    long = drawn[drawn.max(1) < 2000]
    reference = Corpus.from_files([path]).draw(
        np.linspace(0, 0.2, 50), LENGTH, (resolution,), np.random.default_rng(0)
    )
    steps = np.diff(reference)[:1].repeat(len(long), 0)
    np.testing.assert_allclose(np.diff(long), steps, atol=1e-3)


@pytest.mark.parametrize("resolution", [2, 4, 8])
def test_half_of_the_shrunk_windows_are_averages(on_device, path, resolution):
    drawn = windows(on_device, path, resolution)
    first = drawn[drawn.max(1) < 2000, 0] % 1
    assert set(first) == {0.0, 0.5}
    assert 0.4 < (first == 0.5).mean() < 0.6


def test_windows_lie_within_their_series_and_reach_its_ends(on_device, path):
    drawn = windows(on_device, path, 1, 4000)
    series, place = np.divmod(drawn, 1000)
    known = ~np.isnan(drawn)
    assert all(len(set(row[there])) == 1 for row, there in zip(series, known, strict=True))
    for index, length in enumerate(LENGTHS):
        found = set(place[series == index])
        assert {min(found), max(found)} == {0, length - 1}


def test_a_short_series_is_whole_and_anywhere_in_the_window(on_device, path):
    drawn = windows(on_device, path, 1, 4000)
    short = drawn[(drawn // 1000 == 2).any(1)]
    assert (np.isfinite(short).sum(1) == LENGTHS[2]).all()
    assert set(np.isfinite(short).argmax(1)) == set(range(LENGTH - LENGTHS[2] + 1))


def test_series_are_drawn_as_often_as_from_main_memory(on_device, path):
    drawn = windows(on_device, path, 1, 8000)
    share = np.bincount((np.nanmax(drawn, 1) // 1000).astype(int), minlength=4) / len(drawn)
    np.testing.assert_allclose(share, Corpus.from_files([path]).probabilities(), atol=0.02)


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
