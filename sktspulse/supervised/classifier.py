"""Classification of time series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import StrOptions

from ..embedding import Windowing
from ..series import Floats, fitted_copy
from .base import BaseSupervised
from .probe.logistic import LogisticHead
from .probe.probe import Probe
from .samples import Samples
from .strategies import TSLens
from .targets import check_labels, check_weights, class_weights, encode_labels
from .tasks import Classification

__all__ = ["TSPulseClassifier"]


class TSPulseClassifier(ClassifierMixin, BaseSupervised):
    """Classify time series with the pre-trained network.

    By default ``fit`` embeds the series with the frozen network and fits a multinomial
    logistic regression to the embeddings, the probe. Regularisation is chosen
    automatically and probabilities are calibrated, both by cross-validation. This takes
    seconds for hundreds of series, and a dozen series are enough. Alternatively,
    :class:`TSLens` fine-tunes the decoder of the network.

    Parameters
    ----------
    strategy : {"auto", "probe", "tslens"} or TSLens, default="auto"
        ``"probe"`` fits a linear model on the frozen network. ``"tslens"`` fine-tunes
        the decoder with the defaults of :class:`TSLens`; pass an instance to change
        them. ``"auto"`` is ``"probe"``, which is more accurate on most data sets.
    windowing : {"resample", "sliding"}, default="resample"
        How series of any length are brought to the 512 time points of a window.
        ``"resample"`` interpolates shorter series and averages longer ones block by block;
        it suits series that are a single event. ``"sliding"`` keeps the time scale and
        averages over windows that overlap by half; shorter series are padded with missing
        values.
    class_weight : dict, "balanced" or None, default=None
        Weight of the series of each class, multiplied by ``sample_weight``. A dict maps
        labels to numbers above 0; the default for other labels is 1. ``"balanced"``
        gives all classes the same total weight.
    max_time : float, default=60
        Seconds that fitting the probe may take; see Notes. TSLens is bounded by its
        number of epochs instead.
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
    classes_ : ndarray of shape (n_classes,)
        The sorted labels.
    C_ : float
        Inverse regularisation strength of the logistic regression on all features, whose
        mean squared norm is about 1. NaN for TSLens.
    temperature_ : float
        What the log-odds were divided by for calibration; above 1 if the uncalibrated
        model was over-confident.
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
    TSPulseRegressor : Predicts numbers instead of classes.
    TSPulseTransformer : Gives the embeddings, for any other classifier.

    Notes
    -----
    The probe describes each channel by its level, its scale, and the semantic embeddings
    of up to seven representations: the series resampled along a time that passes faster
    where it changes more, its differences, its cumulative sums, the series itself, the
    differences of either half, and the cumulative sums along warped time. With
    ``windowing="sliding"`` they are differences, series and cumulative sums. Features of
    up to 32 channels are concatenated; of more channels, embeddings are summarised by
    mean and standard deviation. Changing the unit or the origin of a channel has no
    effect.

    At most 500 windows of one channel are embedded for each second of ``max_time``, so
    large panels are described by fewer representations, but at least one, independent
    of the speed of the machine. On a slow machine, no further representation is embedded
    if it would take longer than 60 % of ``max_time``, and no further model is fitted
    after ``max_time``.

    Three logistic regressions, on all features, on the smooth representations and on
    level and scale, are added with the weights that minimise the out-of-fold log-loss in
    five folds. Their C is chosen on the same folds; of thousands of series, at least one
    thousand are held out once. The only member of a class is never held out. If no class
    has two members, or time is over, C is 10 and the temperature 1. Equal series of one
    class are merged, so integer weights are equivalent to repetition, and the order of
    the series has no effect. At most 1000 principal directions of the features are used,
    and down to 300 if there are many series and classes.

    Missing values (NaN) are passed to the network as unobserved. Infinite values are an
    error. With ``windowing="resample"`` a series needs 2 time points, and fewer than a
    patch carry little information; with ``"sliding"`` it needs a patch. One CPU core
    embeds 1,000 windows of one channel in about 1 s. A pickle holds the fitted model and
    the hash of the network, not its weights.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSupervised._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _task_class = Classification
    _fit_head = staticmethod(LogisticHead.fit)

    def __init__(
        self,
        strategy: Literal["auto", "probe", "tslens"] | TSLens = "auto",
        *,
        members: Sequence[Any] = ("network", "kernels", "quantiles"),
        windowing: Windowing = "resample",
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
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
        self.class_weight = class_weight
        self.max_time = max_time
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model to labelled series.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing.
        y : array-like of shape (n_series,)
            Labels of at least two classes: numbers or strings.
        sample_weight : array-like of shape (n_series,), default=None
            Weight of each series, at least 0. A series of weight 2 counts as two series,
            and one of weight 0 is ignored.

        Returns
        -------
        TSPulseClassifier
            This estimator.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or has a wrong shape, if y is not one
            label for each series or has a single class, if weights are negative or all
            0, if a parameter is invalid, or if the checkpoint cannot be read. The
            estimator is then unchanged.
        """
        self._validate_params()
        with fitted_copy(self) as fitted:
            network = fitted._fit_network()
            panel = fitted._check_panel(X, network, reset=True)
            labels = check_labels(fitted, y, len(panel))
            weights = check_weights(sample_weight, len(panel))
            classes, codes = encode_labels(labels, weights)
            weights = weights * class_weights(self.class_weight, classes, codes, weights)[codes]
            model = fitted._fit_model(network, Samples(panel, codes, weights))
            fitted.classes_ = classes
            fitted.C_ = model.head.C if isinstance(model, Probe) else np.nan
            fitted.temperature_ = model.temperature
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of every series.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the same channels. Series with an axis for channels
            may have any length; those of a two-dimensional panel have the fitted length.

        Returns
        -------
        ndarray of shape (n_series,)
            Labels.
        """
        decisions = self.decision_function(X)
        codes = decisions > 0 if decisions.ndim == 1 else decisions.argmax(1)
        return np.asarray(self.classes_[codes.astype(np.intp)])

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the probability of every class for every series.

        Parameters
        ----------
        X : array-like
            Panel as in ``predict``.

        Returns
        -------
        ndarray of shape (n_series, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        decisions = self.decision_function(X)
        if decisions.ndim == 1:
            return np.column_stack([expit(-decisions), expit(decisions)])
        return np.asarray(softmax(decisions, axis=1))

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return calibrated log-odds.

        Parameters
        ----------
        X : array-like
            Panel as in ``predict``.

        Returns
        -------
        ndarray of shape (n_series,) or (n_series, n_classes)
            For two classes, the log-odds of the second one; for more, one logit for each
            class, whose softmax is the probability.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels than in ``fit``.
        NotFittedError
            If ``fit`` was not called.
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if len(self.classes_) == 2 else outputs
