"""Declarative checks of the parameters of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.utils._param_validation import validate_params

__all__ = ["validated"]

Function = TypeVar("Function", bound=Callable[..., Any])


def validated(**constraints: list[Any]) -> Callable[[Function], Function]:
    """Check parameters at each call with scikit-learn's ``validate_params``, typed for mypy."""
    return validate_params(constraints, prefer_skip_nested_validation=True)
