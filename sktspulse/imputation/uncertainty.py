"""How far filled values may be off: learned from those whose truth was held back."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ..series import Floats
from .blending import N_FAR
from .trial import Trial, error_variances

__all__ = ["Doubt", "Uncertainty"]

_SMALLEST = 1e-20  # variance that nothing is below
_LEAST = 0.05  # weight of the usual error
_ENOUGH = 200  # points from which a distance has a factor of its own
_SHARE, _DEVIATIONS = 0.9, 1.6449  # of errors, within so many standard deviations


class Doubt(NamedTuple):
    """What hints at the error of filled values; arrays ``(n, n_channels, n_timepoints)``."""

    heads: NDArray[np.float32]  # squared difference of the network's two reconstructions
    channels: Floats  # variance left once the other channels are known


class Uncertainty:
    """Tell the variance of the error of filled values.

    It is a weighted sum of what errors were in such gaps, of how far the network's two
    heads are apart, and of what the other channels leave open. The weights are those of
    least squares. The sum is scaled so that at each distance to what is known nine errors in
    ten lie within 1.645 deviations, as under a normal distribution.

    Parameters
    ----------
    usual : ndarray of shape (n_channels, n_cells + 1)
        Mean squared error by kind of gap.

    Attributes
    ----------
    weights : ndarray of shape (n_channels, 3)
        Weights of the three.
    factors : ndarray of shape (n_channels, n_cells + 1)
        What the sum is multiplied by.
    """

    def __init__(self, usual: Floats) -> None:
        self.usual = usual
        self.weights = np.tile([1.0, 0.0, 0.0], (len(usual), 1))
        self.factors = np.ones_like(usual)

    @classmethod
    def learn(cls, trial: Trial, doubt: Doubt) -> Self:
        """Learn from windows whose hidden points were filled for good.

        Parameters
        ----------
        trial : Trial
            Filled windows.
        doubt : Doubt
            What was known of the errors.

        Returns
        -------
        Uncertainty
            What was learned.
        """
        uncertainty = cls(error_variances(trial))
        hints = uncertainty._hints(trial.cells, doubt)
        squares, hidden = np.square(trial.filled - trial.truth), trial.hidden
        for channel, weights in enumerate(uncertainty.weights):
            inside = hidden[:, channel]
            if inside.any():
                known = hints[:, channel][inside], squares[:, channel][inside]
                weights[:] = _weigh(*known)
                ratios = known[1] / (known[0] @ weights).clip(_SMALLEST)
                cells = trial.cells[:, channel][inside]
                uncertainty.factors[channel] = _factors(ratios, cells, len(uncertainty.usual[0]))
        return uncertainty

    def __call__(self, cells: NDArray[np.int8], doubt: Doubt) -> Floats:
        """Return the variances, ``(n, n_channels, n_timepoints)``."""
        sums: Floats = (self._hints(cells, doubt) * self.weights[:, None]).sum(-1)
        return sums * self.factors[np.arange(len(self.factors))[:, None], cells]

    def _hints(self, cells: NDArray[np.int8], doubt: Doubt) -> Floats:
        usual = self.usual[np.arange(len(self.usual))[:, None], cells]
        return np.stack([usual, doubt.heads, doubt.channels], -1)


def _weigh(hints: Floats, squares: Floats) -> Floats:
    """Return the weights of least squares; errors count in units of the usual one."""
    scale = hints[:, :1].clip(_SMALLEST)
    weights: Floats = nnls(hints / scale, squares / scale[:, 0])[0]
    # A little of the usual error stays, so that no value is taken for certain.
    weights[0] = max(weights[0], _LEAST)
    return weights


def _factors(ratios: Floats, cells: NDArray[np.int8], n_cells: int) -> Floats:
    """Return what makes variances right for nine errors in ten, by distance to what is known."""
    factors = np.full(n_cells, np.quantile(ratios, _SHARE) / _DEVIATIONS**2)
    distance = np.arange(n_cells) // N_FAR
    for near in np.unique(distance):
        own = ratios[distance[cells] == near]
        if len(own) >= _ENOUGH:
            factors[distance == near] = np.quantile(own, _SHARE) / _DEVIATIONS**2
    return factors
