"""Estimators of this package as estimators of aeon and sktime, for their pipelines and tools.

Each wraps an estimator. aeon and sktime are imported on first use of such a name; pip installs
them with the extras ``aeon`` and ``sktime``.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use

if TYPE_CHECKING:
    from .for_aeon import (
        AeonAnomalyDetector,
        AeonClassifier,
        AeonImputer,
        AeonRegressor,
        AeonTransformer,
    )
    from .for_sktime import (
        SktimeClassifier,
        SktimeDetector,
        SktimeImputer,
        SktimeRegressor,
        SktimeTransformer,
    )

__all__ = [
    "AeonAnomalyDetector",
    "AeonClassifier",
    "AeonImputer",
    "AeonRegressor",
    "AeonTransformer",
    "SktimeClassifier",
    "SktimeDetector",
    "SktimeImputer",
    "SktimeRegressor",
    "SktimeTransformer",
]

__getattr__ = on_first_use(
    __name__,
    {
        "for_aeon": "AeonAnomalyDetector AeonClassifier AeonImputer AeonRegressor AeonTransformer",
        "for_sktime": (
            "SktimeClassifier SktimeDetector SktimeImputer SktimeRegressor SktimeTransformer"
        ),
    },
)
