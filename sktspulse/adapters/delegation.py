"""What the adapters of all libraries share: a wrapped estimator, and base classes of others."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from ..lazy import import_extra

__all__ = ["Delegating", "DelegatingClassifier", "base_class"]


def base_class(library: str, module: str, name: str) -> Any:
    """Return a class of another library, or one that says how to install it.

    So a class that is derived from it can be imported and documented without the library.
    """
    try:
        return getattr(import_module(module), name)
    except ImportError:

        class Absent:
            def __init__(self, *arguments: Any, **settings: Any) -> None:
                import_extra(module, library, type(self).__name__)

        return Absent


class Delegating:
    """An estimator of another library that fits a copy of one of this package.

    List it before the base class of the library. Parameters of the wrapped estimator are
    ``estimator__name``.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator to wrap.
    """

    estimator: BaseEstimator
    estimator_: Any

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator
        super().__init__()

    def _fit(self, X: Any, y: Any = None) -> Self:
        estimator = clone(self.estimator)
        self.estimator_ = estimator.fit(X) if y is None else estimator.fit(X, y)
        return self

    def _predict(self, X: Any) -> Any:
        return self.estimator_.predict(X)

    def _transform(self, X: Any, y: Any = None) -> Any:
        return self.estimator_.transform(X)


class DelegatingClassifier(Delegating):
    """A classifier of another library that fits a copy of one of this package."""

    def _predict_proba(self, X: Any) -> NDArray[Any]:
        return np.asarray(self.estimator_.predict_proba(X))
