"""How much larger the errors of the network are where little is known around a point."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from ..series import Flags, Floats, Indices

__all__ = ["ContextCorrection"]

_KNOWN_EDGES = np.array([208, 320, 448])  # of the bins of known points in a window
_NEAR_EDGES = np.array([5, 12])  # of the bins of known points in the two adjacent patches
_N_KNOWN, _N_NEAR = len(_KNOWN_EDGES) + 1, len(_NEAR_EDGES) + 1
_N_WINDOWS = 30  # from which values are removed
_N_WHOLE = 16  # windows that they are compared with
_N_PASSES = 2  # over each of them, which give the errors of a quarter of the points
# Fraction of single points that are removed, and of the window in front or behind.
_REMOVED = (
    *((0.5, 0), (0, 0.75), (0.25, 0.5), (0.7, 0), (0, 0.875)),
    *((0.5, 0.5), (0, 0.5), (0.1, 0.25), (0.5, 0.75), (0.1, 0)),
)
_QUANTILES = (0.9, 0.98)  # of the errors, that are compared
_MIN_PATCHES = 20  # in a bin

# Windows (n, T), what is visible of them, number of passes -> squared errors (n, n_heads, T).
WindowErrors = Callable[[Floats, Floats, int], Floats]


class ContextCorrection(NamedTuple):
    """Divide errors by how much larger they are where less is known."""

    patch_length: int
    factors: (
        Floats  # (n_heads, n_known_bins * n_near_bins), at least 1; NaN where too little is known
    )

    @classmethod
    def fit(cls, windows: Floats, compute: WindowErrors, patch_length: int) -> Self:
        """Compare the errors in windows ``(n, T)`` before and after values are removed."""
        reduced = _spread(windows, _N_WINDOWS)
        reduced[_removed(reduced.shape)] = np.nan
        parts = reduced, _spread(windows, _N_WHOLE)
        errors = [
            _patch_means(compute(part, part, _N_PASSES).swapaxes(0, 1), patch_length)
            for part in parts
        ]
        bins = [_bins(part, patch_length) for part in parts]
        factors = [_factors(*pair, *bins) for pair in zip(*errors, strict=True)]
        return cls(patch_length, np.array(factors))

    def __call__(self, windows: Floats, errors: Floats) -> Floats:
        """Correct the errors ``(n, n_heads, T)`` of windows ``(n, T)``."""
        bins = np.repeat(_bins(windows, self.patch_length), self.patch_length, axis=1)
        return errors / self.factors[:, bins].swapaxes(0, 1)


def _removed(shape: tuple[int, int]) -> Flags:
    """Choose which points of windows ``(n, T)`` are removed, always the same ones."""
    rng, time = np.random.default_rng(0), np.arange(shape[1]) / shape[1]
    removed = np.empty(shape, bool)
    for number, row in enumerate(removed):
        single, end = _REMOVED[number % len(_REMOVED)]
        place = time if number % 2 else time[::-1]
        row[:] = (rng.random(shape[1]) < single) | (place < end)
    return removed


def _bins(windows: Floats, patch_length: int) -> Indices:
    """Return the bin of every patch of windows ``(n, T)``, by what is known around it."""
    known = np.isfinite(windows)
    in_patch = np.pad(known.reshape(len(known), -1, patch_length).sum(2), ((0, 0), (1, 1)))
    near = np.digitize(in_patch[:, :-2] + in_patch[:, 2:], _NEAR_EDGES)
    total = np.digitize(known.sum(1), _KNOWN_EDGES)
    return total[:, None] * _N_NEAR + near


def _patch_means(errors: Floats, patch_length: int) -> Floats:
    """Average known errors ``(..., T)`` over patches ``(..., n_patches)``."""
    known = np.isfinite(errors)
    shape = *errors.shape[:-1], -1, patch_length
    sums, counts = (part.reshape(shape).sum(-1) for part in (np.where(known, errors, 0), known))
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _factors(errors: Floats, whole: Floats, bins: Indices, whole_bins: Indices) -> Floats:
    """Compare the errors of one head in patches ``(n, n_patches)`` with those in whole windows.

    Whole windows may have gaps of their own. In their bins, only they count.
    """
    usual = np.nanquantile(whole, _QUANTILES) if np.isfinite(whole).any() else np.zeros(1)
    table = np.full((_N_KNOWN, _N_NEAR), np.nan)
    for number in range(table.size):
        inside = whole[(whole_bins == number) & np.isfinite(whole)]
        if len(inside) < _MIN_PATCHES:
            inside = errors[(bins == number) & np.isfinite(errors)]
        if usual.min() > 0 and len(inside) >= _MIN_PATCHES:
            table.flat[number] = max(1.0, *(np.quantile(inside, _QUANTILES) / usual))
    table[-1, -1] = 1.0
    # A bin without enough points is taken for the worst of those where less is known.
    worst = np.fmax.accumulate(np.fmax.accumulate(table, 0), 1)
    table = np.where(np.isnan(table), np.where(np.isnan(worst), np.nanmax(table), worst), table)
    table[0] = np.nan
    return table.ravel()


def _spread(windows: Floats, count: int) -> Floats:
    """Take evenly spaced windows, with repetitions if there are few."""
    return windows[np.linspace(0, len(windows) - 1, count).round().astype(int)]
