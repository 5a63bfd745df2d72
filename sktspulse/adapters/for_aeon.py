"""Estimators of this package as estimators of aeon."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin

from .delegation import Delegating, DelegatingClassifier, base_class

__all__ = [
    "AeonAnomalyDetector",
    "AeonClassifier",
    "AeonImputer",
    "AeonRegressor",
    "AeonTransformer",
]

_PANEL = {
    "X_inner_type": ["np-list", "numpy3D"],
    "capability:multivariate": True,
    "capability:unequal_length": True,
    "capability:missing_values": True,
}
_RECORDING = {
    "X_inner_type": "np.ndarray",
    "capability:multivariate": True,
    "capability:missing_values": True,
    "fit_is_empty": False,
}
_Classifier: Any = base_class("aeon", "aeon.classification", "BaseClassifier")
_Regressor: Any = base_class("aeon", "aeon.regression", "BaseRegressor")
_CollectionTransformer: Any = base_class(
    "aeon", "aeon.transformations.collection", "BaseCollectionTransformer"
)
_SeriesTransformer: Any = base_class("aeon", "aeon.transformations.series", "BaseSeriesTransformer")
_AnomalyDetector: Any = base_class(
    "aeon", "aeon.anomaly_detection.series", "BaseSeriesAnomalyDetector"
)


class AeonClassifier(DelegatingClassifier, _Classifier):
    """A classifier as a classifier of aeon.

    For pipelines, ensembles and benchmarks of aeon. It takes all collections of aeon, also with
    gaps and of unequal length.

    Parameters
    ----------
    estimator : TSPulseClassifier
        The classifier; a copy is fitted. Its parameters are ``estimator__name``.

    Attributes
    ----------
    estimator_ : TSPulseClassifier
        The fitted copy.
    classes_ : ndarray of shape (n_classes,)
        The sorted labels.

    See Also
    --------
    AeonRegressor : The same for numbers.
    SktimeClassifier : The same for sktime.

    Examples
    --------
    >>> from sktspulse import TSPulseClassifier
    >>> from sktspulse.adapters import AeonClassifier
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(24, n_channels=2, random_state=0)
    >>> AeonClassifier(TSPulseClassifier()).fit(X, y).predict(X).shape
    (24,)
    """

    _tags: ClassVar[dict[str, Any]] = _PANEL


class AeonRegressor(Delegating, _Regressor):
    """A regressor as a regressor of aeon.

    For pipelines, ensembles and benchmarks of aeon. It takes all collections of aeon, also with
    gaps and of unequal length.

    Parameters
    ----------
    estimator : TSPulseRegressor
        The regressor; a copy is fitted. Its parameters are ``estimator__name``.

    Attributes
    ----------
    estimator_ : TSPulseRegressor
        The fitted copy.

    See Also
    --------
    AeonClassifier : The same for classes.
    SktimeRegressor : The same for sktime.

    Examples
    --------
    >>> from sktspulse import TSPulseRegressor
    >>> from sktspulse.adapters import AeonRegressor
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, _ = make_labelled_panel(24, n_channels=2, random_state=0)
    >>> y = X.std(axis=(1, 2))
    >>> AeonRegressor(TSPulseRegressor()).fit(X, y).predict(X).shape
    (24,)
    """

    _tags: ClassVar[dict[str, Any]] = _PANEL


class AeonTransformer(Delegating, _CollectionTransformer):
    """A transformer of panels as a collection transformer of aeon.

    For pipelines of aeon: embeddings are a table, which an estimator of scikit-learn can follow;
    a filled panel is a collection, which an estimator of aeon can follow.

    Parameters
    ----------
    estimator : TSPulseTransformer or TSPulseImputer
        The transformer; a copy is fitted. Its parameters are ``estimator__name``.

    Attributes
    ----------
    estimator_ : TSPulseTransformer or TSPulseImputer
        The fitted copy.

    See Also
    --------
    AeonImputer : Fills one recording.
    SktimeTransformer : The same for sktime.

    Examples
    --------
    >>> from sktspulse import TSPulseTransformer
    >>> from sktspulse.adapters import AeonTransformer
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, _ = make_labelled_panel(24, n_channels=2, random_state=0)
    >>> AeonTransformer(TSPulseTransformer()).fit_transform(X).shape
    (24, 480)
    """

    _tags: ClassVar[dict[str, Any]] = _PANEL | {
        "fit_is_empty": False,
        "removes_missing_values": True,
    }

    def __init__(self, estimator: BaseEstimator) -> None:
        super().__init__(estimator)
        if not isinstance(estimator, OneToOneFeatureMixin):  # it returns a table
            self.set_tags(output_data_type="Tabular", removes_unequal_length=True)


class AeonImputer(Delegating, _SeriesTransformer):
    """An imputer of a recording as a series transformer of aeon.

    Time is on the axis that ``axis`` says, by default the last one, as aeon has it.

    Parameters
    ----------
    estimator : TSPulseImputer
        The imputer; a copy is fitted. Its parameters are ``estimator__name``.

    Attributes
    ----------
    estimator_ : TSPulseImputer
        The fitted copy.

    See Also
    --------
    AeonTransformer : Fills, or embeds, panels.
    SktimeImputer : The same for sktime.

    Examples
    --------
    >>> from sktspulse import TSPulseImputer
    >>> from sktspulse.adapters import AeonImputer
    >>> from sktspulse.datasets import make_gappy_series
    >>> X, _ = make_gappy_series(600, 2, random_state=0)
    >>> AeonImputer(TSPulseImputer(random_state=0)).fit_transform(X, axis=0).shape
    (600, 2)
    """

    _tags: ClassVar[dict[str, Any]] = _RECORDING | {"removes_missing_values": True}

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator
        _SeriesTransformer.__init__(self, axis=0)


class AeonAnomalyDetector(Delegating, _AnomalyDetector):
    """A detector of anomalies in a recording as a detector of aeon.

    Its answers are scores; higher is more anomalous, as aeon has it.

    Parameters
    ----------
    estimator : TSPulseAnomalyDetector
        The detector; a copy is fitted. Its parameters are ``estimator__name``.

    Attributes
    ----------
    estimator_ : TSPulseAnomalyDetector
        The fitted copy.

    See Also
    --------
    SktimeDetector : The same for sktime.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import TSPulseAnomalyDetector
    >>> from sktspulse.adapters import AeonAnomalyDetector
    >>> X = np.sin(np.arange(700.0) / 9)
    >>> X[400:420] += 0.7
    >>> int(AeonAnomalyDetector(TSPulseAnomalyDetector()).fit_predict(X).argmax()) // 100
    4
    """

    _tags: ClassVar[dict[str, Any]] = _RECORDING | {
        "anomaly_output_type": "anomaly_scores",
        "learning_type:unsupervised": True,
        "learning_type:semi_supervised": True,
    }

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator
        _AnomalyDetector.__init__(self, axis=0)

    def _fit(self, X: Any, y: Any = None) -> Any:
        return super()._fit(X)  # without labels

    def _predict(self, X: Any) -> Any:
        return -np.asarray(self.estimator_.score_samples(X))

    def _fit_predict(self, X: Any, y: Any = None) -> Any:
        return self._fit(X)._predict(X)
