"""Where pre-training windows come from: recorded series, synthetic ones, and mixtures of both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .datasets import make_series

__all__ = ["Corpus", "WindowStream"]

_FACTORS = np.array([1, 2, 4, 8])  # steps of a recording that become one step of a window
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

    def split(self, every: int) -> tuple[Corpus, Corpus]:
        """Set every so-many-th series aside; return the others, and those."""
        aside = np.arange(len(self)) % every == every - 1
        return self._take(~aside), self._take(aside)

    def _take(self, chosen: NDArray[np.bool_]) -> Corpus:
        values = self.values[np.repeat(chosen, self.lengths)]
        offsets = np.concatenate([[0], np.cumsum(self.lengths[chosen])])
        return Corpus(values, offsets, self.source[chosen])

    def draw(self, n_windows: int, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Cut windows at random places and resolutions; short series are padded with NaN."""
        chosen = rng.choice(len(self), n_windows, p=self.probabilities())
        windows = np.full((n_windows, length), np.nan, np.float32)
        for window, index in zip(windows, chosen, strict=True):
            self._cut(window, self.values[self.offsets[index] : self.offsets[index + 1]], rng)
        return windows

    @staticmethod
    def _cut(
        window: NDArray[np.float32], series: NDArray[np.floating], rng: np.random.Generator
    ) -> None:
        length = len(window)
        fitting = _FACTORS[_FACTORS * length <= len(series)]
        factor = int(rng.choice(fitting)) if len(fitting) else 1
        span = min(length * factor, len(series))
        start = rng.integers(len(series) - span + 1)
        piece = series[start : start + span].astype(np.float32)
        if factor > 1:
            averaged = rng.random() < 0.5
            piece = piece.reshape(-1, factor)
            piece = piece.mean(1) if averaged else piece[:, 0]
        place = rng.integers(length - len(piece) + 1)
        window[place : place + len(piece)] = piece


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
    """Blend one window in five with another, flip every other, add noise to one in ten."""
    n = len(windows)
    share = np.where(rng.random(n) < 0.2, rng.uniform(0.5, 1, n), 1).astype(np.float32)[:, None]
    partner = windows[rng.permutation(n)]
    blended = np.where(share < 1, share * windows + (1 - share) * partner, windows)
    sign = np.where(rng.random((n, 1)) < 0.5, -1, 1).astype(np.float32)
    level = np.where(rng.random((n, 1)) < 0.1, rng.uniform(0, 0.2, (n, 1)), 0).astype(np.float32)
    return sign * blended + level * rng.standard_normal(windows.shape, np.float32)


@dataclass(frozen=True)
class WindowStream:
    """Give the windows of any training step, the same whenever it is asked.

    Every batch is drawn from a generator keyed by the seed, the step and the rank of
    the process. So a resumed run sees what the uninterrupted one would have seen, and
    no two processes see the same windows.

    Parameters
    ----------
    corpus : Corpus or None
        Recorded series; None trains on synthetic ones alone.
    length : int
        Length of a window, what follows it for the forecast included [time steps].
    batch_size : int
        Windows in a batch.
    synthetic_share : float
        Share of synthetic series, in [0, 1].
    augment : bool
        Whether windows are flipped, blended and made noisy.
    seed : int
        Seed of the stream.
    """

    corpus: Corpus | None
    length: int
    batch_size: int
    synthetic_share: float
    augment: bool
    seed: int

    def batch(self, step: int, rank: int = 0) -> NDArray[np.float32]:
        """Return the windows of one step, shape ``(batch_size, length)``, NaN where missing."""
        rng = np.random.default_rng([self.seed, step, rank])
        share = 1.0 if self.corpus is None else self.synthetic_share
        n_synthetic = round(self.batch_size * share)
        windows = [self._synthetic(n_synthetic, step, rank)]
        if self.corpus is not None:
            windows.append(self.corpus.draw(self.batch_size - n_synthetic, self.length, rng))
        joined = np.concatenate(windows)
        return _augmented(joined, rng) if self.augment else joined

    def _synthetic(self, n_series: int, step: int, rank: int) -> NDArray[np.float32]:
        if not n_series:
            return np.empty((0, self.length), np.float32)
        per_block = max(1, _SYNTHETIC_BLOCK // n_series)
        block = _synthetic_block(
            per_block * n_series, self.length, self.seed, step // per_block, rank
        )
        start = step % per_block * n_series
        return block[start : start + n_series]
