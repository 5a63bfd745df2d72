"""Windows for pre-training: recorded series, synthetic ones, and blends of both."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator, default_rng

from ..datasets import make_series
from ..network import explained, standardize
from ..series import Flags, Floats, Integers, Values, resample
from .augmentation import blend_and_flip
from .npz_files import read_arrays
from .options import WindowSampling

__all__ = ["Corpus", "WindowStream"]

_KINDS = {"values": "fiu", "offsets": "iu", "source": "iu"}  # of the arrays in a file
_LARGEST = np.float64(np.finfo(np.float32).max)
_SYNTHETIC_BLOCK = 2048  # series drawn at once, since every call has a fixed cost


@dataclass(frozen=True)
class Corpus:
    """Univariate series of any length, stored one after the other.

    Sources are sampled in proportion to the square root of their number of points, so that
    large ones do not dominate.
    """

    values: Values  # of all series, each roughly standardised; NaN where missing
    offsets: Integers  # where each series starts, and the end of the last one
    source: Integers  # number of the data set that each series comes from

    @classmethod
    def from_series(cls, series: Iterable[Values]) -> Corpus:
        """Standardise one-dimensional series and join them as one source."""
        joined = [_standardised(one) for one in series]
        if not any(np.isfinite(one).any() for one in joined):
            raise ValueError(f"X has {len(joined)} series, none of which has a known value.")
        lengths = np.array([len(one) for one in joined])
        return cls._from_lengths(np.concatenate(joined), lengths, np.zeros(len(joined), int))

    @classmethod
    def _from_lengths(cls, values: Values, lengths: Integers, source: Integers) -> Corpus:
        return cls(values, np.concatenate([[0], np.cumsum(lengths)]), source)

    @classmethod
    def from_files(cls, paths: Sequence[str | os.PathLike[str]]) -> Corpus:
        """Read ``.npz`` files with ``values``, ``offsets`` and ``source``, and join them."""
        parts = [cls._read(Path(path)) for path in paths]
        arrays = zip(*((part.values, part.lengths, part.source) for part in parts), strict=True)
        return cls._from_lengths(*map(np.concatenate, arrays))

    @classmethod
    def _read(cls, path: Path) -> Corpus:
        path.stat()  # that a file is absent is no damage
        with explained(path, "a corpus", "Write it again with numpy.savez."):
            corpus = cls(*read_arrays(path, _KINDS))
            corpus._check()
        return corpus

    def _check(self) -> None:
        n_values, n_series = len(self.values), len(self.source)
        ends = self.offsets[[0, -1]].tolist() if len(self.offsets) else []
        rises = ends == [0, n_values] and (self.lengths >= 1).all()
        if not rises or len(self.offsets) != n_series + 1:
            raise ValueError(
                f"offsets must rise from 0 to the {n_values} values, with one entry more than "
                f"the {n_series} of source."
            )
        if (self.source < 0).any():
            raise ValueError(f"source has {self.source.min()}, but data sets are numbered from 0.")
        if (np.abs(self.values) > _LARGEST).any():
            raise ValueError(
                "It holds infinite values, or such that single precision cannot hold. "
                "Use NaN where a value is missing."
            )
        if np.isnan(self.values).all():
            raise ValueError("It holds no known value.")

    def __len__(self) -> int:
        return len(self.source)

    @property
    def lengths(self) -> Integers:
        """Length of each series [time steps]."""
        return np.diff(self.offsets)

    def probabilities(self) -> Floats:
        """Return the probability of sampling from each series."""
        _, source = np.unique(self.source, return_inverse=True)
        points = np.bincount(source, weights=self.lengths)
        weights = self.lengths / np.sqrt(points[source])
        return weights / weights.sum()

    @cached_property
    def _edges(self) -> Floats:
        """Cumulative probabilities, from 0 to 1."""
        return np.concatenate([[0.0], self.probabilities().cumsum()])

    def split(self, every: int) -> tuple[Corpus, Corpus]:
        """Hold out every ``every``-th series; return the others, and the held-out ones."""
        held_out = np.arange(len(self)) % every == every - 1
        return self._take(~held_out), self._take(held_out)

    def _take(self, chosen: Flags) -> Corpus:
        values = self.values[np.repeat(chosen, self.lengths)]
        return self._from_lengths(values, self.lengths[chosen], self.source[chosen])

    def draw(
        self, positions: Floats, length: int, resolutions: Sequence[float], rng: Generator
    ) -> Values:
        """Cut windows ``(n_windows, length)`` at given positions and random resolutions.

        A position in [0, 1) determines a series, by cumulative probability, and where in it
        the window starts. Series that are too short are padded with NaN.
        """
        chosen = np.searchsorted(self._edges[1:-1], positions, side="right")
        fractions = (positions - self._edges[chosen]) / np.diff(self._edges)[chosen]
        windows = np.empty((len(positions), length), np.float32)
        for i, (index, fraction) in enumerate(zip(chosen, fractions, strict=True)):
            series = self.values[self.offsets[index] : self.offsets[index + 1]]
            windows[i] = _cut(series, fraction, length, resolutions, rng)
        return windows


def _cut(
    series: Values, fraction: float, length: int, resolutions: Sequence[float], rng: Generator
) -> Values:
    """Cut one window; a series that is too short is placed anywhere in it."""
    fitting = [r for r in resolutions if math.ceil(r * length) <= len(series)]
    resolution = fitting[rng.integers(len(fitting))] if fitting else 1
    span = min(math.ceil(resolution * length), len(series))
    start = min(int(fraction * (len(series) - span + 1)), len(series) - span)
    piece = _at_resolution(series[start : start + span].astype(np.float32), resolution, length, rng)
    n_before = rng.integers(length - len(piece) + 1)
    window = np.full(length, np.nan, np.float32)
    window[n_before : n_before + len(piece)] = piece
    return window


def _at_resolution(piece: Values, resolution: float, length: int, rng: Generator) -> Values:
    """Upsample by interpolation; downsample by averaging or by leaving out points."""
    if resolution < 1:
        return resample(piece, length)
    if resolution == 1:
        return piece
    steps = piece.reshape(-1, int(resolution))
    return steps.mean(1) if rng.random() < 0.5 else steps[:, 0]


def _standardised(series: Values) -> Values:
    return standardize(np.asarray(series, np.float64)).values.astype(np.float32)


@lru_cache(maxsize=1)
def _synthetic_block(n_series: int, length: int, seed: int, block: int, rank: int) -> Values:
    rng = default_rng([seed, block, rank, 1])
    return make_series(n_series, length, random_state=rng)


def _augmented(windows: Values, rng: Generator) -> Values:
    """Blend windows with each other, and flip them, at random."""
    n = len(windows)
    blending = [rng.random(n), rng.random(n)]
    partners = windows[rng.permutation(n)]
    uniform = torch.from_numpy(np.stack([*blending, rng.random(n)])[:, :, None])
    return blend_and_flip(torch.from_numpy(windows), torch.from_numpy(partners), uniform).numpy()


@lru_cache(maxsize=2)
def _shuffled_cells(n_cells: int, seed: int, epoch: int) -> Integers:
    return default_rng([seed, epoch, 3]).permutation(n_cells)


@dataclass(frozen=True)
class WindowStream:
    """Draw the windows of any training step, always the same for a step.

    Every batch is drawn from a generator that is seeded by the seed, the step and the rank
    of the process. So a resumed run draws what the uninterrupted run would have drawn.

    In each epoch the corpus is divided into as many cells as windows are drawn from it,
    and each cell is used once, by one of the processes. So no two windows of one
    resolution are the same, as long as the corpus has that many.
    """

    corpus: Corpus | None  # without one, all windows are synthetic
    length: int
    batch_size: int  # of one process
    sampling: WindowSampling
    seed: int
    steps_per_epoch: int = 1
    n_processes: int = 1

    def batch(self, step: int, rank: int = 0) -> Values:
        """Return the windows of one step, shape ``(batch_size, length)``, NaN where missing."""
        rng = default_rng([self.seed, step, rank])
        fraction = 1.0 if self.corpus is None else self.sampling.synthetic_fraction
        n_synthetic = round(self.batch_size * fraction)
        windows = [self._synthetic(n_synthetic, step, rank)]
        if self.corpus is not None:
            positions = self._positions(self.batch_size - n_synthetic, step, rank, rng)
            resolutions = self.sampling.resolutions
            windows.append(self.corpus.draw(positions, self.length, resolutions, rng))
        joined = np.concatenate(windows)
        return _augmented(joined, rng) if self.sampling.augment else joined

    def _positions(self, n_windows: int, step: int, rank: int, rng: Generator) -> Floats:
        epoch, step = divmod(step, self.steps_per_epoch)
        n_cells = n_windows * self.steps_per_epoch * self.n_processes
        first = (step * self.n_processes + rank) * n_windows
        cells = _shuffled_cells(n_cells, self.seed, epoch)[first : first + n_windows]
        return (cells + rng.random(n_windows)) / n_cells

    def _synthetic(self, n_series: int, step: int, rank: int) -> Values:
        if not n_series:
            return np.empty((0, self.length), np.float32)
        per_block = max(1, _SYNTHETIC_BLOCK // n_series)
        key = (self.length, self.seed, step // per_block, rank)
        block = _synthetic_block(per_block * n_series, *key)
        start = step % per_block * n_series
        return block[start : start + n_series]
