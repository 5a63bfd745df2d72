"""Tell the class of a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from .strategies import BaseTSLens
from .targets import check_labels, check_lengths, check_weights, class_weights, encode_labels
from .tasks import Classes

__all__ = ["TSPulseClassifier"]


class TSPulseClassifier(ClassifierMixin, BaseTSLens):
    """Classify the series of a panel with the pre-trained network.

    By a linear head on the network as it is, the probe: ``fit`` embeds the series and
    learns a multinomial logistic regression on the embeddings, whose strength of
    regularisation it chooses by itself. That takes seconds for hundreds of series, and a
    dozen are enough. Or by TSLens, which trains the last layers of the network, too.
    Probabilities are calibrated on held-out series.

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
    class_weight : dict, "balanced" or None, default=None
        How much a series of each class counts, beside its ``sample_weight``. A dict
        maps labels to numbers above 0; labels that are not in it have 1.
        ``"balanced"`` gives all classes the same sum.
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
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    C_ : float
        Inverse strength of regularisation that was chosen for all features, of a squared
        length of about 1. Higher follows the training series more closely. NaN if
        there is no probe.
    temperature_ : float
        What the log-odds were divided by; above 1 if they were too bold.
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
    TSPulseRegressor : Predicts numbers instead of classes.
    TSPulseTransformer : Gives the embeddings, for any other classifier.

    Notes
    -----
    The probe describes each channel by its semantic embeddings in seven forms (the
    series, its running sums, both at a pace that follows what happens, its changes from
    point to point, and two halves of these; with ``length="window"`` the series, sums
    and changes alone), and by level and scale, which embeddings do not tell. Up to 32
    channels stand side by side; of more, mean and standard deviation over the channels
    are kept. A common factor above 0 and a common shift of a channel make no difference.
    For each second of ``max_time``, 500 windows of a channel are read at most, and TSLens
    is tried by ``"auto"`` on 80 at most. So the forms of least worth are left out when
    series are many, one at least being read, whatever the speed of the machine. Only if
    0.6 of the time will not be enough on a slow one is no further form begun. When all
    of it is over, no other regression is, and no other C is tried.

    Three regressions, on all of these, on the smooth forms, and on level and scale,
    are added up with the shares of the least log-loss over series held out in five
    folds. C of each has the least log-loss on the same, at the best temperature; of
    thousands of series, a thousand at least are held out once. The only member of a
    class is never held out; if no class has two, or there was no time to choose, C is
    10 and the temperature 1. Nothing is random: folds depend on the values of the series
    and not on their order. Equal series of one class are one whose weight is the sum, so
    weights do exactly what repetition does. Of more than a thousand directions that
    features vary in, the longest thousand are kept, and fewer of many series and
    classes, but 300 at least.

    TSLens trains the decoder, with channel mixers that start as nearly the identity, and
    one linear map over all tokens, level and scale; the backbone stays as it is. Of
    ``validation_fraction`` of the series, spread over the classes, come the end of the
    training, the weights that are kept, and the temperature. ``"auto"`` gives TSLens a
    share only if that lowers the log-loss of those series by more than twice its
    standard error. Series of one seed and any order give the same answer, to the bit,
    unless the clock ends the training. One CPU core takes some 5 ms for a channel of
    a window at first, and 1 ms in each epoch. The weights that were trained are part
    of a pickle, those of the backbone are not.

    Missing values (NaN) are shown to the network as such. ±inf is an error. With
    ``length="resample"`` a series needs 2 time points, and fewer than a patch tell
    little; with ``length="window"`` it needs a patch. One CPU core embeds 1,000
    channels of series in some 10 s; beyond input and features, memory does not grow.

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
        strategy: Literal["auto", "probe", "tslens"] = "auto",
        *,
        length: Literal["resample", "window"] = "resample",
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
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
        self.class_weight = class_weight
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
        """Learn from labelled series.

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

        Warns
        -----
        UserWarning
            If ``max_time`` was too short to train TSLens, so that the probe answers.
        """
        self._check_parameters()
        labels = check_labels(self, y)
        check_lengths(X, labels)
        weights = check_weights(sample_weight, len(labels))
        classes, codes = encode_labels(labels, weights)
        weights = weights * class_weights(self.class_weight, classes, codes, weights)[codes]
        head = self._learn(X, Classes(len(classes)), codes, weights)
        self.classes_ = classes
        self.C_ = getattr(head, "C", np.nan)
        self.temperature_ = head.temperature if self.strategy_ == "probe" else self._mix.temperature
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
