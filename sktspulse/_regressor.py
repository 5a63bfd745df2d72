"""Predict numbers from a series."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from ._linear import RidgeHead
from ._probe import BaseProbe, check_lengths, check_weights

__all__ = ["TSPulseRegressor"]


class TSPulseRegressor(RegressorMixin, BaseProbe):
    """Predict one number or several from each series of a panel, by a linear head.

    The network is used as it is; ``fit`` embeds the series and learns a ridge
    regression on the embeddings, whose strength of regularisation it chooses by itself,
    for each output. That takes seconds for hundreds of series.

    Parameters
    ----------
    length : {"resample", "window"}, default="resample"
        How series of any length come to the 512 time points the network reads.
        ``"resample"`` stretches or shrinks each to fit, which suits series that are one
        event each. ``"window"`` keeps the pace: it lays windows that overlap by half
        and averages their embeddings; series shorter than a window are preceded by
        missing values.
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
    alpha_ : float or ndarray of shape (n_outputs,)
        Strength of regularisation that was chosen, for targets of variance 1 and
        features of a squared length of about 1. Lower follows the training series more
        closely.
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
    TSPulseClassifier : Tells classes, with probabilities.
    TSPulseTransformer : Gives the embeddings, for any other regressor.

    Notes
    -----
    Series are described as in :class:`TSPulseClassifier`: embeddings of the series and
    of its changes, level and scale. Targets are scaled inside, so ``predict`` follows
    their unit. Two regressions, one on all features and one on level and scale alone,
    are added up. Their strengths and shares have the least squared error on series that
    are left out one by one, equal ones together. Nothing is random, and weights do
    exactly what repetition does.

    Missing values (NaN) are shown to the network as such. ±inf is an error. With
    ``length="resample"`` a series needs 2 time points, and fewer than a patch tell
    little; with ``length="window"`` it needs a patch. One CPU core embeds 1,000
    channels of series in about 2 s; beyond input and features, memory does not grow.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import TSPulseRegressor
    >>> rng = np.random.default_rng(0)
    >>> cycles = rng.uniform(2, 10, 60)
    >>> X = np.sin(cycles[:, None] * np.linspace(0, 6.28, 100)) + rng.normal(0, 0.1, (60, 100))
    >>> model = TSPulseRegressor().fit(X[:40], cycles[:40])
    >>> model.score(X[40:], cycles[40:]) > 0.8
    True
    """

    def __init__(
        self,
        length: Literal["resample", "window"] = "resample",
        *,
        checkpoint: str = "tspulse-p16",
        batch_size: int = 32,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.length = length
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
        y : array-like of shape (n_series,) or (n_series, n_outputs)
            Finite targets.
        sample_weight : array-like of shape (n_series,), default=None
            How much each series counts, at least 0. A series of weight 2 counts as two
            series, and one of weight 0 is ignored.

        Returns
        -------
        TSPulseRegressor
            This object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or of the wrong shape, if y is not one
            row of finite numbers a series, if weights are negative or all 0, if a
            parameter is none of its choices, or if the checkpoint cannot be read.
        """
        self._check_parameters()
        targets = _check_numbers(self, y)
        check_lengths(X, targets)
        weights = check_weights(sample_weight, len(targets))
        head = RidgeHead()
        self._learn(X, targets.reshape(len(targets), -1), weights, head)
        self._is_flat = targets.ndim == 1
        self.alpha_ = float(head.alpha[0]) if self._is_flat else head.alpha
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict the targets of every series.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the channels fitted. Series with an axis for
            channels may have any length; those of a two-dimensional panel have the
            length fitted.

        Returns
        -------
        ndarray of shape (n_series,) or (n_series, n_outputs)
            Predictions [units of y], with the axes of the y fitted with.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels than fitted.
        NotFittedError
            If ``fit`` was not called.
        """
        check_is_fitted(self)
        predictions = self._decide(X)
        return predictions[:, 0] if self._is_flat else predictions

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _check_numbers(estimator: TSPulseRegressor, y: Any) -> NDArray[np.float64]:
    name = type(estimator).__name__
    if y is None:
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None. Pass one number a series."
        )
    try:
        targets = check_array(
            y, dtype=np.float64, ensure_2d=False, input_name="y", ensure_min_samples=0
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y cannot be read as targets: {error} Pass finite numbers, one row a series."
        ) from error
    return np.asarray(targets)
