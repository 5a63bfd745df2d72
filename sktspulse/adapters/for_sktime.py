"""Estimators of this package as estimators of sktime."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .delegation import Delegating, DelegatingClassifier, base_class

__all__ = [
    "SktimeClassifier",
    "SktimeDetector",
    "SktimeImputer",
    "SktimeRegressor",
    "SktimeTransformer",
]

_PANEL = {
    "X_inner_mtype": ["pd-multiindex", "nested_univ", "numpy3D"],
    "capability:multivariate": True,
    "capability:unequal_length": True,
    "capability:missing_values": True,
    "capability:categorical_in_X": False,
}
_Classifier: Any = base_class("sktime", "sktime.classification.base", "BaseClassifier")
_Regressor: Any = base_class("sktime", "sktime.regression.base", "BaseRegressor")
_Transformer: Any = base_class("sktime", "sktime.transformations.base", "BaseTransformer")
_Detector: Any = base_class("sktime", "sktime.detection.base", "BaseDetector")


class SktimeClassifier(DelegatingClassifier, _Classifier):
    """A classifier as a classifier of sktime.

    For pipelines, ensembles and benchmarks of sktime. It takes all panels of sktime, also with
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
    SktimeRegressor : The same for numbers.
    AeonClassifier : The same for aeon.

    Examples
    --------
    >>> from sktspulse import TSPulseClassifier
    >>> from sktspulse.adapters import SktimeClassifier
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(24, n_channels=2, random_state=0)
    >>> SktimeClassifier(TSPulseClassifier()).fit(X, y).predict(X).shape
    (24,)
    """

    _tags: ClassVar[dict[str, Any]] = _PANEL | {"capability:predict_proba": True}


class SktimeRegressor(Delegating, _Regressor):
    """A regressor as a regressor of sktime.

    For pipelines, ensembles and benchmarks of sktime. It takes all panels of sktime, also with
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
    SktimeClassifier : The same for classes.
    AeonRegressor : The same for aeon.

    Examples
    --------
    >>> from sktspulse import TSPulseRegressor
    >>> from sktspulse.adapters import SktimeRegressor
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, _ = make_labelled_panel(24, n_channels=2, random_state=0)
    >>> y = X.std(axis=(1, 2))
    >>> SktimeRegressor(TSPulseRegressor()).fit(X, y).predict(X).shape
    (24,)
    """

    _tags: ClassVar[dict[str, Any]] = _PANEL


class SktimeTransformer(Delegating, _Transformer):
    """A transformer of a panel to a table as a transformer of sktime.

    For pipelines of sktime that end in an estimator of tables.

    Parameters
    ----------
    estimator : TSPulseTransformer
        The transformer; a copy is fitted. Its parameters are ``estimator__name``.

    Attributes
    ----------
    estimator_ : TSPulseTransformer
        The fitted copy.

    See Also
    --------
    SktimeImputer : Fills one recording.
    AeonTransformer : The same for aeon.

    Examples
    --------
    >>> from sktspulse import TSPulseTransformer
    >>> from sktspulse.adapters import SktimeTransformer
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, _ = make_labelled_panel(24, n_channels=2, random_state=0)
    >>> SktimeTransformer(TSPulseTransformer()).fit_transform(X).shape
    (24, 480)
    """

    _tags: ClassVar[dict[str, Any]] = _PANEL | {
        "capability:missing_values:removes": True,
        "scitype:transform-input": "Series",
        "scitype:transform-output": "Primitives",
        "fit_is_empty": False,
    }


class SktimeImputer(Delegating, _Transformer):
    """An imputer of a recording as a transformer of sktime.

    sktime fills each series of a panel by itself.

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
    SktimeTransformer : Embeds panels.
    AeonImputer : The same for aeon.

    Examples
    --------
    >>> import pandas as pd
    >>> from sktspulse import TSPulseImputer
    >>> from sktspulse.adapters import SktimeImputer
    >>> from sktspulse.datasets import make_gappy_series
    >>> X, _ = make_gappy_series(600, 2, random_state=0)
    >>> filled = SktimeImputer(TSPulseImputer(random_state=0)).fit_transform(pd.DataFrame(X))
    >>> int(filled.isna().sum().sum())
    0
    """

    _tags: ClassVar[dict[str, Any]] = {
        "X_inner_mtype": "pd.DataFrame",
        "capability:multivariate": True,
        "capability:missing_values": True,
        "capability:missing_values:removes": True,
        "capability:categorical_in_X": False,
        "skip-inverse-transform": True,
        "transform-returns-same-time-index": True,
        "fit_is_empty": False,
    }


class SktimeDetector(Delegating, _Detector):
    """A detector of anomalies in a recording as a detector of sktime.

    ``predict`` returns the row numbers of outliers, and ``transform_scores`` the score of every
    row. Higher is more anomalous.

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
    AeonAnomalyDetector : The same for aeon.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sktspulse import TSPulseAnomalyDetector
    >>> from sktspulse.adapters import SktimeDetector
    >>> X = pd.DataFrame(np.sin(np.arange(700.0) / 9))
    >>> X.iloc[400:420] += 0.7
    >>> outliers = SktimeDetector(TSPulseAnomalyDetector()).fit(X).predict(X)
    >>> int(outliers["ilocs"].median()) // 100
    4
    """

    _tags: ClassVar[dict[str, Any]] = {
        "X_inner_mtype": "pd.DataFrame",
        "task": "anomaly_detection",
        "learning_type": "unsupervised",
        "capability:multivariate": True,
        "capability:missing_values": True,
        "fit_is_empty": False,
    }

    def _fit(self, X: Any, y: Any = None) -> Any:
        return super()._fit(X)  # without labels

    def _predict(self, X: Any) -> Any:
        X = X.to_frame() if X.ndim == 1 else X
        outliers = np.flatnonzero(self.estimator_.predict(X) == -1)
        return type(X)({"ilocs": outliers})

    def _transform_scores(self, X: Any) -> Any:
        return -self.estimator_.score_samples(X).to_frame("scores")

    def _predict_scores(self, X: Any) -> Any:
        return self._transform_scores(X).iloc[self._predict(X)["ilocs"]]
