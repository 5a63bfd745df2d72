"""Time stamps in columns of tables: read, with local time in zones, and written."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from contextlib import suppress
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
        is_second = self._second_pass(joined.to_numpy(), np.asarray(first != second))
        if len(joined):
            self._last, self._is_second = joined[-1], bool(is_second[-1])
        return first.where(~is_second, second)[n_before:]

    def _localized(self, stamps: Any, is_first: bool) -> Any:
        flags = np.full(len(stamps), is_first)
        try:
            zoned = stamps.tz_localize(self.zone, ambiguous=flags, nonexistent="NaT")
        except (KeyError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(
                f"There is no time zone {self.zone!r}. Pass a name such as Europe/Berlin or UTC; "
                "on systems without a list of zones, pip install tzdata."
            ) from error
        for row in np.flatnonzero(zoned.isna())[:1]:
            raise ValueError(
                f"{stamps[row]} does not exist in {self.zone}, as the clock is set forward then. "
                "Pass the zone of the stamps as --tz, for instance UTC."
            )
        return zoned

    def _second_pass(self, times: Any, is_repeated: Any) -> Any:
        is_second = np.zeros(len(times), dtype=bool)
        for row in np.flatnonzero(is_repeated):
            step = times[row] - times[row - 1] if row else None
            if step is None:
                is_second[row] = self._is_second
            else:
                goes_on = is_second[row - 1] and step < _SHORTLY
                is_second[row] = step <= np.timedelta64(0) or goes_on
        return is_second


def read_stamps(
    column: Column, form: str | None, zone: str | None, groups: Iterable[Any] = (slice(None),)
) -> Column:
    """Return numbers, or time stamps in the zone if there is one.

    Parameters
    ----------
    column : pandas.Series
        Numbers, time stamps or text.
    form : str or None
        Format of the text, or unit of numbers since 1970.
    zone : str or None
        Zone of stamps without an offset; those with one are converted to it.
    groups : iterable of rows
        Rows of one series each, in order of time. The clock is set back in each of them.

    Returns
    -------
    pandas.Series
        With the index of the column.
    """
    for row in np.flatnonzero(column.isna())[:1]:
        raise ValueError(
            f"Row {row} has no time stamp in column {column.name!r}. Set it, or drop the row."
        )
    stamps = _parsed(column, form)
    if not is_stamps(stamps):
        if zone is not None:
            raise ValueError(
                f"Column {column.name!r} holds numbers, which have no zone. Leave --tz out, or say "
                "by --time-format what they are: s, ms, us or ns since 1970."
            )
        return stamps
    if zone is None:
        return stamps
    if stamps.dt.tz is not None:
        return _converted(stamps, zone)
    pandas = load_pandas()
    parts = [stamps.iloc[rows] for rows in groups]
    zoned = [
        pandas.Series(LocalClock(zone).in_zone(pandas.DatetimeIndex(part)), index=part.index)
        for part in parts
    ]
    return pandas.concat(zoned).reindex(column.index)


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
    kinds = pandas.api.types
    if form in _EPOCHS:
        return pandas.to_datetime(_numbers(column, form), unit=form, utc=True)
    is_number = kinds.is_numeric_dtype(column.dtype)
    if is_stamps(column) or (is_number and form is None):
        return column
    text = column.astype(str)
    numbers = pandas.to_numeric(text, errors="coerce") if form is None else None
    if numbers is not None and numbers.notna().all():
        return numbers
    return _only_one(column, _fitting(text, form))


def _numbers(column: Column, unit: str) -> Column:
    numbers = load_pandas().to_numeric(column, errors="coerce")
    for row in np.flatnonzero(numbers.isna())[:1]:
        raise ValueError(
            f"Row {row} has {column.iloc[row]!r} in column {column.name!r}, but --time-format "
            f"{unit} needs numbers. Pass the format of the text."
        )
    return numbers


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


def _converted(stamps: Column, zone: str) -> Column:
    try:
        return stamps.dt.tz_convert(zone)
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"There is no time zone {zone!r}. Pass a name such as Europe/Berlin or UTC."
        ) from error
