"""Where pre-training windows come from: recorded series, synthetic ones, and mixtures of both."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..datasets import make_series
from ..series import resample

__all__ = ["Corpus", "WindowStream"]

_SYNTHETIC_BLOCK = 2048  # series drawn at once: the cost of a call is paid once a block


@dataclass(frozen=True)
class Corpus:
    """Hold many univariate series of any length end to end.

    Parameters
    ----------
    values : ndarray of shape (n_points,)
        All series, one after the other, each roughly standardised; NaN where missing.
    offsets : ndarray of shape (n_series + 1,)
        Where each series begins, and the end of the last.
    source : ndarray of shape (n_series,)
        Number of the source each series comes from. A source weighs as the square
        root of its points, so that large ones do not drown the others.
    """

    values: NDArray[np.floating]
    offsets: NDArray[np.int64]
    source: NDArray[np.integer]

    @classmethod
    def from_series(cls, series: Iterable[NDArray[np.floating]]) -> Corpus:
        """Standardise one-dimensional series and join them as one source."""
        joined = [_standardised(one) for one in series]
        if not any(np.isfinite(one).any() for one in joined):
            raise ValueError(f"X has {len(joined)} series, none of which has a known value.")
        offsets = np.concatenate([[0], np.cumsum([len(one) for one in joined])])
        return cls(np.concatenate(joined), offsets, np.zeros(len(joined), int))

    @classmethod
    def from_files(cls, paths: Sequence[str | os.PathLike[str]]) -> Corpus:
        """Read ``.npz`` files holding ``values``, ``offsets`` and ``source``, and join them."""
        parts = [cls._read(Path(path)) for path in paths]
        starts = np.cumsum([0, *(len(part.values) for part in parts)])
        moved = [part.offsets[:-1] + start for part, start in zip(parts, starts, strict=False)]
        return cls(
            np.concatenate([part.values for part in parts]),
            np.concatenate([*moved, starts[-1:]]),
            np.concatenate([part.source for part in parts]),
        )

    @classmethod
    def _read(cls, path: Path) -> Corpus:
        names = ("values", "offsets", "source")
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in names if name in file]
        if len(arrays) < len(names):
            raise ValueError(f"{path} is no corpus: it must hold the arrays {names}.")
        corpus = cls(*arrays)
        corpus._check(path)
        return corpus

    def _check(self, path: Path) -> None:
        ends = self.offsets[[0, -1]].tolist() == [0, len(self.values)]
        if not ends or (self.lengths < 1).any() or len(self.lengths) != len(self.source):
            raise ValueError(
                f"{path} is no corpus: offsets must rise from 0 to the {len(self.values)} values, "
                f"with one more than the {len(self.source)} entries of source."
            )
        if np.isinf(self.values).any():
            raise ValueError(f"{path} holds infinite values. Put NaN where a value is missing.")

    def __len__(self) -> int:
        return len(self.source)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of each series [time steps]."""
        return np.diff(self.offsets)

    def probabilities(self) -> NDArray[np.float64]:
        """Return the chance of each series: sources by root of points, then by length."""
        points = np.bincount(self.source, weights=self.lengths)
        weights = self.lengths / np.sqrt(points[self.source])
        return weights / weights.sum()

    @cached_property
    def _edges(self) -> NDArray[np.float64]:
        """Divide [0, 1] among the series by their chances."""
        return np.concatenate([[0.0], self.probabilities().cumsum()])

    def split(self, every: int) -> tuple[Corpus, Corpus]:
        """Set every so-many-th series aside; return the others, and those."""
        aside = np.arange(len(self)) % every == every - 1
        return self._take(~aside), self._take(aside)

    def _take(self, chosen: NDArray[np.bool_]) -> Corpus:
        values = self.values[np.repeat(chosen, self.lengths)]
        offsets = np.concatenate([[0], np.cumsum(self.lengths[chosen])])
        return Corpus(values, offsets, self.source[chosen])

    def draw(
        self,
        places: NDArray[np.float64],
        length: int,
        resolutions: Sequence[float],
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Cut windows at given places of the whole corpus, at random resolutions.

        Parameters
        ----------
        places : ndarray of shape (n_windows,)
            Where each window lies in the corpus, in [0, 1): which series, by its chance,
            and where in that series.
        length : int
            Length of a window [time steps].
        resolutions : sequence of float
            Steps of a recording that become one step of a window: whole numbers shrink
            it, fractions stretch it.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_windows, length), float32
            Windows; a series that is too short is padded with NaN.
        """
        chosen = np.searchsorted(self._edges[1:-1], places, side="right")
        parts = (places - self._edges[chosen]) / np.diff(self._edges)[chosen]
        windows = np.full((len(places), length), np.nan, np.float32)
        for window, index, part in zip(windows, chosen, parts, strict=True):
            series = self.values[self.offsets[index] : self.offsets[index + 1]]
            _cut(window, series, part, resolutions, rng)
        return windows


def _cut(
    window: NDArray[np.float32],
    series: NDArray[np.floating],
    part: float,
    resolutions: Sequence[float],
    rng: np.random.Generator,
) -> None:
    length = len(window)
    fitting = [r for r in resolutions if math.ceil(r * length) <= len(series)]
    resolution = fitting[rng.integers(len(fitting))] if fitting else 1
    span = min(math.ceil(resolution * length), len(series))
    start = min(int(part * (len(series) - span + 1)), len(series) - span)
    piece = _at_resolution(series[start : start + span].astype(np.float32), resolution, length, rng)
    place = rng.integers(length - len(piece) + 1)
    window[place : place + len(piece)] = piece


def _at_resolution(
    piece: NDArray[np.float32], resolution: float, length: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    if resolution < 1:
        return resample(piece, length)
    if resolution == 1:
        return piece
    steps = piece.reshape(-1, int(resolution))
    return steps.mean(1) if rng.random() < 0.5 else steps[:, 0]


def _standardised(series: NDArray[np.floating]) -> NDArray[np.float32]:
    series = np.asarray(series, np.float64)
    known = series[np.isfinite(series)]
    loc, scale = (known.mean(), known.std()) if len(known) else (0.0, 1.0)
    return ((series - loc) / (scale or 1.0)).astype(np.float32)


@lru_cache(maxsize=1)
def _synthetic_block(
    n_series: int, length: int, seed: int, block: int, rank: int
) -> NDArray[np.float32]:
    rng = np.random.default_rng([seed, block, rank, 1])
    return make_series(n_series, length, random_state=rng)


def _augmented(windows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Blend one window in five with another, and flip every other."""
    n = len(windows)
    share = np.where(rng.random(n) < 0.2, rng.uniform(0.5, 1, n), 1).astype(np.float32)[:, None]
    partner = windows[rng.permutation(n)]
    blended = np.where(share < 1, share * windows + (1 - share) * partner, windows)
    return np.where(rng.random((n, 1)) < 0.5, -blended, blended)


@lru_cache(maxsize=2)
def _shuffled_cells(n_cells: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch, 3]).permutation(n_cells)


@dataclass(frozen=True)
class WindowStream:
    """Give the windows of any training step, the same whenever it is asked.

    Every batch is drawn from a generator keyed by the seed, the step and the rank of
    the process. So a resumed run sees what the uninterrupted one would have seen.

    In an epoch the corpus is divided into as many cells as windows are drawn from it,
    and each cell is drawn from once, by one of the processes: no two windows of one
    resolution are the same, as long as the corpus has that many.

    Parameters
    ----------
    corpus : Corpus or None
        Recorded series; None trains on synthetic ones alone.
    length : int
        Length of a window, and of what is needed beside it [time steps].
    batch_size : int
        Windows in a batch.
    synthetic_share : float
        Share of synthetic series, in [0, 1].
    resolutions : sequence of float
        Steps of a recording that become one step of a window.
    augment : bool
        Whether windows are flipped and blended.
    seed : int
        Seed of the stream.
    steps_per_epoch : int, default=1
        Batches of one process in an epoch.
    n_processes : int, default=1
        Processes that draw from the stream.
    """

    corpus: Corpus | None
    length: int
    batch_size: int
    synthetic_share: float
    resolutions: Sequence[float]
    augment: bool
    seed: int
    steps_per_epoch: int = 1
    n_processes: int = 1

    def batch(self, step: int, rank: int = 0) -> NDArray[np.float32]:
        """Return the windows of one step, shape ``(batch_size, length)``, NaN where missing."""
        rng = np.random.default_rng([self.seed, step, rank])
        share = 1.0 if self.corpus is None else self.synthetic_share
        n_synthetic = round(self.batch_size * share)
        windows = [self._synthetic(n_synthetic, step, rank)]
        if self.corpus is not None:
            places = self._places(self.batch_size - n_synthetic, step, rank, rng)
            windows.append(self.corpus.draw(places, self.length, self.resolutions, rng))
        joined = np.concatenate(windows)
        return _augmented(joined, rng) if self.augment else joined

    def _places(
        self, n_windows: int, step: int, rank: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        epoch, step = divmod(step, self.steps_per_epoch)
        n_cells = n_windows * self.steps_per_epoch * self.n_processes
        first = (step * self.n_processes + rank) * n_windows
        cells = _shuffled_cells(n_cells, self.seed, epoch)[first : first + n_windows]
        return (cells + rng.random(n_windows)) / n_cells

    def _synthetic(self, n_series: int, step: int, rank: int) -> NDArray[np.float32]:
        if not n_series:
            return np.empty((0, self.length), np.float32)
        per_block = max(1, _SYNTHETIC_BLOCK // n_series)
        block = _synthetic_block(
            per_block * n_series, self.length, self.seed, step // per_block, rank
        )
        start = step % per_block * n_series
        return block[start : start + n_series]
