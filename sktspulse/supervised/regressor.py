"""Regression on time series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin

from ..embedding import Windowing
from ..series import Floats, Indices, fitted_copy
from .base import BaseSupervised
from .probe.probe import Probe
from .probe.ridge import RidgeHead
from .samples import Samples
from .strategies import TSLens
from .targets import check_numbers, check_weights
from .tasks import Regression

__all__ = ["TSPulseRegressor"]


class TSPulseRegressor(RegressorMixin, BaseSupervised):
    """Predict one or several numbers from time series.

    By default ``fit`` embeds the series with the frozen network and fits a ridge
    regression to the embeddings, the probe. Regularisation is chosen automatically for
    each target. This takes seconds for hundreds of series. Alternatively,
    :class:`TSLens` fine-tunes the decoder of the network.

    Parameters
    ----------
    strategy : {"auto", "probe", "tslens"} or TSLens, default="auto"
        ``"probe"`` fits a linear model on the frozen network. ``"tslens"`` fine-tunes
        the decoder with the defaults of :class:`TSLens`; pass an instance to change
        them. ``"auto"`` is ``"probe"``.
    windowing : {"resample", "sliding"}, default="resample"
        How series of any length are brought to the 512 time points of a window.
        ``"resample"`` interpolates shorter series and averages longer ones block by block;
        it suits series that are a single event. ``"sliding"`` keeps the time scale and
        averages over windows that overlap by half; shorter series are padded with missing
        values.
    max_time : float, default=60
        Seconds that fitting the probe may take; see :class:`TSPulseClassifier`. TSLens
        is bounded by its number of epochs instead.
    checkpoint : str or path, default="tspulse-p16"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Windows in a batch of inference. Use more on a GPU.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the best available.
    random_state : int, RandomState instance or None, default=None
        Seed of TSLens: initial weights, validation series, masks and batches. The probe
        is deterministic.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    alpha_ : float or ndarray of shape (n_outputs,)
        Regularisation strength of the ridge regression on embeddings, level and scale,
        for targets of variance 1 and features with a mean squared norm of about 1. NaN
        for TSLens.
    strategy_ : {"probe", "tslens"}
        The strategy used.
    history_ : dict of str to list of float
        For TSLens, one value for each epoch: ``epoch``, ``train_loss``, ``valid_loss``,
        final ``lr`` and ``seconds``. Empty for the probe.
    n_iter_ : int
        Epochs of TSLens; 0 for the probe.
    n_representations_ : int
        Representations of the series that the probe embeds; 0 for TSLens.
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame with string names.
    n_channels_in_ : int
        Number of channels.
    fingerprint_ : str
        Hash of the network weights.

    See Also
    --------
    TSLens : Options of fine-tuning.
    TSPulseClassifier : Predicts classes, with probabilities.
    TSPulseTransformer : Gives the embeddings, for any other regressor.

    Notes
    -----
    Features are those of :class:`TSPulseClassifier` and the values of each channel at 64
    evenly spaced points; of more than 32 channels, at 2048 points of all together, but at
    least two of each. Five ridge regressions are added: on all features but values, on
    the smooth representations, on the series itself, on values, and on level and scale.
    Their strengths and weights minimise the squared error of efficient leave-one-out
    cross-validation. Targets are standardised internally. Equal series with equal
    targets are merged, so integer weights are equivalent to repetition.

    TSLens minimises the mean squared error of all targets; its validation series are
    spread over the range of the first target.

    Missing values (NaN) are passed to the network as unobserved. Infinite values are an
    error. With ``windowing="resample"`` a series needs 2 time points, and fewer than a
    patch carry little information; with ``"sliding"`` it needs a patch. One CPU core
    embeds 1,000 windows of one channel in about 1 s.

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

    _task_class = Regression
    _uses_values = True  # the target may be one of them

    def __init__(
        self,
        strategy: Literal["auto", "probe", "tslens"] | TSLens = "auto",
        *,
        members: Sequence[Any] = ("network", "kernels", "quantiles"),
        windowing: Windowing = "resample",
        max_time: float | None = None,
        checkpoint: str = "tspulse-p16",
        batch_size: int = 32,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.strategy = strategy
        self.members = members
        self.windowing = windowing
        self.max_time = max_time
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model to series with targets.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing.
        y : array-like of shape (n_series,) or (n_series, n_outputs)
            Finite targets.
        sample_weight : array-like of shape (n_series,), default=None
            Weight of each series, at least 0. A series of weight 2 counts as two series,
            and one of weight 0 is ignored.

        Returns
        -------
        TSPulseRegressor
            This estimator.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or has a wrong shape, if y is not one row
            of finite numbers for each series, if weights are negative or all 0, if a
            parameter is invalid, or if the checkpoint cannot be read. The estimator is
            then unchanged.
        """
        self._validate_params()
        with fitted_copy(self) as fitted:
            network = fitted._fit_network()
            panel = fitted._check_panel(X, network, reset=True)
            targets = check_numbers(fitted, y, len(panel))
            weights = check_weights(sample_weight, len(panel))
            rows = targets.reshape(len(targets), -1)
            # An exact division by a power of two, so that no square overflows or vanishes.
            fitted._exponents = np.frexp(np.abs(rows).max(0))[1]
            rows = np.ldexp(rows, -fitted._exponents)
            model = fitted._fit_model(network, Samples(panel, rows, weights))
            alpha = model.head.alpha if isinstance(model, Probe) else np.full(rows.shape[1], np.nan)
            fitted._is_flat = targets.ndim == 1
            fitted.alpha_ = float(alpha[0]) if fitted._is_flat else alpha
        return self

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> Floats: ...

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[True]) -> tuple[Floats, Floats]: ...

    def predict(self, X: ArrayLike, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """Predict the targets of every series.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the same channels. Series with an axis for channels
            may have any length; those of a two-dimensional panel have the fitted length.
        return_std : bool, default=False
            Whether to return the standard deviation of the errors, too: the root mean
            square of those that models made in ``fit`` on series they had not seen. It is
            the same for all series.

        Returns
        -------
        y : ndarray of shape (n_series,) or (n_series, n_outputs)
            Predictions [units of y], with the axes of the y passed to ``fit``.
        std : ndarray of the same shape
            Standard deviation of the errors [units of y]; only if ``return_std``.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels than in ``fit``, or if
            ``return_std`` after fine-tuning by TSLens, which leaves no series out.
        NotFittedError
            If ``fit`` was not called.
        """
        outputs = self._outputs(X)
        if not return_std:
            return self._in_units(outputs)
        if not isinstance(self._model, Probe):
            raise ValueError(
                "return_std=True needs the probe, but the fitted strategy is 'tslens'. Fit with "
                "strategy='probe'."
            )
        deviation = np.broadcast_to(self._model.head.deviation, outputs.shape)
        return self._in_units(outputs), self._in_units(deviation)

    def _in_units(self, outputs: Floats) -> Floats:
        """Undo the scaling of targets and the axis added to them."""
        largest = np.ldexp(np.finfo(np.float64).max, -self._exponents.clip(0))
        outputs = np.ldexp(outputs.clip(-largest, largest), self._exponents)
        return outputs[:, 0] if self._is_flat else outputs

    @staticmethod
    def _fit_head(
        samples: Samples, groups: list[Indices], answers: Floats | None, _: Callable[[], bool]
    ) -> RidgeHead:
        return RidgeHead.fit(samples, groups, answers)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
