"""Tell the class of a series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from ._linear import LogisticHead
from ._probe import BaseProbe, check_lengths, check_weights

__all__ = ["TSPulseClassifier"]


class TSPulseClassifier(ClassifierMixin, BaseProbe):
    """Classify the series of a panel with the pre-trained network and a linear head.

    The network is used as it is; ``fit`` embeds the series and learns a multinomial
    logistic regression on the embeddings, whose strength of regularisation it chooses
    by itself. That takes seconds for hundreds of series, and a dozen are enough.
    Probabilities are calibrated on held-out series.

    Parameters
    ----------
    length : {"resample", "window"}, default="resample"
        How series of any length come to the 512 time points the network reads.
        ``"resample"`` stretches or shrinks each to fit, which suits series that are one
        event each. ``"window"`` keeps the pace: it lays windows that overlap by half
        and averages their embeddings; series shorter than a window are preceded by
        missing values.
    class_weight : dict, "balanced" or None, default=None
        How much a series of each class counts, beside its ``sample_weight``. A dict
        maps labels to numbers above 0; labels that are not in it have 1.
        ``"balanced"`` gives all classes the same sum.
    checkpoint : str or path, default="tspulse-p16"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Windows given to the network at once. Raise it on an accelerator.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the best there is.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    C_ : float
        Inverse strength of regularisation that was chosen for all features, of a squared
        length of about 1. Higher follows the training series more closely.
    temperature_ : float
        What the log-odds were divided by; above 1 if they were too bold.
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame with names that are strings.
    n_channels_in_ : int
        Number of channels.
    fingerprint_ : str
        Hash of the network fitted with.

    See Also
    --------
    TSPulseRegressor : Predicts numbers instead of classes.
    TSPulseTransformer : Gives the embeddings, for any other classifier.

    Notes
    -----
    A series is described by the semantic embedding of each channel, the same of its
    changes from point to point, and its level and scale, which embeddings do not tell.
    Up to 32 channels stand side by side; of more, mean and standard deviation over the
    channels are kept. A common factor above 0 and a common shift of a channel make no
    difference.

    Two regressions, one on all of these and one on level and scale alone, are added up
    with the shares of the least log-loss over series held out in five folds. C of each
    has the least log-loss on the same, at the best temperature; of thousands of series,
    a thousand at least are held out once. The only member of a class is never held out;
    if no class has two, C is 10 and the temperature 1. Nothing is random: folds depend
    on the values of the series and not on their order. Equal series of one class are
    one whose weight is the sum, so weights do exactly what repetition does.

    Missing values (NaN) are shown to the network as such. ±inf is an error. With
    ``length="resample"`` a series needs 2 time points, and fewer than a patch tell
    little; with ``length="window"`` it needs a patch. One CPU core embeds 1,000
    channels of series in about 2 s; beyond input and features, memory does not grow.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 3.
    .. [2] Guo et al., "On Calibration of Modern Neural Networks", 2017,
       arXiv:1706.04599, section 4.2.

    Examples
    --------
    >>> from sktspulse import TSPulseClassifier
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(60, n_channels=2, random_state=0)
    >>> model = TSPulseClassifier().fit(X[:40], y[:40])
    >>> model.score(X[40:], y[40:]) > 0.8
    True
    >>> model.predict_proba(X[40:]).shape
    (20, 2)
    """

    def __init__(
        self,
        length: Literal["resample", "window"] = "resample",
        *,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        checkpoint: str = "tspulse-p16",
        batch_size: int = 32,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.length = length
        self.class_weight = class_weight
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.device = device
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Embed the series and learn the head.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing.
        y : array-like of shape (n_series,)
            Labels of two classes or more: numbers or strings.
        sample_weight : array-like of shape (n_series,), default=None
            How much each series counts, at least 0. A series of weight 2 counts as two
            series, and one of weight 0 is ignored.

        Returns
        -------
        TSPulseClassifier
            This object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or of the wrong shape, if y is not one
            label a series or holds a single class, if weights are negative or all 0, if
            a parameter is none of its choices, or if the checkpoint cannot be read.
        """
        self._check_parameters()
        labels = _check_labels(self, y)
        check_lengths(X, labels)
        weights = check_weights(sample_weight, len(labels))
        classes, codes = _encode(labels, weights)
        weights = weights * _class_weights(self.class_weight, classes, codes, weights)[codes]
        head = LogisticHead()
        self._learn(X, codes, weights, head)
        self.classes_ = classes
        self.C_, self.temperature_ = head.C, head.temperature
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of every series.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the channels fitted. Series with an axis for
            channels may have any length; those of a two-dimensional panel have the
            length fitted.

        Returns
        -------
        ndarray of shape (n_series,)
            Labels.
        """
        decisions = self.decision_function(X)
        codes = decisions > 0 if decisions.ndim == 1 else decisions.argmax(1)
        return np.asarray(self.classes_[codes.astype(np.intp)])

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of every class for every series.

        Parameters
        ----------
        X : array-like
            Panel as in ``predict``.

        Returns
        -------
        ndarray of shape (n_series, n_classes)
            Probabilities, in the order of ``classes_``; rows add up to 1.
        """
        decisions = self.decision_function(X)
        if decisions.ndim == 1:
            return np.column_stack([expit(-decisions), expit(decisions)])
        return np.asarray(softmax(decisions, axis=1))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return calibrated log-odds.

        Parameters
        ----------
        X : array-like
            Panel as in ``predict``.

        Returns
        -------
        ndarray of shape (n_series,) or (n_series, n_classes)
            For two classes, the log-odds of the second one; for more, one number a
            class, whose softmax is the probability.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels than fitted.
        NotFittedError
            If ``fit`` was not called.
        """
        check_is_fitted(self)
        decisions = self._decide(X)
        return decisions[:, 0] if len(self.classes_) == 2 else decisions


def _check_labels(estimator: TSPulseClassifier, y: Any) -> NDArray[Any]:
    name = type(estimator).__name__
    if y is None:
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None. Pass one label a series."
        )
    try:
        labels = np.asarray(column_or_1d(y, warn=True))
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y cannot be read as labels: {error} Pass one number or string a series, none "
            "missing; for numbers that are measured, take TSPulseRegressor."
        ) from error
    return labels


def _encode(labels: NDArray[Any], weights: NDArray[np.float64]) -> tuple[NDArray[Any], Any]:
    """Return the classes of positive weight, and the number of the class of each series."""
    counted = labels[weights > 0]
    classes = np.unique(counted)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class, {classes.tolist()}, among series that count, expected two or "
            "more. Add series of another class."
        )
    codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    return classes, codes


def _class_weights(
    class_weight: Any, classes: NDArray[Any], codes: Any, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weight of each class."""
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str) and class_weight == "balanced":
        return weights.sum() / (len(classes) * np.bincount(codes, weights))
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f"class_weight is {class_weight!r}, expected a dict, 'balanced' or None. Choose one."
        )
    unknown = set(class_weight) - set(classes.tolist())
    chosen = np.array([class_weight.get(label, 1) for label in classes.tolist()], dtype=float)
    if unknown or not (np.isfinite(chosen) & (chosen > 0)).all():
        raise ValueError(
            f"class_weight is {dict(class_weight)!r}, expected finite numbers above 0 for labels "
            f"among {classes.tolist()}. Mend it, or leave labels out."
        )
    return chosen
