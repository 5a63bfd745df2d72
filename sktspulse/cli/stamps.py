"""Time stamps in columns of tables: read, with local time in zones, and written."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from .tables import load_pandas

__all__ = ["LocalClock", "check_ascending", "is_stamps", "read_stamps", "write_stamps"]

_EPOCHS = ("s", "ms", "us", "ns")
_HAS_OFFSET = re.compile(r":\d\d.*(Z|[+-]\d\d:?\d\d)$")
_HAS_DOTS = re.compile(r"\d+\.\d+\.\d")  # dates with dots have the day first
_SHORTLY = np.timedelta64(3, "h")  # a repeated hour is over by then

Column = Any  # a series of pandas


class LocalClock:
    """Local time in a zone, row after row.

    In the hour that is repeated when daylight saving time ends, a row is of the second pass once
    the time has gone back.

    Parameters
    ----------
    zone : str
        Name of the zone.
    """

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._last: Any = None
        self._is_second = False

    def in_zone(self, stamps: Any) -> Any:
        """Return the next stamps, which have no zone, with the zone."""
        n_before = 0 if self._last is None else 1
        joined = stamps.insert(0, self._last) if n_before else stamps
        first, second = (self._localized(joined, is_first) for is_first in (True, False))
        times, is_second = joined.to_numpy(), np.zeros(len(joined), dtype=bool)
        is_second[0] = self._is_second
        for row in np.flatnonzero(np.asarray(first != second)[1:]) + 1:
            step = times[row] - times[row - 1]
            goes_on = is_second[row - 1] and step < _SHORTLY
            is_second[row] = step <= np.timedelta64(0) or goes_on
        self._last, self._is_second = joined[-1], bool(is_second[-1])
        return first.where(~is_second, second)[n_before:]

    def _localized(self, stamps: Any, is_first: bool) -> Any:
        flags = np.full(len(stamps), is_first)
        with _known(self.zone):
            zoned = stamps.tz_localize(self.zone, ambiguous=flags, nonexistent="NaT")
        for row in np.flatnonzero(zoned.isna())[:1]:
            raise ValueError(
                f"{stamps[row]} does not exist in {self.zone}, as the clock is set forward then. "
                "Pass the zone of the stamps as --tz, for instance UTC."
            )
        return zoned


@contextmanager
def _known(zone: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(
            f"There is no time zone {zone!r}. Pass a name such as Europe/Berlin or UTC; on systems "
            "without a list of zones, pip install tzdata."
        ) from error


def read_stamps(
    column: Column, form: str | None, zone: str | None, groups: Iterable[Any] = (slice(None),)
) -> Column:
    """Return a column of numbers, stamps or text as numbers, or as time stamps.

    ``form`` is the format of text, or the unit of numbers since 1970; ``zone`` that of stamps
    without an offset, and those with one are converted to it. Each group has the rows of one
    series, in order of time: the clock is set back in each of them.
    """
    for row in np.flatnonzero(column.isna())[:1]:
        raise ValueError(
            f"Row {row} has no time stamp in column {column.name!r}. Set it, or drop the row."
        )
    stamps = _parsed(column, form)
    if zone is None:
        return stamps
    if not is_stamps(stamps):
        raise ValueError(
            f"Column {column.name!r} holds numbers, which have no zone. Leave --tz out, or say by "
            "--time-format what they are: s, ms, us or ns since 1970."
        )
    if stamps.dt.tz is not None:
        with _known(zone):
            return stamps.dt.tz_convert(zone)
    pandas, parts = load_pandas(), []
    for part in (stamps.iloc[rows] for rows in groups):
        index = LocalClock(zone).in_zone(pandas.DatetimeIndex(part))
        parts.append(pandas.Series(index, index=part.index))
    return pandas.concat(parts).reindex(column.index)


def is_stamps(column: Column) -> bool:
    """Return whether a column holds time stamps, rather than numbers or text."""
    return bool(load_pandas().api.types.is_datetime64_any_dtype(column.dtype))


def check_ascending(stamps: Any, where: str) -> None:
    """Raise an error at the first time stamp that is not later than the one before."""
    values = np.asarray(stamps)
    for row in np.flatnonzero(values[1:] <= values[:-1])[:1] + 1:
        is_local = hasattr(stamps, "tz") and stamps.tz is None
        advice = "If it is where the clock is set back, pass --tz. " if is_local else ""
        raise ValueError(
            f"Time stamps of {where} are not ascending: row {row} has {stamps[row]}, after "
            f"{stamps[row - 1]}. {advice}If there are several series, pass --id. Otherwise sort "
            "the rows and drop duplicates."
        )


def write_stamps(stamps: Any, like: Column, form: str | None = None) -> Any:
    """Write time stamps as those of a column are written, which were read by a format."""
    if form in _EPOCHS:
        return stamps.as_unit(form).asi8
    is_text = load_pandas().api.types.is_string_dtype(like.dtype) or like.dtype == object
    if not is_text or not hasattr(stamps, "strftime"):
        return stamps
    sample = str(like.iloc[0])
    if form is None and _HAS_OFFSET.search(sample):
        return [stamp.isoformat() for stamp in stamps]
    form = form or next(iter(_fitting(like.astype(str))))
    if form == "ISO8601":
        form = _guess(sample, day_first=False) or "%Y-%m-%d %H:%M:%S"
    return stamps.strftime(form)


def _parsed(column: Column, form: str | None) -> Column:
    pandas = load_pandas()
    if is_stamps(column):
        return column
    numbers = pandas.to_numeric(column, errors="coerce")
    if form in _EPOCHS:
        for row in np.flatnonzero(numbers.isna())[:1]:
            raise ValueError(
                f"Row {row} has {column.iloc[row]!r} in column {column.name!r}, but --time-format "
                f"{form} needs numbers. Pass the format of the text."
            )
        return pandas.to_datetime(numbers, unit=form, utc=True)
    if form is None and numbers.notna().all():
        return numbers
    return _only_one(column, _fitting(column.astype(str), form))


def _fitting(text: Column, form: str | None = None) -> dict[str, Column]:
    """Return what a column of text is by the formats that fit; ISO 8601 has no rival."""
    sample = text.iloc[0]
    orders = (True,) if _HAS_DOTS.match(sample) else (False, True)
    guesses = [_guess(sample, day_first=order) for order in orders]
    formats = [form] if form else ["ISO8601", *dict.fromkeys(filter(None, guesses))]
    found: dict[str, Column] = {}
    for one in formats:
        with suppress(ValueError):
            found[one] = load_pandas().to_datetime(
                text, format=one, utc=bool(_HAS_OFFSET.search(sample))
            )
        if one in found and one == "ISO8601":
            break
    return found


def _guess(sample: str, *, day_first: bool) -> str | None:
    from pandas.tseries.api import guess_datetime_format

    with warnings.catch_warnings():  # that the guess is not what was asked for
        warnings.simplefilter("ignore")
        return guess_datetime_format(sample, dayfirst=day_first)


def _only_one(column: Column, found: dict[str, Column]) -> Column:
    if not found:
        raise ValueError(
            f"Column {column.name!r} does not hold time stamps of one kind, such as "
            f"{str(column.iloc[0])!r}. Check it, or pass --time-format, such as '%d.%m.%Y %H:%M'."
        )
    first, *others = found.values()
    if any((first != other).any() for other in others):
        raise ValueError(
            f"Whether {str(column.iloc[0])!r} in column {column.name!r} has the day or the month "
            f"first is not clear. Pass --time-format, one of {' and '.join(map(repr, found))}."
        )
    return first
