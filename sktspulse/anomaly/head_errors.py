"""How far each head of the network misses the points of a series that it did not see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd

import numpy as np

from ..network import Progress, TSPulse, TSPulseConfig, reconstruct
from ..series import Floats, Indices, Stitcher, take_windows, window_starts
from .smoothing import averages

__all__ = ["TRAILING_BLOCK", "PointErrors", "TrailingErrors", "heads_of"]

TRAILING_BLOCK = 64  # points that TrailingErrors gives at once
_NETWORK_HEADS = ("time", "frequency", "coarse", "forecast")
_COARSE = 4  # points averaged for the coarse head, which sees as many times as far
_N_PASSES = 8  # passes over a window, each hiding every eighth patch
_N_COVERS = 8  # windows over a point: with the passes, an eighth of a pass a point
_BLOCK = 128  # windows held at once, in all passes


def heads_of(config: TSPulseConfig, *, trailing: bool = False) -> tuple[str, ...]:
    """Name what a network says that can be compared with a series.

    Parameters
    ----------
    config : TSPulseConfig
        Sizes of the network.
    trailing : bool, default=False
        Whether it may know nothing of what comes later, as in :class:`TrailingErrors`.

    Returns
    -------
    tuple of str
        Some of ``"time"``, ``"frequency"``, ``"coarse"`` and ``"forecast"``.
    """
    has = (True, config.frequency_head, not trailing, config.forecast_length > 0)
    return tuple(name for name, there in zip(_NETWORK_HEADS, has, strict=True) if there)


class PointErrors:
    """Squared errors of heads at every point of a series.

    The time and the frequency head reconstruct patches that are hidden from the window;
    coarse, one of them does so on the series averaged over every 4 points, of which a
    window holds more; the forecast head gives the points after it. A window is scaled on
    its way into the network and back, so units do not matter to it.

    Parameters
    ----------
    network : TSPulse
        The network, in evaluation mode.
    heads : sequence of str
        Some of ``heads_of(network.config)``.
    batch_size : int
        Windows given to the network at once.
    progress : Progress, default=None
        Told of every window that is done.
    """

    def __init__(
        self,
        network: TSPulse,
        heads: Sequence[str],
        batch_size: int,
        progress: Progress | None = None,
    ) -> None:
        self.network = network
        self.heads = heads
        self.batch_size = batch_size
        self.progress = progress
        self.length = network.config.context_length
        self.hidden_heads = tuple(name for name in heads if name in ("time", "frequency"))

    def __call__(self, series: Floats) -> dict[str, Floats]:
        """Compare one channel with the heads.

        Parameters
        ----------
        series : ndarray of shape (n_timepoints,)
            Values; NaN where missing.

        Returns
        -------
        dict of str to ndarray of shape (n_timepoints,)
            Squared errors of each head [squared units of the series]; NaN where a value
            is missing or too little around it is known.
        """
        errors: dict[str, Floats] = {}
        if self.hidden_heads:
            errors |= zip(self.hidden_heads, self._hidden_errors(series), strict=True)
        if "coarse" in self.heads:
            padded = np.pad(series, (0, -len(series) % _COARSE), constant_values=np.nan)
            (found,) = self._coarse()(averages(padded, _COARSE, _COARSE)).values()
            repeated = np.repeat(found, _COARSE)[: len(series)]
            errors["coarse"] = np.where(np.isnan(series), np.nan, repeated)
        if "forecast" in self.heads:
            errors["forecast"] = self._forecast_errors(series)
        return errors

    def count(self, n_timepoints: int) -> int:
        """Count the windows laid over a series of some length."""
        count = len(self._hidden_starts(n_timepoints)) if self.hidden_heads else 0
        if "coarse" in self.heads:
            count += self._coarse().count(-(-n_timepoints // _COARSE))
        if "forecast" in self.heads:
            count += sum(len(self._forecast_starts(n)) for n in self._turn(n_timepoints))
        return count

    def _coarse(self) -> PointErrors:
        """Return what reads averages by the one head that knows rhythms best."""
        head = "frequency" if self.network.config.frequency_head else "time"
        return PointErrors(self.network, (head,), self.batch_size, self.progress)

    def _hidden_starts(self, n_timepoints: int) -> Indices:
        n_padded = max(self.length, n_timepoints)
        return window_starts(n_padded, self.length, _step(self.network.config))

    def _hidden_errors(self, series: Floats) -> Floats:
        """Average the errors at hidden points over all windows that cover them."""
        short = max(0, self.length - len(series))
        padded = np.pad(series, (short, 0), constant_values=np.nan)
        stitcher = Stitcher(len(self.hidden_heads), len(padded), self.length, taper=False)
        for starts in self._blocks(self._hidden_starts(len(series))):
            windows = take_windows(padded[None], starts, self.length)[:, 0]
            errors = self._errors_in(windows)
            stitcher.add(starts, np.nan_to_num(errors), weight=np.isfinite(errors))
        return stitcher.mean()[:, short:]

    def _errors_in(self, windows: Floats) -> Floats:
        """Hide every patch of windows ``(n, T)`` in turn; return errors ``(n, heads, T)``."""
        patches = np.arange(self.length) // self.network.config.patch_length
        hidden = patches % _N_PASSES == np.arange(_N_PASSES)[:, None]  # (P, T)
        shown = np.where(hidden, np.nan, windows[:, None])  # (n, P, T)
        answers = self._reconstruct(shown.reshape(-1, self.length), self.hidden_heads)
        answers = answers.reshape(*shown.shape[:2], -1, self.length)  # (n, P, heads, T)
        guess = np.where(hidden[:, None], answers, 0).sum(1)
        return np.square(guess - windows[:, None])

    def _reconstruct(self, rows: Floats, heads: Sequence[str]) -> Floats:
        return reconstruct(self.network, rows, heads, batch_size=self.batch_size)

    def _turn(self, n_timepoints: int) -> tuple[int, int]:
        """Count the points that more is known after than before, or enough, and the others."""
        turn = min(self.length, n_timepoints // 2)
        return turn, n_timepoints - turn

    def _forecast_errors(self, series: Floats) -> Floats:
        """Forecast every point from those before; the first ones, backwards, from those after."""
        turn, _ = self._turn(len(series))
        ahead = self._errors_ahead(series, turn)
        reversed_ = series[: turn + self.length][::-1]
        back = self._errors_ahead(reversed_, len(reversed_) - turn)
        return np.concatenate([back[::-1], ahead])

    def _forecast_starts(self, n_points: int) -> Indices:
        step = self.network.config.forecast_length
        return np.arange(0, n_points, step, dtype=np.int64)

    def _errors_ahead(self, series: Floats, first: int) -> Floats:
        """Return the errors of forecasts of all points from ``first`` on."""
        step = self.network.config.forecast_length
        n_points = len(series) - first
        ends = first + self._forecast_starts(n_points)
        padded = np.pad(series, (self.length, step), constant_values=np.nan)
        errors = []
        for starts in self._blocks(ends):
            windows = take_windows(padded[None], starts, self.length + step)[:, 0]
            past, future = windows[:, : self.length], windows[:, self.length :]
            answers = self._reconstruct(past, ["forecast"])[:, 0]
            errors.append(np.square(answers - future).ravel())
        return np.concatenate([*errors, np.empty(0)])[:n_points]

    def _blocks(self, starts: Indices) -> Iterator[Indices]:
        for first in range(0, len(starts), _BLOCK):
            block = starts[first : first + _BLOCK]
            yield block
            if self.progress is not None:
                self.progress.update(len(block))


class TrailingErrors(PointErrors):
    """Squared errors of heads, of which none knows what comes later than its block.

    The series is cut into blocks of 64 points. Those of a block are hidden in turn from
    the window that ends with it, so their errors are known as soon as it is full. There
    is a forecast only where something came before.

    Parameters
    ----------
    network : TSPulse
        The network, in evaluation mode.
    heads : sequence of str
        Some of ``heads_of(network.config, trailing=True)``.
    batch_size : int
        Windows given to the network at once.
    progress : Progress, default=None
        Told of every window that is done.
    first : int, default=0
        First point wanted, where a block begins. What the heads need before it are a
        window and a block.
    """

    def __init__(
        self,
        network: TSPulse,
        heads: Sequence[str],
        batch_size: int,
        progress: Progress | None = None,
        first: int = 0,
    ) -> None:
        super().__init__(network, heads, batch_size, progress)
        self.first = first

    def _hidden_starts(self, n_timepoints: int) -> Indices:
        """Return where windows start that end with a block, on the series with one before it."""
        ends = np.arange(self.first + TRAILING_BLOCK, n_timepoints + TRAILING_BLOCK, TRAILING_BLOCK)
        return np.minimum(ends, n_timepoints)

    def _hidden_errors(self, series: Floats) -> Floats:
        padded = np.pad(series, (self.length, 0), constant_values=np.nan)
        found = []
        for starts in self._blocks(self._hidden_starts(len(series))):
            windows = take_windows(padded[None], starts, self.length)[:, 0]
            found.append(self._errors_in(windows)[..., -TRAILING_BLOCK:].swapaxes(0, 1))
        errors = np.concatenate(found, 1)  # (heads, n, block)
        n_last = (len(series) - self.first - 1) % TRAILING_BLOCK + 1
        full = errors[:, :-1].reshape(len(errors), -1)
        return np.concatenate([full, errors[:, -1, -n_last:]], 1)

    def _turn(self, n_timepoints: int) -> tuple[int, int]:
        return 0, n_timepoints - self.first

    def _forecast_errors(self, series: Floats) -> Floats:
        return self._errors_ahead(series, self.first)


def _step(config: TSPulseConfig) -> int:
    """Choose the steps between windows so that a point has every place in its patch in turn."""
    most = max(1, config.context_length // _N_COVERS)
    return next(step for step in range(most, 0, -1) if gcd(step, config.patch_length) == 1)
