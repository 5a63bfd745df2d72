"""Squared errors of the network's heads at points they did not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from math import gcd, lcm
from typing import ClassVar

import numpy as np

from ..network import Network, Progress, TSPulseConfig, reconstruct, side_by_side
from ..series import Floats, Indices, Stitcher, find_wild, take_windows, window_starts
from .context import ContextCorrection
from .pieces import Reach
from .smoothing import window_means

__all__ = ["CAUSAL_BLOCK", "CausalHeadErrors", "HeadErrors", "network_heads"]

CAUSAL_BLOCK = 64  # points that CausalHeadErrors scores at once
_NETWORK_HEADS = ("time", "frequency", "coarse", "forecast")
_COARSE = 4  # points averaged for the coarse head, which sees four times as far
_N_PASSES = 8  # passes over a window, each hiding every eighth patch
_N_COVERS = 8  # windows over a point: with the passes, an eighth of a pass for each point
_BLOCK = 128  # windows held at once, in all passes


def network_heads(config: TSPulseConfig, *, causal: bool = False) -> tuple[str, ...]:
    """Name the heads of a network whose errors can be computed; "coarse" looks ahead."""
    available = (True, config.frequency_head, not causal, config.forecast_length > 0)
    return tuple(compress(_NETWORK_HEADS, available))


@dataclass(frozen=True)
class HeadErrors:
    """Squared errors of heads at every point of a series.

    "time" and "frequency" reconstruct patches hidden from the window. "coarse" does so with one of
    them on means of 4 points. "forecast" predicts the points after the window.
    """

    network: Network  # in evaluation mode
    heads: Sequence[str]
    batch_size: int
    progress: Progress | None = None  # updated by the number of windows

    is_causal: ClassVar[bool] = False

    @property
    def length(self) -> int:
        """Length of a window [time points]."""
        return self.network.config.context_length

    @property
    def hidden_heads(self) -> tuple[str, ...]:
        """The heads in use that reconstruct hidden patches."""
        return tuple(name for name in self.heads if name in ("time", "frequency"))

    def fit_context(self, series: Floats) -> tuple[ContextCorrection | None, ...]:
        """Fit how errors on one channel ``(T,)`` depend on what is known around a point.

        The second correction is for the coarse head.
        """
        fine = self._fit_context(series) if self.hidden_heads else None
        coarse = self._coarse()._fit_context(_coarsen(series)) if "coarse" in self.heads else None
        return fine, coarse

    def __call__(
        self,
        series: Floats,
        shown: Floats | None = None,
        context: Sequence[ContextCorrection | None] = (None, None),
    ) -> dict[str, Floats]:
        """Return the squared errors ``(T,)`` of each head on one channel ``(T,)``.

        The network reads the values that are shown. Errors are NaN where a value is missing or
        fewer values than a patch are known around it.
        """
        shown = series if shown is None else shown
        fine, coarse = context
        errors: dict[str, Floats] = {}
        if self.hidden_heads:
            errors |= zip(self.hidden_heads, self._hidden_errors(series, shown, fine), strict=True)
        if "coarse" in self.heads:
            pair = _coarsen(series), _coarsen(shown)
            (found,) = self._coarse()(*pair, (coarse, None)).values()
            repeated = np.repeat(found, _COARSE)[: len(series)]
            errors["coarse"] = np.where(np.isnan(series), np.nan, repeated)
        if "forecast" in self.heads:
            errors["forecast"] = self._forecast_errors(series, shown)
        return errors

    @property
    def reach(self) -> Reach:
        """How far around a point the windows reach that give its errors, and their strides."""
        reaches = [Reach(0, 0, 1)]
        if self.hidden_heads:
            reaches.append(Reach(self.length, self.length, self._hidden_stride))
        if "coarse" in self.heads:
            reach = self._coarse().reach
            reaches.append(Reach(*(_COARSE * n for n in reach)))
        if "forecast" in self.heads:
            # The first window of the series is forecast backwards, from the second.
            both = 2 * self.length
            reaches.append(Reach(both, both, self.network.config.forecast_length))
        before, after, multiples = zip(*reaches, strict=True)
        return Reach(max(before), max(after), lcm(*multiples))

    @property
    def _hidden_stride(self) -> int:
        return _stride(self.network.config)

    def count(self, n_timepoints: int) -> int:
        """Count the windows over a series."""
        count = len(self._hidden_starts(n_timepoints)) if self.hidden_heads else 0
        if "coarse" in self.heads:
            count += self._coarse().count(-(-n_timepoints // _COARSE))
        if "forecast" in self.heads:
            count += sum(len(self._forecast_starts(n)) for n in self._split(n_timepoints))
        return count

    def _coarse(self) -> HeadErrors:
        """Use one head only; that of frequency is better at rhythms."""
        head = "frequency" if self.network.config.frequency_head else "time"
        return replace(self, heads=(head,))

    def _hidden_starts(self, n_timepoints: int) -> Indices:
        n_padded = max(self.length, n_timepoints)
        return window_starts(n_padded, self.length, self._hidden_stride)

    def _fit_context(self, series: Floats) -> ContextCorrection:
        padded = self._padded(series[None])
        windows = take_windows(padded, self._hidden_starts(len(series)), self.length)[:, 0]
        return ContextCorrection.fit(windows, self._window_errors, self.network.config.patch_length)

    def _padded(self, series: Floats) -> Floats:
        """Pad series ``(n, T)`` in front, to a window at least."""
        n_padded = max(0, self.length - series.shape[-1])
        return np.pad(series, ((0, 0), (n_padded, 0)), constant_values=np.nan)

    def _hidden_errors(
        self, series: Floats, shown: Floats, context: ContextCorrection | None
    ) -> Floats:
        """Average the errors at hidden points over all windows that cover them."""
        padded = self._padded(np.stack([series, shown]))
        stitcher = Stitcher(len(self.hidden_heads), padded.shape[1], self.length, taper=False)
        for starts, errors in self._block_errors(padded, len(series), context):
            stitcher.add(starts, np.nan_to_num(errors), weight=np.isfinite(errors))
        return stitcher.mean()[:, -len(series) :]

    def _block_errors(
        self, padded: Floats, n_timepoints: int, context: ContextCorrection | None
    ) -> Iterator[tuple[Indices, Floats]]:
        """Yield the starts of windows, and their errors, corrected for what is known around."""

        def read(starts: Indices) -> Floats:
            windows, visible = take_windows(padded, starts, self.length).swapaxes(0, 1)
            errors = self._window_errors(windows, visible)
            return errors if context is None else context(visible, errors)

        return self._read_blocks(read, self._hidden_starts(n_timepoints))

    def _window_errors(self, windows: Floats, visible: Floats, n_passes: int = _N_PASSES) -> Floats:
        """Hide each patch of windows ``(n, T)`` in one pass; return errors ``(n, heads, T)``.

        With fewer passes, the errors of other patches are NaN.
        """
        patches = np.arange(self.length) // self.network.config.patch_length
        hidden = patches % _N_PASSES == np.arange(n_passes)[:, None]  # (P, T)
        shown = np.where(hidden, np.nan, _without_wild(visible)[:, None])  # (n, P, T)
        answers = self._reconstruct(shown.reshape(-1, self.length), self.hidden_heads)
        answers = answers.reshape(*shown.shape[:2], *answers.shape[1:])  # (n, P, heads, T)
        predicted = np.where(hidden[:, None], answers, 0).sum(1)
        return np.where(hidden.any(0), np.square(predicted - windows[:, None]), np.nan)

    def _split(self, n_timepoints: int) -> tuple[int, int]:
        """Count the first points, which are forecast backwards, and the others."""
        n_first = min(self.length, n_timepoints // 2)
        return n_first, n_timepoints - n_first

    def _forecast_errors(self, series: Floats, shown: Floats) -> Floats:
        """Forecast each point from those before; the first ones, backwards, from those after."""
        n_first, _ = self._split(len(series))
        both = np.stack([series, shown])
        ahead = self._errors_ahead(both, n_first)
        reversed_ = both[:, : n_first + self.length][:, ::-1]
        back = self._errors_ahead(reversed_, reversed_.shape[1] - n_first)
        return np.concatenate([back[::-1], ahead])

    def _forecast_starts(self, n_points: int) -> Indices:
        return np.arange(0, n_points, self.network.config.forecast_length)

    def _errors_ahead(self, both: Floats, first: int) -> Floats:
        """Return the errors of forecasts of all points from ``first`` on."""
        step = self.network.config.forecast_length
        n_points = both.shape[1] - first
        padded = np.pad(both, ((0, 0), (self.length, step)), constant_values=np.nan)

        def read(starts: Indices) -> Floats:
            windows, visible = take_windows(padded, starts, self.length + step).swapaxes(0, 1)
            past, future = visible[:, : self.length], windows[:, self.length :]
            forecast = self._reconstruct(_without_wild(past), ("forecast",))[:, 0]
            return np.square(forecast - future).ravel()

        starts = first + self._forecast_starts(n_points)
        errors = [part for _, part in self._read_blocks(read, starts)]
        return np.concatenate([*errors, np.empty(0)])[:n_points]

    def _read_blocks(
        self, read: Callable[[Indices], Floats], starts: Indices
    ) -> Iterator[tuple[Indices, Floats]]:
        """Read blocks of windows side by side, and yield their starts and errors."""
        blocks = [starts[first : first + _BLOCK] for first in range(0, len(starts), _BLOCK)]
        for block, errors in zip(blocks, side_by_side(read, blocks), strict=True):
            yield block, errors
            if self.progress is not None:
                self.progress.update(len(block))

    def _reconstruct(self, rows: Floats, heads: Sequence[str]) -> Floats:
        return reconstruct(self.network, rows, heads, batch_size=self.batch_size)


@dataclass(frozen=True)
class CausalHeadErrors(HeadErrors):
    """Squared errors of heads that know nothing later than the end of a point's block.

    The series is cut into blocks of 64 points. The patches of a block are hidden from the window
    that ends with it, so its errors are known as soon as it is full. Forecasts are made where
    earlier points are known.
    """

    is_causal: ClassVar[bool] = True

    first: int = 0  # first point of the result, at the start of a block

    @property
    def reach(self) -> Reach:
        """How far around a point the windows reach that give its errors, and their strides."""
        before, _, multiple = super().reach
        return Reach(before + CAUSAL_BLOCK, CAUSAL_BLOCK, multiple)

    @property
    def _hidden_stride(self) -> int:
        return CAUSAL_BLOCK

    def _hidden_starts(self, n_timepoints: int) -> Indices:
        """Return the starts of windows that end with a block, in a series padded by a window."""
        ends = np.arange(self.first + CAUSAL_BLOCK, n_timepoints + CAUSAL_BLOCK, CAUSAL_BLOCK)
        return np.minimum(ends, n_timepoints)

    def _padded(self, series: Floats) -> Floats:
        return np.pad(series, ((0, 0), (self.length, 0)), constant_values=np.nan)

    def _hidden_errors(
        self, series: Floats, shown: Floats, context: ContextCorrection | None
    ) -> Floats:
        padded = self._padded(np.stack([series, shown]))
        found = [
            errors[..., -CAUSAL_BLOCK:].swapaxes(0, 1)
            for _, errors in self._block_errors(padded, len(series), context)
        ]
        errors = np.concatenate(found, 1)  # (heads, n_blocks, block)
        n_last = (len(series) - self.first - 1) % CAUSAL_BLOCK + 1
        full = errors[:, :-1].reshape(len(errors), -1)
        return np.concatenate([full, errors[:, -1, -n_last:]], 1)

    def _split(self, n_timepoints: int) -> tuple[int, int]:
        return 0, n_timepoints - self.first

    def _forecast_errors(self, series: Floats, shown: Floats) -> Floats:
        return self._errors_ahead(np.stack([series, shown]), self.first)


def _coarsen(series: Floats) -> Floats:
    padded = np.pad(series, (0, -len(series) % _COARSE), constant_values=np.nan)
    return window_means(padded, _COARSE, _COARSE)


def _without_wild(windows: Floats) -> Floats:
    """Return windows ``(n, T)`` with wild values missing, which would spoil all others."""
    return np.where([find_wild(window) for window in windows], np.nan, windows)


def _stride(config: TSPulseConfig) -> int:
    """Choose a stride such that a point takes every position in its patch in turn."""
    largest = max(1, config.context_length // _N_COVERS)
    return next(step for step in range(largest, 0, -1) if gcd(step, config.patch_length) == 1)
