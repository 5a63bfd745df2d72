"""How far to trust each way of filling a gap: weights learned where the truth is known.

The candidates are the network's two reconstructions, the same phase of other periods, and two
interpolations. Near a known point of a smooth recording a ruler is hard to beat; far inside a
gap only the network and other periods know the shape. So the weights depend on the channel and
on the distance to the known points on both sides, and are those of least squares on points
hidden for the purpose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["CANDIDATES", "N_FAR", "Blend", "gap_cells", "ridge"]

CANDIDATES = ("time", "frequency", "seasonal", "cubic", "linear")
_NEAR = np.array([2, 3, 5, 9, 17, 33])  # edges of the cells of the nearer side [steps]
_FAR = np.array([2, 3, 5, 9, 17, 33, 65])
N_FAR = len(_FAR) + 1  # cells of one distance to the nearer side
_PRIOR = np.array([0.35, 0.35, 0.0, 0.0, 0.3])  # weights where nothing could be learned
_STRENGTH = 20.0  # points of evidence the pooled weights are worth in a cell


def gap_cells(nearer: NDArray[np.int64], farther: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the number of the kind of gap each point lies in, by the distances to both sides.

    Parameters
    ----------
    nearer, farther : ndarray of int
        Distance to the nearer and to the farther known side [steps].

    Returns
    -------
    ndarray of int, of the same shape
        Cell of each point, from 0 to ``Blend.n_cells - 1``.
    """
    near, far = np.digitize(nearer, _NEAR), np.digitize(farther, _FAR)
    return near * N_FAR + far


class Blend:
    """Weigh the candidates for each channel and kind of gap.

    The weights add up to one, so that a constant added to the series is added to the
    result. Every cell is drawn towards the weights of all cells of its channel, the more
    the fewer points it has, and those towards a prior that trusts all a little.

    Parameters
    ----------
    n_channels : int
        Number of channels.

    Attributes
    ----------
    weights : ndarray of shape (n_channels, n_cells, 5)
        Weight of each of ``CANDIDATES``.
    """

    n_cells = (len(_NEAR) + 1) * N_FAR

    def __init__(self, n_channels: int) -> None:
        self.weights = np.tile(_PRIOR, (n_channels, self.n_cells, 1))

    def learn(
        self,
        channel: int,
        candidates: NDArray[np.floating],
        truth: NDArray[np.floating],
        cells: NDArray[np.int64],
    ) -> None:
        """Learn the weights of one channel from hidden points.

        Parameters
        ----------
        channel : int
            Number of the channel.
        candidates : ndarray of shape (n_points, 5)
            What each candidate says.
        truth : ndarray of shape (n_points,)
            What was hidden.
        cells : ndarray of int, of shape (n_points,)
            Kind of gap each point lies in.
        """
        base = candidates[:, -1:]
        offers, gain = candidates[:, :-1] - base, truth - base[:, 0]
        centre = ridge(offers, gain, _PRIOR[:-1])
        order = np.argsort(cells, kind="stable")
        bounds = np.searchsorted(cells[order], np.arange(self.n_cells + 1))
        for cell in range(self.n_cells):
            inside = order[bounds[cell] : bounds[cell + 1]]
            learned = ridge(offers[inside], gain[inside], centre)
            self.weights[channel, cell] = [*learned, 1 - learned.sum()]

    def __call__(
        self, channel: int, candidates: NDArray[np.floating], cells: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Blend the candidates of each point of one channel, shapes as in ``learn``."""
        return np.einsum("nk,nk->n", candidates, self.weights[channel, cells])


def ridge(
    offers: NDArray[np.float64], gain: NDArray[np.float64], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve least squares drawn towards ``centre`` with the force of a few points."""
    if not len(gain):
        return centre
    scale = max(offers.var(), np.finfo(np.float64).tiny)
    left = offers.T @ offers + _STRENGTH * scale * np.eye(offers.shape[1])
    return centre + np.linalg.solve(left, offers.T @ (gain - offers @ centre))
