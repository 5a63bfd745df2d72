"""Find the stretches of a recording that differ from what is usual in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted

from ._anomaly_heads import PointErrors, heads_of
from ._anomaly_scale import ChannelScale, ErrorScale, runs
from ._base import BaseTSPulse
from ._config import TSPulseConfig
from ._network import TSPulse
from ._validation import Values, check_series

__all__ = ["TSPulseAnomalyDetector"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_AGGREGATION = 96  # points that the published procedure averages the errors of a window over
_FAR_OUT = 5.0  # by default, scores from here on belong to outliers [spreads] ...
_RARE = 0.1  # ... and so do those of the most unusual of the points fitted [percent]
_ROWS = [("start", "i8"), ("end", "i8"), ("peak", "i8")]
_SEGMENT = np.dtype([*_ROWS, ("score", "f8"), ("head", "U9"), ("channel", "i8")])


class TSPulseAnomalyDetector(OutlierMixin, BaseTSPulse):
    """Score how far every point of a recording is from what was usual.

    The heads of the pre-trained network, which is not trained here, guess every point
    from points around it. ``fit`` learns how large their errors usually are on each
    channel, and scores tell how far they exceed that; so scores of recordings under one
    fitted detector are comparable. No labels are used.

    Parameters
    ----------
    heads : "all", str or sequence of str, default="all"
        What to compare the recording with. ``"time"`` and ``"frequency"`` reconstruct
        patches hidden from the network; ``"forecast"`` gives the points after a window;
        ``"level"`` is the mean of the channel in ``fit`` and needs no network. ``"all"``
        takes those the checkpoint has.
    combine : {"auto", "max", "mean"}, default="auto"
        How the scores of the heads become one. ``"max"`` takes the highest, ``"mean"``
        the mean, and ``"auto"`` the highest after weighing each head by how well it
        knew the channel in ``fit``; see Notes.
    smoothing : "auto" or int, default="auto"
        Length of the moving average over the errors of a head [time points].
        ``"auto"`` takes the mean of the scores at two lengths, a patch (8) and 96.
    contamination : "auto" or float, default="auto"
        Share of outliers in the recording fitted, in (0, 0.5], which sets ``offset_``.
        ``"auto"`` sets it to -5, or to the score that one point in 1,000 of the
        recording is below if that is nearer to 0.
    checkpoint : str or path, default="tspulse-p8"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=64
        Windows given to the network at once.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the best there is.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    heads_ : tuple of str
        The heads in use.
    smoothing_ : tuple of int
        Lengths of the moving averages [time points].
    statistics_ : ndarray of shape (n_channels,)
        Mean of each channel [input units].
    scale_ : ndarray of shape (n_channels,)
        Standard deviation of each channel [input units]; 0 if it stood still, infinite
        if it had no known value.
    error_loc_ : ndarray of shape (n_channels, n_heads, n_lengths)
        Median of the smoothed squared errors [squared deviations of the channel].
    error_spread_ : ndarray of shape (n_channels, n_heads, n_lengths)
        What their 0.9 quantile is above the median, at least 0.001.
    weights_ : ndarray of shape (n_channels, n_heads)
        Weight of each head, at most 1; all 1 unless ``combine="auto"``.
    offset_ : float
        Scores below it belong to outliers.
    n_features_in_ : int
        Number of channels.
    n_channels_in_ : int
        Number of channels.
    fingerprint_ : str
        Hash of the network fitted with.

    See Also
    --------
    AnomalyScoreDisplay : Draws recording, scores and outlying segments.
    sktspulse.metrics.vus_pr_score : Measures scores where labels are known.
    sklearn.ensemble.IsolationForest : Looks at rows one by one; knows nothing of time.

    Notes
    -----
    A pass hides every eighth patch of a window, and eight windows cover each point: with
    one pass every 16 points for the forecast, 0.19 passes a point, where the published
    procedure takes 13. The first points are forecast backwards.

    The score of a head is the smoothed squared error less its median in ``fit``, over
    its spread. With ``combine="auto"``, a head is multiplied by the ratio of the least
    median error among the heads to its own: where the network knows a channel, it is
    believed; where no head does, all are heard. The channels are scored independently,
    and the highest of their scores counts.

    All points are scored, the first and the last too, also in recordings shorter than a
    window. Missing values take the scores of known points that the moving average
    reaches, or 0. By default, any move of a channel that stood still in ``fit`` is an
    outlier; one without a known value there never is. ±inf is an error.

    Memory beyond input and output is about 100 bytes a time point of one channel.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import TSPulseAnomalyDetector
    >>> X = np.sin(np.arange(700.0) / 9)[:, None]
    >>> X[400:420] += 0.7
    >>> detector = TSPulseAnomalyDetector().fit(X)
    >>> bool(395 < detector.score_samples(X).argmin() < 425)
    True
    """

    def __init__(
        self,
        heads: str | Sequence[str] = "all",
        *,
        combine: Literal["auto", "max", "mean"] = "auto",
        smoothing: Literal["auto"] | int = "auto",
        contamination: Literal["auto"] | float = "auto",
        checkpoint: str = "tspulse-p8",
        batch_size: int = 64,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.heads = heads
        self.combine = combine
        self.smoothing = smoothing
        self.contamination = contamination
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.device = device
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn what errors are usual, from a recording that is mostly normal.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording of at least one patch (8 time points); NaN where missing.
        y : object
            Ignored; here for pipelines and searches.

        Returns
        -------
        TSPulseAnomalyDetector
            This object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite, without a known value or of the wrong
            shape, if a parameter is out of range, or if the checkpoint cannot be read.
        """
        self._check_parameters()
        config = self._read_checkpoint().config
        heads = self._chosen_heads(heads_of(config))
        # What fails should leave this object as it was.
        _refuse_unknown(_check(clone(self), X, config, reset=True))
        values = _check(self, X, config, reset=True)
        network = self._fit_network()
        self.heads_ = heads
        auto = (config.patch_length, _AGGREGATION)
        self.smoothing_ = auto if self.smoothing == "auto" else (int(self.smoothing),)
        scales = [ChannelScale.learn(column) for column in values.T]
        self.statistics_, self.scale_ = np.array(scales).T
        self.offset_ = self._threshold(-_highest(self._fit_scores(values, network)))
        return self

    def score_samples(self, X: ArrayLike) -> Floats:
        """Score every point.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording with the channels fitted, at least 8 time points; NaN where missing.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            Scores [spreads of the errors in ``fit``]; higher is more normal, 0 usual.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite, or has other channels than fitted.
        NotFittedError
            If ``fit`` was not called.
        """
        return -_highest(map(self._fuse, self._head_scores(X)))

    def decision_function(self, X: ArrayLike) -> Floats:
        """Score every point against the threshold.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            ``score_samples(X) - offset_``; negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Tell outliers from normal points.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            -1 for outliers, 1 for the others.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def score_heads(self, X: ArrayLike) -> Floats:
        """Score every point by each head, weighted.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints, n_heads)
            Scores in the order of ``heads_``, the lowest of all channels; higher is
            more normal.
        """
        return -_highest(self._head_scores(X)).T

    def score_channels(self, X: ArrayLike) -> Floats:
        """Score every point by each channel.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints, n_channels)
            Scores of the channels, heads combined; higher is more normal. The lowest of
            a row is ``score_samples``.
        """
        return -np.stack([self._fuse(heads) for heads in self._head_scores(X)], axis=1)

    def predict_segments(self, X: ArrayLike) -> NDArray[np.void]:
        """Find the stretches of outliers, and what raised them.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        structured ndarray of shape (n_segments,)
            Segments in order of time: ``"start"`` and ``"end"``, the rows
            ``X[start:end]``; ``"peak"``, the row that is least normal; ``"score"``, what
            ``score_samples`` says of it; ``"head"`` and ``"channel"``, whose score is
            lowest there.
        """
        scores, heads, channels = self._explained(X)
        found = []
        for start, end in runs(-scores - self.offset_ < 0):
            peak = start + scores[start:end].argmax()
            name = self.heads_[heads[peak]]
            found.append((start, end, peak, -scores[peak], name, channels[peak]))
        return np.array(found, dtype=_SEGMENT)

    def _check_parameters(self) -> None:
        self._check_choice("combine", ("auto", "max", "mean"))
        self._check_count("batch_size")
        if self.smoothing != "auto":
            self._check_count("smoothing")
        if not _is_share(self.contamination):
            raise ValueError(
                f"contamination is {self.contamination!r}, expected 'auto' or a number in "
                "(0, 0.5]: the share of outliers in the recording fitted. Pass one."
            )

    def _chosen_heads(self, there: tuple[str, ...]) -> tuple[str, ...]:
        if isinstance(self.heads, str) and self.heads == "all":
            return there
        chosen = (self.heads,) if isinstance(self.heads, str) else tuple(self.heads)
        missing = [name for name in chosen if name not in there]
        if missing or not chosen or len(set(chosen)) < len(chosen):
            raise ValueError(
                f"heads is {self.heads!r}, expected 'all' or some of {list(there)}, each once: "
                f"checkpoint {self.checkpoint!r} has these. Choose among them."
            )
        return chosen

    def _fit_scores(self, values: Values, network: TSPulse) -> Iterator[Floats]:
        """Learn the scale of the errors of every channel, and score it on the way."""
        learned = []
        for errors in self._errors(values, network):
            scale = ErrorScale.learn(errors, self.smoothing_, weigh=self.combine == "auto")
            learned.append(scale)
            yield self._fuse(scale(errors))
        self.error_loc_ = np.stack([scale.loc for scale in learned])
        self.error_spread_ = np.stack([scale.spread for scale in learned])
        self.weights_ = np.stack([scale.weights for scale in learned])

    def _threshold(self, scores: Floats) -> float:
        if self.contamination == "auto":
            return max(-_FAR_OUT, float(np.percentile(scores, _RARE)))
        return float(np.percentile(scores, 100 * self.contamination))

    def _head_scores(self, X: ArrayLike) -> Iterator[Floats]:
        """Yield the scores of the heads ``(H, T)``, channel after channel; high is unusual."""
        check_is_fitted(self)
        network = self._load_network()
        values = _check(self, X, network.config, reset=False)
        learned = zip(self.error_loc_, self.error_spread_, self.weights_, strict=True)
        for errors, scale in zip(self._errors(values, network), learned, strict=True):
            yield ErrorScale(self.smoothing_, *scale)(errors)

    def _errors(self, values: Values, network: TSPulse) -> Iterator[Floats]:
        """Yield the errors of the heads ``(H, T)``, channel after channel to bound the memory."""
        count = PointErrors(network, self.heads_, self.batch_size).count(len(values))
        with self._progress(count * values.shape[1]) as progress:
            read = PointErrors(network, self.heads_, self.batch_size, progress)
            for column, *scale in zip(values.T, self.statistics_, self.scale_, strict=True):
                yield read(ChannelScale(*scale)(column))

    def _fuse(self, scores: Floats) -> Floats:
        """Make one score of those of the heads: ``(H, T)`` -> ``(T,)``."""
        return scores.mean(0) if self.combine == "mean" else scores.max(0)

    def _explained(self, X: ArrayLike) -> tuple[Floats, Indices, Indices]:
        """Return the scores, high where unusual, with the head and channel that set each."""
        heard = ((self._fuse(scores), scores.argmax(0)) for scores in self._head_scores(X))
        best, heads = next(heard)
        channels = np.zeros_like(heads)
        for channel, (scores, loudest) in enumerate(heard, start=1):
            louder = scores > best
            best[louder], heads[louder], channels[louder] = scores[louder], loudest[louder], channel
        return best, heads, channels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        return tags


def _check(
    detector: TSPulseAnomalyDetector, X: ArrayLike, config: TSPulseConfig, *, reset: bool
) -> Values:
    values, _ = check_series(detector, X, reset=reset, min_timepoints=config.patch_length)
    return values


def _highest(scores: Iterable[Floats]) -> Floats:
    """Return the elementwise maximum over channels."""
    return reduce(np.maximum, scores)


def _is_share(value: object) -> bool:
    return value == "auto" or (isinstance(value, Real) and 0 < float(value) <= 0.5)


def _refuse_unknown(values: Values) -> None:
    if np.isnan(values).all():
        raise ValueError(
            "X has no known value: all are NaN, expected some to learn from. Look for what left "
            "it empty."
        )
