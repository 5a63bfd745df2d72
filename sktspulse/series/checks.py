"""Rules for panels and recordings that hold for arrays of floats, whatever they came in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .types import Panel, Values

__all__ = [
    "check_length",
    "check_n_channels",
    "check_no_infinity",
    "check_same_channels",
    "check_series_axes",
    "check_series_length",
    "is_panel",
    "one_series_advice",
    "padded",
    "recording_advice",
    "split_array",
    "stacked",
    "trim_ends",
]


def split_array(values: Values, one_series: str) -> tuple[Values, bool]:
    """Return a panel with an axis for channels, and whether there was none.

    Raises a ValueError for another number of axes. ``one_series`` is code that turns the input
    into a panel of one series.
    """
    if values.ndim not in (2, 3) or 0 in values.shape:
        raise ValueError(
            f"X has shape {values.shape}, expected (n_series, n_timepoints) or (n_series, "
            f"n_channels, n_timepoints), none of them 0. Reshape your data: {one_series} is a "
            "panel of one series."
        )
    return values.reshape(len(values), -1, values.shape[-1]), values.ndim == 2


def stacked(panel: Sequence[Values]) -> Panel:
    """Return series of one shape and type as an array, others as they are."""
    kinds = {(one.shape, one.dtype) for one in panel}
    return np.stack(panel) if len(kinds) == 1 else list(panel)


def padded(panel: Panel, n_timepoints: int | None = None) -> Values:
    """Return an array of series, with NaN at the end of shorter ones.

    Its length is by default that of the longest.
    """
    if isinstance(panel, np.ndarray) and n_timepoints in (None, panel.shape[2]):
        return panel
    longest = max(series.shape[1] for series in panel) if n_timepoints is None else n_timepoints
    table = np.full((len(panel), len(panel[0]), longest), np.nan, np.result_type(*panel))
    for row, series in zip(table, panel, strict=True):
        row[:, : series.shape[1]] = series
    return table


def trim_ends(panel: Panel, shortest: int) -> Panel:
    """Remove the time points at the end of each series at which all channels are missing.

    So a panel that was padded with NaN equals the list of its series. Every series keeps
    ``shortest`` time points.
    """
    lengths = [max(_known_length(series), shortest) for series in panel]
    if all(n >= series.shape[1] for n, series in zip(lengths, panel, strict=True)):
        return panel
    return [series[:, :n] for n, series in zip(lengths, panel, strict=True)]


def _known_length(series: Values) -> int:
    if not np.isnan(series[:, -1]).all():
        return series.shape[1]
    known = np.flatnonzero(~np.isnan(series).all(axis=0))
    return int(known[-1]) + 1 if len(known) else 0


def check_same_channels(panel: Sequence[Values]) -> None:
    """Raise a ValueError if series differ in their number of channels."""
    counts = sorted({len(one) for one in panel})
    if len(counts) > 1:
        raise ValueError(
            f"X has series with {counts[:3]} channels, but all need the same number. Pass arrays "
            "of shape (n_channels, n_timepoints). If time is their first axis, transpose them, "
            "[np.transpose(one) for one in X]."
        )


def check_n_channels(name: str, n_channels: int, expected: int) -> None:
    """Raise a ValueError if the estimator of that name was fitted with other channels."""
    if n_channels != expected:
        raise ValueError(
            f"X has {n_channels} channels, but {name} was fitted with {expected}. Fit again or "
            "select channels."
        )


def check_length(name: str, shortest: int, minimum: int, is_flat: bool) -> None:
    """Raise a ValueError if the shortest series of a panel is too short."""
    if shortest < minimum:
        features = f" (n_features = {shortest})" if is_flat else ""
        raise ValueError(
            f"X has a series of length {shortest}{features}, but {name} needs at "
            f"least {minimum} time points. Drop such series, or transpose X if time is not its "
            "last axis."
        )


def check_series_axes(values: Values, advice: str) -> None:
    """Raise a ValueError if a recording is not ``(n_timepoints, n_channels)``."""
    if values.ndim != 2:
        raise ValueError(
            f"X has shape {values.shape}, expected (n_timepoints, n_channels). Reshape your data: "
            f"{advice}"
        )


def check_series_length(name: str, values: Values, minimum: int) -> None:
    """Raise a ValueError if a recording is too short."""
    if len(values) < minimum:
        raise ValueError(
            f"X has {len(values)} time points (n_samples = {len(values)}), but "
            f"{name} needs at least {minimum}. Pass a longer recording, or "
            "transpose X if its rows are channels."
        )


def check_no_infinity(arrays: Iterable[Values]) -> None:
    """Raise a ValueError if any value is infinite."""
    if any(np.isinf(values).any() for values in arrays):
        raise ValueError(
            "X contains infinity (inf), expected finite numbers, or NaN where missing. Replace "
            "inf by NaN if it marks values that were not measured."
        )


def one_series_advice(X: Any) -> str:
    """Return how to make a panel of one series of X, in a way that its container can."""
    if isinstance(X, list | tuple):
        return "[X]"
    return "X.to_numpy().reshape(1, -1)" if hasattr(X, "to_numpy") else "X.reshape(1, -1)"


def recording_advice(X: Any, n_axes: int) -> str:
    """Return how to make a recording of X, in a way that its container can."""
    if n_axes > 2:
        return "A panel has several recordings; X[0].T is one of them."
    column = "X.to_frame()" if hasattr(X, "to_frame") else "X.reshape(-1, 1)"
    column = "numpy.reshape(X, (-1, 1))" if isinstance(X, list | tuple) else column
    return f"{column} is a recording of one channel."


def is_panel(X: Any) -> bool:
    """Return whether X can only be a panel: three axes, or a list of arrays with two."""
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        return len(shape) == 3
    return isinstance(X, list | tuple | np.ndarray) and len(X) > 0 and np.ndim(X[0]) == 2
