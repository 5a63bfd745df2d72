"""The horizontal axis of a figure: dates, durations, numbers, or rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["TimeAxis"]

_UNITS = {"d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3}  # [s]
_MIN_UNITS = 3  # that durations span


class TimeAxis(NamedTuple):
    """Where rows lie on the axis, and what is written below.

    Time stamps with a zone are in UTC, and labelled in their zone, so that an hour that the
    clock shows twice is drawn twice.
    """

    places: NDArray[Any]
    label: str
    zone: Any = None

    @classmethod
    def read(cls, labels: Any) -> Self:
        """Read labels of rows; those that cannot be placed in order become row numbers."""
        name = getattr(labels, "name", None)
        if getattr(labels, "nlevels", 1) == 1:  # an index of several levels has no array
            labels = getattr(labels, "array", labels)
        if hasattr(labels, "to_timestamp"):  # periods
            labels = labels.to_timestamp()
        values, zone = _without_zone(labels)
        if not _is_ordered(values):
            return cls(np.arange(len(values)), "row")
        if values.dtype.kind == "m":
            return cls(*_durations(values))
        if values.dtype.kind == "M":
            return cls(values, "time" if zone is None else f"time ({zone})", zone)
        is_numbered = values.dtype.kind in "iu" and bool((np.diff(values) == 1).all())
        return cls(values, str(name) if name is not None else "row" if is_numbered else "time")

    @property
    def has_dates(self) -> bool:
        """Whether places are dates."""
        return bool(self.places.dtype.kind == "M")

    def set_ticks(self, axis: Any, n_ticks: int = 9) -> None:
        """Write what all dates of an axis have in common once."""
        if self.has_dates:
            dates: Any = import_module("matplotlib.dates")
            locator = dates.AutoDateLocator(minticks=3, maxticks=n_ticks, tz=self.zone)
            axis.set_major_locator(locator)
            axis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=self.zone))


def _without_zone(labels: Any) -> tuple[NDArray[Any], Any]:
    """Return time stamps in UTC and their zone, other labels as they are."""
    zone = getattr(labels, "tz", None)
    if zone is not None:  # pandas
        return np.asarray(labels.tz_convert("UTC").tz_localize(None)), zone
    values = np.asarray(labels)
    name = getattr(getattr(labels, "dtype", None), "time_zone", None)
    if name is not None:  # polars, which gives UTC
        return values, import_module("zoneinfo").ZoneInfo(name)
    if values.dtype.kind == "O" and len(values) and all(isinstance(one, date) for one in values):
        zone = getattr(values[0], "tzinfo", None)
        return np.array([_utc(one) for one in values], dtype="M8[us]"), zone
    return values, None


def _utc(moment: date) -> date:
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.astimezone(UTC).replace(tzinfo=None)
    return moment


def _is_ordered(values: NDArray[Any]) -> bool:
    """Return whether values are numbers or times that do not decrease."""
    if values.ndim != 1 or values.dtype.kind not in "iufmM":
        return False
    return bool((values[1:] >= values[:-1]).all()) and not np.isnan(values).any()


def _durations(values: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Return durations in the largest unit that several of fit into their range."""
    seconds = values / np.timedelta64(1, "s")
    span = float(np.ptp(seconds)) if len(seconds) else 0.0
    unit = next((one for one, size in _UNITS.items() if span > _MIN_UNITS * size), "s")
    return seconds / _UNITS[unit], f"time [{unit}]"
