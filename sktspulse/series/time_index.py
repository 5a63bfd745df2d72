"""Time stamps of pandas data frames: checked on input, and completed to a regular grid.

pandas is optional. A time index can only come from a program that has imported it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from .types import Floats

__all__ = [
    "TIME_NAMES",
    "Pace",
    "asfreq",
    "check_recordings",
    "is_time_index",
    "row_index",
    "time_index",
    "warn_user",
]

TIME_NAMES = {
    "time",
    "times",
    "timepoint",
    "timepoints",
    "timestamp",
    "timestamps",
    "date",
    "datetime",
}

_TOLERANCE = 0.25  # of a step: months, hours of a day that changes the clock, rounding
_MEMORY = 32  # steps
_MAX_GROWTH, _MAX_ROWS = 100, 100_000  # of a grid, whichever is more
_HOUR, _DAY = 3600.0, 86400.0
_LONE, _LONE_GAP = 10, 100 * _DAY  # gap before or after one stamp: durations of the others, [s]


class Pace(NamedTuple):
    """What the time stamps of earlier rows say about those of later ones."""

    last: Any = None
    steps: tuple[float, ...] = ()  # the last ones [s], or [periods]
    on_weekdays: bool = True  # whether no stamp was on a weekend

    def check(self, X: Any, remedy: str = "Resample X") -> None:
        """Check the time stamps of the next rows, in any container.

        Stamps that are missing or not strictly increasing are an error, and so are several
        recordings in one index. Irregular stamps raise a warning that begins its advice
        with the remedy.
        """
        index = time_index(X)
        if index is None:
            return
        _check_known(index)
        if self.last is not None:
            index = _insert(self.last, index)
        _check_sorted(index, first_row=-1 if self.last is not None else 0)
        if _is_period(index) or index.freq is None:
            self.warn_if_irregular(index, remedy)

    def after(self, X: Any) -> Pace:
        """Return the pace after the next rows, which were checked."""
        index = time_index(X)
        if index is None:
            return self
        last, index = index[-1], index if self.last is None else _insert(self.last, index)
        steps = (*self.steps, *_steps(index[-_MEMORY - 1 :]).tolist())[-_MEMORY:]
        return Pace(last, steps, self.on_weekdays and _is_on_weekdays(index))

    def warn_if_irregular(self, index: Any, remedy: str) -> bool:
        """Warn if the stamps of the next rows are irregular, and return whether they are."""
        new = _steps(index)
        if not len(new):
            return False
        usual = _lower_median(np.concatenate([self.steps, new]))
        is_first_judged = len(self.steps) == 1 and self.last is not None  # a lone step is usual
        steps = np.concatenate([self.steps, new]) if is_first_judged else new
        odd = abs(steps - usual) > _TOLERANCE * usual
        if self.on_weekdays and abs(usual - _DAY) <= _HOUR and _is_on_weekdays(index):
            is_weekend = abs(steps - 3 * _DAY) <= _HOUR
            odd &= ~(is_weekend & np.asarray(index[-len(steps) :].day_of_week == 0))
        if odd.any():
            shortest, longest = min(usual, steps.min()), max(usual, steps.max())
            warn_user(
                f"The time stamps of X are irregular: from {_duration(shortest, index)} to "
                f"{_duration(longest, index)} apart. Rows are treated as evenly spaced. {remedy}, "
                "with NaN where nothing was recorded."
            )
        return bool(odd.any())


def check_recordings(indexes: Iterable[Any]) -> None:
    """Check the time stamps of the series of a panel; warn of the first that are irregular.

    Parameters
    ----------
    indexes : iterable of pandas.Index or None
        The labels of the rows of each series. Others than time stamps are not checked.

    Raises
    ------
    ValueError
        If time stamps are missing or not strictly increasing.
    """
    is_irregular = False
    for i, index in enumerate(indexes):
        if not is_time_index(index):
            continue
        try:
            _check_known(index)
            _check_sorted(index)
        except ValueError as error:
            raise ValueError(f"Series {i}: {error}") from error
        if not is_irregular:
            is_irregular = Pace().warn_if_irregular(index, "Resample the series")


def row_index(X: Any) -> Any:
    """Return the index of a pandas data frame, of one level, or None for other containers.

    Levels that have the same value in all rows, as the name of a device, are left out.
    """
    pandas = sys.modules.get("pandas")
    index = getattr(X, "index", None)
    if pandas is None or not isinstance(index, pandas.Index):
        return None
    if not isinstance(index, pandas.MultiIndex):
        return index
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    varying = [i for i, level in enumerate(levels) if level.nunique(dropna=False) > 1]
    if len(varying) > 1:
        raise _stacked(index, [i for i in varying if not is_time_index(levels[i])] or varying)
    return levels[varying[0]] if varying else next(filter(is_time_index, levels), levels[-1])


def asfreq(X: Any, freq: str) -> Any:
    """Insert rows of NaN for missing time stamps, so that rows are evenly spaced.

    Like :meth:`pandas.DataFrame.asfreq`, but time stamps that do not fit are an error. They
    may be off by a hundredth of a step, and are kept.
    """
    index = time_index(X)
    if index is None or _is_period(index):
        raise ValueError(
            f"freq={freq!r} needs a data frame with time stamps (DatetimeIndex), but X is of "
            f"type {type(X).__name__} without them. Convert the index with pandas.to_datetime or "
            "X.to_timestamp, or leave freq out."
        )
    _check_known(index)
    _check_sorted(index)
    pandas = sys.modules["pandas"]
    make = pandas.date_range if hasattr(index, "tz") else pandas.timedelta_range
    start, second = make(index[0], periods=2, freq=freq)
    step = second - start
    _check_size(index, freq, step.total_seconds())
    grid = make(index[0], index[-1] + step / 100, freq=freq)
    places = grid.get_indexer(index, method="nearest", tolerance=abs(step) / 100)
    off = index[places < 0]
    if len(off):
        raise ValueError(
            f"{len(off)} of the {len(index)} time stamps of X do not fit freq={freq!r}; the first "
            f"is {off[0]}. Round or resample X, or pass the time between its rows as freq."
        )
    stamps = grid.delete(places).union(index).rename(index.name)
    if row_index(X) is not None:
        return X.reindex(_with_stamps(X.index, stamps))
    from .frames import with_stamps  # needs more than NumPy

    return with_stamps(X, stamps)


def time_index(X: Any) -> Any:
    """Return the time stamps of a recording as an index of pandas, or None if it has none.

    They are the index of a data frame of pandas, the one column of time stamps in a library
    without an index, or a coordinate of xarray.
    """
    index = row_index(X)
    if index is None and not isinstance(X, np.ndarray | list | tuple):
        from .frames import time_labels  # needs more than NumPy

        index = time_labels(X)
    return index if is_time_index(index) else None


def is_time_index(index: Any) -> bool:
    """Return whether labels are time stamps of pandas."""
    pandas = sys.modules.get("pandas")
    kinds = ("DatetimeIndex", "TimedeltaIndex", "PeriodIndex")
    return pandas is not None and isinstance(index, tuple(getattr(pandas, kind) for kind in kinds))


def _is_period(index: Any) -> bool:
    return isinstance(index, sys.modules["pandas"].PeriodIndex)


def _is_on_weekdays(index: Any) -> bool:
    return hasattr(index, "day_of_week") and bool((index.day_of_week < 5).all())


def _steps(index: Any) -> Floats:
    """Return the time between neighbouring stamps [s], or [periods]."""
    if _is_period(index):
        return np.diff(index.asi8).astype(float)
    return np.asarray((index[1:] - index[:-1]).total_seconds(), dtype=float)


def _duration(step: float, index: Any) -> str:
    if _is_period(index):
        return f"{step:g} periods"
    return str(sys.modules["pandas"].Timedelta(seconds=step))


def _lower_median(values: Floats) -> float:
    middle = (len(values) - 1) // 2
    return float(np.partition(values, middle)[middle])


def _insert(last: Any, index: Any) -> Any:
    """Put the stamp of the row before in front."""
    joined = index.insert(0, last)
    if type(joined) is not type(index):
        raise ValueError(
            f"Row 0 of X has the time stamp {index[0]}, which cannot be compared with {last} of "
            "the row before. Pass time stamps of one kind, all with or without a time zone."
        )
    return joined


def _with_stamps(index: Any, stamps: Any) -> Any:
    """Return an index like the given one, but for other stamps."""
    if index.nlevels == 1:
        return stamps
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    arrays = [stamps if is_time_index(one) else one[:1].repeat(len(stamps)) for one in levels]
    return type(index).from_arrays(arrays, names=index.names)


def _check_known(index: Any) -> None:
    for row in np.flatnonzero(index.isna())[:1]:
        raise ValueError(
            f"Row {row} of X has no time stamp (NaT), but each row needs one. Set it, by "
            "ambiguous='infer' if it comes from tz_localize, or drop the row."
        )


def _check_sorted(index: Any, first_row: int = 0) -> None:
    """Raise at the first stamp that is not later than the one before."""
    for place in np.flatnonzero(index[1:] <= index[:-1])[:1] + 1:
        raise ValueError(
            f"The time stamps of X are not strictly increasing: row {place + first_row} has "
            f"{index[place]}, after {index[place - 1]}. {_sorting_advice(index, place)}"
        )


def _sorting_advice(index: Any, place: int) -> str:
    advice = "Sort the rows and drop duplicates, or pass one recording at a time."
    steps = _steps(index)
    if not hasattr(index, "tz") or not (steps > 0).any():
        return advice
    if not _is_clock_set_back(index[place], steps[place - 1], _lower_median(steps[steps > 0])):
        return advice
    zone = repr("Europe/Berlin" if index.tz is None else str(index.tz))
    naive = "X" if index.tz is None else "X.tz_localize(None)"
    return (
        "If it is the hour that is repeated when daylight saving time ends, use "
        f"{naive}.tz_localize({zone}, ambiguous='infer'), or UTC. Otherwise: {advice}"
    )


def _is_clock_set_back(stamp: Any, step: float, usual: float) -> bool:
    """Return whether it is an hour less than a usual step, or in the night this is done in."""
    is_night = stamp.day_of_week == 6 and stamp.hour < 4  # of Sunday
    return abs(step + _HOUR - usual) < usual / 2 or (is_night and step > -_HOUR)


def _stacked(index: Any, levels: list[int]) -> ValueError:
    level = levels[0] if index.names[levels[0]] is None else index.names[levels[0]]
    return ValueError(
        f"X has an index of several levels, {list(index.names)}, but must be one recording. Pass "
        f"one {level!r} at a time: X.groupby(level={level!r}, group_keys=False).apply(method), "
        "with a method such as imputer.fit_transform. If all rows are one recording, use "
        "X.reset_index(drop=True)."
    )


def _check_size(index: Any, freq: str, step: float) -> None:
    """Refuse a grid that one wrong stamp makes enormous."""
    steps = _steps(index)
    if not len(steps):
        return
    total, widest = steps.sum(), int(steps.argmax())
    is_edge = widest in (0, len(steps) - 1)
    is_lone = is_edge and steps[widest] > max(_LONE * (total - steps[widest]), _LONE_GAP)
    n_rows = total / abs(step)
    if is_lone or n_rows > max(_MAX_GROWTH * len(index), _MAX_ROWS):
        raise ValueError(
            f"freq={freq!r} makes {n_rows:,.0f} rows of the {len(index):,} of X; the longest gap "
            f"is from {index[widest]} to {index[widest + 1]}. Correct or drop rows with wrong "
            "time stamps, or pass a longer freq."
        )


def warn_user(message: str) -> None:
    """Warn at the line outside of this package and of scikit-learn that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals["__name__"].split(".")[0] in ("sktspulse", "sklearn"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)
