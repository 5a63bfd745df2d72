"""A ``fit`` that fails or is interrupted changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import TypeVar

from sklearn.base import BaseEstimator

__all__ = ["fitted_copy"]

Estimator = TypeVar("Estimator", bound=BaseEstimator)


@contextmanager
def fitted_copy(estimator: Estimator) -> Iterator[Estimator]:
    """Yield a copy to fit; without an error, the estimator takes over its attributes at once.

    The copy is shallow, so ``fit`` must replace what an attribute refers to, never change it.
    """
    fitted = copy(estimator)
    yield fitted
    estimator.__dict__ = fitted.__dict__
