"""Checks of estimator parameters: each error says what came and what was expected."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from numbers import Integral
from typing import Any

__all__ = ["check_choice", "check_choices", "check_number", "check_range", "check_resolutions"]


def check_number(name: str, value: Any, kind: Any, low: float, high: float) -> None:
    """Check one number.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : object
        What was given for it.
    kind : {Integral, Real}
        Abstract type it must have.
    low, high : float
        Bounds, both allowed.

    Raises
    ------
    ValueError
        If it is of another kind or out of bounds.
    """
    if not (isinstance(value, kind) and low <= value <= high):
        what = "an integer" if kind is Integral else "a number"
        raise ValueError(f"{name} is {value!r}, but must be {what} from {low} to {high}.")


def check_range(name: str, value: Any, kind: Any, low: float, high: float) -> None:
    """Check two numbers, the low one first; see :func:`check_number`."""
    for end in value if isinstance(value, tuple | list) else ():
        check_number(name, end, kind, low, high)
    if not (isinstance(value, tuple | list) and len(value) == 2 and value[0] <= value[1]):
        raise ValueError(f"{name} is {value!r}, but must be two numbers, the low one first.")


def check_choice(name: str, value: Any, choices: Collection[str]) -> None:
    """Check that a value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}, expected one of {list(choices)}. Choose one.")


def check_choices(name: str, values: Iterable[str], choices: Iterable[str]) -> None:
    """Check that all values are among the choices."""
    unknown = sorted(set(values) - set(choices))
    if unknown:
        raise ValueError(f"{name} has {unknown}, but must be among {sorted(choices)}.")


def check_resolutions(value: Any) -> None:
    """Check that resolutions are whole numbers of steps, or positive fractions of one."""
    listed = isinstance(value, tuple | list) and len(value) > 0
    if not listed or not all(_is_resolution(one) for one in value):
        raise ValueError(
            f"resolutions is {value!r}, but must be a tuple of whole numbers above 0 and "
            "fractions between 0 and 1."
        )


def _is_resolution(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (0 < value < 1 or (value >= 1 and value == int(value)))
