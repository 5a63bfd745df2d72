"""Regression on time series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin

from ..embedding import Windowing
from ..series import Floats, Indices, fitted_copy
from .answers import in_target_units
from .base import BaseSupervised
from .probe.probe import Probe
from .probe.ridge import RidgeHead
from .samples import Samples
from .strategies import TSLens
from .targets import check_numbers, check_weights
from .tasks import Regression

__all__ = ["TSPulseRegressor", "regressor_units"]


class TSPulseRegressor(RegressorMixin, BaseSupervised):
    """Predict one or several numbers from time series.

    By default ``fit`` adds up several models, the probe: ridge regressions on embeddings
    by the frozen network, on random kernels and on values, and trees on quantiles. Their
    shares and regularisation are chosen automatically for each target. This takes seconds
    for hundreds of series. Alternatively, :class:`TSLens` fine-tunes the decoder of the
    network.

    Parameters
    ----------
    strategy : {"auto", "probe", "tslens"} or TSLens, default="auto"
        ``"probe"`` adds up ``members`` and leaves the network as it is. ``"tslens"``
        fine-tunes the decoder with the defaults of :class:`TSLens`; pass an instance to
        change them. ``"auto"`` is ``"probe"``.
    members : sequence of str or transformer, default=("network", "kernels", "quantiles")
        What the probe adds up, each with a share of its own: ``"network"``, a linear model
        of embeddings; ``"kernels"``, a linear model of competing random kernels [2]_;
        ``"quantiles"``, trees on quantiles of intervals [3]_. A transformer of panels, such
        as one of aeon, adds a linear model of its features; ``fit`` fits a copy, to the
        series alone.
    windowing : {"resample", "sliding"}, default="resample"
        How series of any length are brought to the 512 time points of a window.
        ``"resample"`` interpolates shorter series and averages longer ones block by block;
        it suits series that are a single event. ``"sliding"`` keeps the time scale and
        averages over windows that overlap by half; shorter series are padded with missing
        values.
    max_time : float or None, default=None
        Seconds after which the probe leaves out trees if they have not been grown, and
        warns. By default the work depends on the data alone; see
        :class:`TSPulseClassifier`. TSLens is bounded by its number of epochs instead.
    checkpoint : str or path, default="tspulse-p16"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Windows in a batch of inference. Use more on a GPU.
    n_jobs : int, default=None
        Number of threads, -1 for one on each core. None means what
        :func:`joblib.parallel_config` says, else as many as torch uses. Results are the
        same up to rounding.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the best available.
    random_state : int, RandomState instance or None, default=None
        Seed of TSLens: initial weights, validation series, masks and batches. Kernels and
        trees of the probe are always drawn from the same seed, so it is deterministic.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    alpha_ : float or ndarray of shape (n_outputs,)
        Regularisation strength of the ridge regression on embeddings, level and scale (the
        last two without the network), for targets of variance 1 and features with a mean
        squared norm of about 1. NaN for TSLens.
    strategy_ : {"probe", "tslens"}
        The strategy used.
    history_ : dict of str to list of float
        For TSLens, one value for each epoch: ``epoch``, ``train_loss``, ``valid_loss``,
        final ``lr`` and ``seconds``. Empty for the probe.
    n_iter_ : int
        Epochs of TSLens; 0 for the probe.
    n_representations_ : int
        Representations of the series that the probe embeds; 0 for TSLens and without
        the network.
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
    Features are those of :class:`TSPulseClassifier` and the values of each channel at up to
    512 evenly spaced points, averages if there are more; of all channels at most 8192
    points, but two of each. Ridge regressions on embeddings with level and scale, on level
    and scale alone, on kernels and on values are added, and trees, with the shares that
    minimise the squared error on series that a model has not seen: ridge regressions leave
    each out once, trees learn from four fifths. Shares are kept near each other if there are
    few series. Targets are standardised internally. Equal series with equal targets are
    merged, so integer weights are equivalent to repetition.

    The same errors give the deviation that ``predict`` returns: for errors with a normal
    distribution, 1.645 times as much on either side cover 90 %. They are too small if series
    depend on each other, such as overlapping windows.

    TSLens minimises the mean squared error of all targets; its validation series are
    spread over the range of the first target.

    Missing values (NaN) are unobserved by the network, and bridged by straight lines for
    kernels and trees. Infinite values are an error. With ``windowing="resample"`` a series
    needs 2 time points, and fewer than a patch carry little information; with ``"sliding"``
    it needs a patch.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 3.
    .. [2] Dempster et al., "Hydra: competing convolutional kernels for fast and accurate
       time series classification", 2023, arXiv:2203.13652.
    .. [3] Dempster et al., "QUANT: a minimalist interval method for time series
       classification", 2024, arXiv:2308.00928.

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
    >>> predicted, std = model.predict(X[40:], return_std=True)
    >>> float(np.mean(np.abs(predicted - cycles[40:]) < 3 * std))
    1.0
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
        n_jobs: int | None = None,
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
        self.n_jobs = n_jobs
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
        return in_target_units(outputs, self._exponents, self._is_flat)

    @staticmethod
    def _fit_head(
        samples: Samples, groups: list[Indices], answers: Floats | None, _: Callable[[], bool]
    ) -> RidgeHead:
        return RidgeHead.fit(samples, groups, answers)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def regressor_units(regressor: TSPulseRegressor) -> dict[str, Any]:
    """Return what brings outputs to the units and axes of the targets in ``fit``."""
    return {"exponents": regressor._exponents, "is_flat": regressor._is_flat}
