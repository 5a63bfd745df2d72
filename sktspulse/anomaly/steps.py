"""Steps between neighbouring known values, comparable across gaps."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from ..series import Floats

__all__ = ["StepScale"]

_MAX_LAG = 8  # time points; steps across wider gaps are unknown
_QUANTILE = 0.99  # of the squared steps; larger ones do not count


class StepScale(NamedTuple):
    """Typical squared steps of a channel over one time point and more."""

    squares: Floats  # (8,), by the number of time points

    @classmethod
    def fit(cls, values: Floats) -> Self:
        """Fit to a scaled channel ``(T,)``, NaN where missing."""
        return cls(np.array([_typical_square(values, lag) for lag in range(1, _MAX_LAG + 1)]))

    def __call__(self, values: Floats) -> Floats:
        """Return the smaller squared step to every value ``(T,)`` from the last two known ones.

        So a single wild value does not mark the next one. Steps over more than one time point are
        divided by how much larger they usually are. NaN marks missing values, the first one, and
        those after gaps of more than 7.
        """
        known = np.flatnonzero(np.isfinite(values))
        found = np.full((2, len(values)), np.inf)
        for row, n_back in zip(found, (1, 2), strict=True):
            lags = known[n_back:] - known[:-n_back]
            near = lags <= _MAX_LAG
            steps = values[known[n_back:]] - values[known[:-n_back]]
            factors = self.squares[0] / self.squares[lags[near] - 1]
            row[known[n_back:][near]] = np.square(steps[near]) * factors
        smaller = found.min(0)
        return np.where(np.isfinite(smaller), smaller, np.nan)


def _typical_square(values: Floats, lag: int) -> float:
    squares = np.square(values[lag:] - values[:-lag])
    squares = squares[np.isfinite(squares)]
    if not len(squares):
        return 1.0
    return float(np.minimum(squares, np.quantile(squares, _QUANTILE)).mean()) or 1.0
