"""Predict numbers from a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from .strategies import BaseTSLens
from .targets import check_lengths, check_numbers, check_weights
from .tasks import Numbers

__all__ = ["TSPulseRegressor"]


class TSPulseRegressor(RegressorMixin, BaseTSLens):
    """Predict one number or several from each series of a panel.

    By a linear head on the network as it is, the probe: ``fit`` embeds the series and
    learns a ridge regression on the embeddings, whose strength of regularisation it
    chooses by itself, for each output. That takes seconds for hundreds of series. Or by
    TSLens, which trains the last layers of the network, too.

    Parameters
    ----------
    strategy : {"auto", "probe", "tslens"}, default="auto"
        ``"probe"`` leaves the network as it is and learns a linear head: seconds for
        hundreds of series, nothing is random. ``"tslens"`` trains decoder and head of
        the network on the series. ``"auto"`` fits the probe, and from 1000 series on
        TSLens, too, if ``max_time`` is enough and the probe makes mistakes on series
        held out; it mixes the two as suits the series held out best.
    length : {"resample", "window"}, default="resample"
        How series of any length come to the 512 time points the network reads.
        ``"resample"`` stretches or shrinks each to fit, which suits series that are one
        event each. ``"window"`` keeps the pace: it lays windows that overlap by half
        and averages their embeddings; series shorter than a window are preceded by
        missing values.
    max_time : float, default=60
        Seconds that ``fit`` may take; see Notes. Of many series the probe reads fewer
        forms, and ``"auto"`` does without TSLens. Otherwise TSLens gets what is left,
        and lowers its learning rate in time.
    max_epochs : int, default=50
        Times that TSLens sees each series, at most.
    lr : float or "auto", default="auto"
        Highest learning rate of TSLens; ``"auto"`` tries rates from 1e-4 to 0.1 on a
        few steps first.
    train_batch_size : int, default=16
        Windows in a step of training.
    mask_ratio : float, default=0.3
        Share of the points of a window that are hidden in training, in [0, 0.9].
    channel_expansion : int, default=1
        Virtual copies of each channel that the channel mixers work with.
    head_width : int, default=1
        Numbers that a token is reduced to.
    tune_embeddings : bool, default=False
        Whether the patch embeddings are trained, too. Then what the backbone makes of
        the series cannot be kept from epoch to epoch, and these take three times as
        long.
    validation_fraction : float, default=0.2
        Share of the series that are held out from TSLens, in [0.01, 0.5].
    n_iter_no_change : int, default=25
        Epochs without a lower loss on the series held out after which training ends.
    warm_start : bool, default=False
        Whether TSLens goes on from the weights of the last ``fit``.
    callbacks : list of skorch.callbacks.Callback, default=None
        Told of what happens in the training.
    checkpoint : str or path, default="tspulse-p16"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Windows given to the network at once. Raise it on an accelerator.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the best there is.
    random_state : int, RandomState instance or None, default=None
        Source of the seed of TSLens: first weights, series held out, masks and order.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    alpha_ : float or ndarray of shape (n_outputs,)
        Strength of regularisation of the probe, for targets of variance 1 and features
        of a squared length of about 1. Lower follows the training series more closely.
        NaN if there is no probe.
    strategy_ : {"probe", "tslens", "blend"}
        What has a part in the answers.
    history_ : dict of str to list of float
        One value for each epoch of TSLens: ``epoch``, ``train_loss`` and ``valid_loss``,
        that on series held out, ``lr`` at its end, and ``seconds`` since ``fit`` began.
    n_iter_ : int
        Epochs of TSLens, 0 if there were none.
    n_forms_ : int
        Forms of the series that the probe reads, 0 if there is no probe.
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
    Series are described as in :class:`TSPulseClassifier`: embeddings in as many forms as
    ``max_time`` allows for, level and scale; and by their values at 64 points of each
    channel, of more than 32 channels at 2048 of all, but two of each at least. Targets
    are scaled inside, so ``predict`` follows their unit. Five regressions, on all
    features but values, on the smooth forms, on the series as they are, on values, and
    on level and scale, are added up. Their strengths and shares have the least squared
    error on series that are left out one by one, equal ones together. Nothing is
    random, and weights do exactly what repetition does.

    TSLens is trained as in :class:`TSPulseClassifier`, on the squared error of all
    outputs; series to hold out are spread over the first output.

    Missing values (NaN) are shown to the network as such. ±inf is an error. With
    ``length="resample"`` a series needs 2 time points, and fewer than a patch tell
    little; with ``length="window"`` it needs a patch. One CPU core embeds 1,000
    channels of series in some 10 s; beyond input and features, memory does not grow.

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

    _reads_values = True  # what is asked for may be one of them

    def __init__(
        self,
        strategy: Literal["auto", "probe", "tslens"] = "auto",
        *,
        length: Literal["resample", "window"] = "resample",
        max_time: float = 60.0,
        max_epochs: int = 50,
        lr: float | Literal["auto"] = "auto",
        train_batch_size: int = 16,
        mask_ratio: float = 0.3,
        channel_expansion: int = 1,
        head_width: int = 1,
        tune_embeddings: bool = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 25,
        warm_start: bool = False,
        callbacks: Sequence[Any] | None = None,
        checkpoint: str = "tspulse-p16",
        batch_size: int = 32,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.strategy = strategy
        self.length = length
        self.max_time = max_time
        self.max_epochs = max_epochs
        self.lr = lr
        self.train_batch_size = train_batch_size
        self.mask_ratio = mask_ratio
        self.channel_expansion = channel_expansion
        self.head_width = head_width
        self.tune_embeddings = tune_embeddings
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from series with targets.

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

        Warns
        -----
        UserWarning
            If ``max_time`` was too short to train TSLens, so that the probe answers.
        """
        self._check_parameters()
        targets = check_numbers(self, y)
        check_lengths(X, targets)
        weights = check_weights(sample_weight, len(targets))
        rows = targets.reshape(len(targets), -1)
        head = self._learn(X, Numbers(rows.shape[1]), rows, weights)
        self._is_flat = targets.ndim == 1
        alpha = getattr(head, "alpha", np.full(rows.shape[1], np.nan))
        self.alpha_ = float(alpha[0]) if self._is_flat else alpha
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
