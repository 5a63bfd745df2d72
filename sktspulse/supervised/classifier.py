"""Classification of time series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import StrOptions

from ..embedding import Windowing
from ..series import Floats, fitted_copy
from .answers import class_codes, class_decisions, class_probabilities
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

    By default ``fit`` adds up three models, the probe: one of embeddings by the frozen
    network, one of random kernels, and one of trees on quantiles. Their shares and
    regularisation are chosen automatically and probabilities are calibrated, all by
    cross-validation. This takes seconds for hundreds of series, and a dozen series are
    enough. Alternatively, :class:`TSLens` fine-tunes the decoder of the network.

    Parameters
    ----------
    strategy : {"auto", "probe", "tslens"} or TSLens, default="auto"
        ``"probe"`` adds up ``members`` and leaves the network as it is. ``"tslens"``
        fine-tunes the decoder with the defaults of :class:`TSLens`; pass an instance to
        change them. ``"auto"`` is ``"probe"``, which is more accurate on nearly all data
        sets.
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
    class_weight : dict, "balanced" or None, default=None
        Weight of the series of each class, multiplied by ``sample_weight``. A dict maps
        labels to numbers above 0; the default for other labels is 1. ``"balanced"``
        gives all classes the same total weight.
    max_time : float or None, default=None
        Seconds after which the probe leaves out what it can do without, and warns. By
        default the work depends on the data alone; see Notes. TSLens is bounded by its
        number of epochs instead.
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
    classes_ : ndarray of shape (n_classes,)
        The sorted labels.
    C_ : float
        Inverse regularisation strength of the logistic regression on embeddings, whose
        mean squared norm is about 1; without the network, on level and scale. NaN for
        TSLens.
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
        Representations of the series that the probe embeds; 0 for TSLens and without the
        network.
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
    The network sees up to four representations of each channel: the series resampled along
    a time that passes faster where it changes more, its differences, its cumulative sums
    and, of several channels, these along such a time; with ``windowing="sliding"``
    differences, series and cumulative sums. Embeddings
    of up to 32 channels are concatenated; of more, they are summarised by mean and standard
    deviation. Kernels and trees see standardised series, at most 1024 points, averages if
    there are more. Level and scale of each channel and the length of the series are features
    besides. Changing the unit or the origin of a channel has no effect.

    The work depends on the size of the panel alone, so that the answer is the same on a busy
    machine. Of a large panel there are fewer representations (at most 12,000 windows, but
    one in any case), fewer kernels (from 1,000 series on), fewer and smaller trees, and
    fewer principal directions of features (at most 1000). After ``max_time``, trees are left
    out if they have not been grown, and no further C is tried.

    Log-odds of the members, and of level, scale and length alone, are added with the shares
    that minimise the out-of-fold log-loss in five folds, kept near each other if there are
    few series. Their C is chosen on the same folds; of thousands of series, at least one
    thousand are held out once. Trees each learn from four fifths of the series, and answer
    for the others. The only member of a class is never held out. If no class has two
    members, C is 10 and the temperature 1. Equal series of one class are merged, so integer
    weights are equivalent to repetition, and the order of the series has no effect. Other
    weights are exact, but that trees draw their series without regard to them.

    Missing values (NaN) are unobserved by the network, and bridged by straight lines for
    kernels and trees. Infinite values are an error. With ``windowing="resample"`` a series
    needs 2 time points, and fewer than a patch carry little information; with ``"sliding"``
    it needs a patch. A pickle holds the fitted models and the hash of the network, not its
    weights.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 3.
    .. [2] Dempster et al., "Hydra: competing convolutional kernels for fast and accurate
       time series classification", 2023, arXiv:2203.13652.
    .. [3] Dempster et al., "QUANT: a minimalist interval method for time series
       classification", 2024, arXiv:2308.00928.
    .. [4] Guo et al., "On Calibration of Modern Neural Networks", 2017,
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
        n_jobs: int | None = None,
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
        self.n_jobs = n_jobs
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
        return np.asarray(self.classes_[class_codes(decisions)])

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
        return class_probabilities(self.decision_function(X))

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
        return class_decisions(self._outputs(X))
