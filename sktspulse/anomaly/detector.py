"""Anomaly detection in a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse
from ..network import TSPulse, limit_threads
from ..series import Container, Floats, Pace, Values, check_series, fitted_copy
from .calibration import threshold
from .counter import without_counters
from .fine_tuning import N_STEPS, fine_tune
from .head_errors import CausalHeadErrors, HeadErrors
from .normal_model import AnomalyScores, NormalModel
from .pieces import Piece
from .saved_classes import SAVED_CLASSES
from .segments import find_segments, segments_like
from .signals import choose_heads, individual_channels
from .smoothing import choose_lengths
from .stream import AnomalyStream

__all__ = [
    "TSPulseAnomalyDetector",
    "detector_parts",
    "piece_rows",
    "score_piece",
    "score_recording",
]


class TSPulseAnomalyDetector(OutlierMixin, BaseTSPulse):
    """Detect anomalies in a recording with a pre-trained network.

    A recording is scored by several heads. Some compare each point with what the network
    predicts from the points around it. The others measure what the network cannot see:
    the level of a channel, its variation, and its relation to the other channels.
    ``fit`` calibrates the heads on a recording that is mostly normal, without labels. A
    score of -1 is the threshold for every recording that is scored later.

    Parameters
    ----------
    heads : "auto", str or sequence of str, default="auto"
        The heads to use. Four need the network. ``"time"`` and ``"frequency"``
        reconstruct hidden patches, ``"coarse"`` does so on means of 4 points, which
        covers four times the context, and ``"forecast"`` predicts the points after a
        window. The others do not. ``"level"`` is the difference from the median of a
        channel or from its cycle, ``"variation"`` the squared step between neighbouring
        points, ``"channels"`` the error of a regression on the other channels, and
        ``"states"`` the distance from the nearest of 20 clusters of the joint states of
        all channels. ``"auto"`` uses all that are available except the forecast. It uses
        ``"level"`` and ``"coarse"`` for a single channel only, and ``"coarse"`` only if
        ``causal=False`` and the recording in ``fit`` has at least 4,096 rows.
    combine : {"max", "mean"}, default="max"
        How the scores of the heads are combined. ``"max"`` takes the most anomalous
        head, so one head is enough for an alarm. ``"mean"`` averages all heads, so one
        head is rarely enough.
    smoothing : "auto" or int, default="auto"
        Length of the moving average over the signal of each head [time points].
        ``"auto"`` scores the lengths 1, 8, 32, 96 and 256, each at most a quarter of the
        recording in ``fit``, and the most anomalous length counts. Averages are medians
        of the means of eight blocks, so a window is unusual only if half of it is.
    contamination : "auto" or float, default="auto"
        Fraction of outliers in the recording in ``fit``, in (0, 0.5]. It sets
        ``offset_``. ``"auto"`` sets it to -1: at most about one in 1,000 normal rows is
        expected to be an outlier. A fraction takes the quantile of the scores in
        ``fit``, but raises at least as many alarms as ``"auto"`` from 0.001 on, and at
        most as many below.
    causal : bool, default=False
        Whether a score may depend only on earlier points and up to 63 later ones, as
        :meth:`stream` requires. A recording is then scored as the continuation of the
        recording in ``fit``. The cycle of a channel is not used.
    fine_tune : bool, default=False
        Whether to fine-tune a copy of the network to reconstruct hidden patches of the
        recording in ``fit``. It takes a minute or two.
    random_state : int, RandomState instance or None, default=None
        Seed of the fine-tuning; not used otherwise.
    checkpoint : str or path, default="tspulse-p8"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Windows in a batch of the network.
    n_jobs : int, default=None
        Number of threads, -1 for one on each core. None means what
        :func:`joblib.parallel_config` says, else as many as torch uses. Results are the
        same up to rounding.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the fastest available.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    heads_ : tuple of str
        The heads in use.
    smoothing_ : tuple of int
        Lengths of the moving averages [time points].
    offset_ : float
        Threshold of ``score_samples``: outliers have lower scores. It can be set after
        ``fit``.
    network_ : TSPulse or None
        The fine-tuned network, on the CPU; None if ``fine_tune=False``.
    n_features_in_ : int
        Number of channels.
    n_channels_in_ : int
        Number of channels.
    fingerprint_ : str
        Hash of the network of the checkpoint.

    See Also
    --------
    AnomalyScoreDisplay : Draws a recording, its scores and the segments of outliers.
    AlarmRateDisplay : Draws the number of outliers against the threshold.
    sktspulse.metrics.vus_pr_score : Evaluates scores where labels are known.
    sklearn.ensemble.IsolationForest : Scores rows independently of each other.

    Notes
    -----
    **Scores.** The averages of each head are compared with those in ``fit``: a head has
    the score -1 at the distance from the median that at most about one in 10,000 normal
    averages exceeds, and -2 at twice that distance. ``"level"``, and averages of
    ``"variation"`` over at least 32 points, are anomalous on either side of the median;
    the other heads only above it. The worst length and channel count. Scores are divided
    by a constant if the combined score in ``fit`` exceeds 1 too often. A row whose
    combined score is below -1 keeps it. The score of any other row, between -1 and 0, is
    an average of the squared scores in the 8, 32, 96 and 256 rows around it: rows near an
    alarm rank above others, but are no alarms.

    **Changes that persist.** A score of a head and channel below -1 is set to -1 unless
    it is 2.5 times as far from 0 as the geometric mean of its last 512 scores. So a change
    raises alarms for up to 512 rows. Then it is the new normal, and what stands out from
    it is anomalous; rows around it still rank above others. Likewise, if a channel is
    constant in ``fit``, other values are unusual for ``"states"`` only as long as at most
    16 of the last 448 rows have them.

    **Counters.** A channel that hardly ever goes back in ``fit``, such as a meter, is
    scored by its increments per row. Going back is an anomaly at once. A wrong value does
    not mark the next one, and an outage of any length is none.

    **Wild values.** Scales and averages are robust, and the network is not shown wild
    values. So a single one is an outlier but does not hide other anomalies, in ``fit`` or
    later.

    **Missing values.** A missing value is not scored. A missing row has a score between
    -1 and 0 from the rows around it. The errors of the network are corrected for how much
    is known around a point, so the threshold is the same for short recordings and next to
    gaps. A window with fewer than 208 known points has no such errors. A channel without
    a known value in ``fit`` is never anomalous. Infinity is an error.

    **Cycles.** If the channel repeats a cycle of up to a quarter of the recording in
    ``fit``, ``"level"`` is the difference from that cycle, even if the cycle is longer
    than a window of the network. If the level stays on one side of its median for more
    than a sixteenth of ``fit``, or has a trend, it is not scored, unless ``"level"`` is
    the only head.

    **Switches.** If any channel takes more than two values in ``fit``, those with at most
    two, such as commands, are not scored individually. They are regressors of
    ``"channels"`` and part of ``"states"``.

    **Passes.** One pass of the network hides every eighth patch of a window, and eight
    windows cover each point. This is an eighth of a pass for each point of a channel, and
    a quarter more with ``"coarse"``; the published method takes 13 [1]_.

    **Containers.** Scores of a pandas data frame are a Series or data frame with its index.
    A polars or Arrow table may have one column of time stamps. Data frames of scores then
    have it as well. Answers for xarray are those for its data frame of pandas.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTSPulse._parameter_constraints,
        "heads": [str, "array-like"],
        "combine": [StrOptions({"max", "mean"})],
        "smoothing": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "causal": ["boolean"],
        "fine_tune": ["boolean"],
        "random_state": ["random_state"],
    }
    _saved_classes = SAVED_CLASSES

    def __init__(
        self,
        heads: str | Sequence[str] = "auto",
        *,
        combine: Literal["max", "mean"] = "max",
        smoothing: Literal["auto"] | int = "auto",
        contamination: Literal["auto"] | float = "auto",
        causal: bool = False,
        fine_tune: bool = False,
        random_state: int | np.random.RandomState | None = None,
        checkpoint: str = "tspulse-p8",
        batch_size: int = 32,
        n_jobs: int | None = None,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.heads = heads
        self.combine = combine
        self.smoothing = smoothing
        self.contamination = contamination
        self.causal = causal
        self.fine_tune = fine_tune
        self.random_state = random_state
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.device = device
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Calibrate the scores on a recording that is mostly normal.

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
            This object is then unchanged.
        """
        self._validate_params()
        with limit_threads(self.n_jobs), fitted_copy(self) as fitted:
            fitted._fit(X)
        return self

    def score_samples(self, X: ArrayLike) -> Floats:
        """Score every point.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording with the channels of ``fit``, at least 8 time points; NaN where
            missing.

        Returns
        -------
        ndarray of shape (n_timepoints,), or Series
            Scores [distance to the default threshold], at most 0; higher is more normal.
            Below -1 is an outlier by default.

        Raises
        ------
        ValueError
            If X is empty, too short or infinite, has other channels than in ``fit``, or
            time stamps that are not in ascending order.
        NotFittedError
            If ``fit`` was not called.
        """
        container, scores = self._score(X)
        return cast(Floats, container.series(-scores.combined))

    def decision_function(self, X: ArrayLike) -> Floats:
        """Score every point relative to the threshold.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints,), or Series
            ``score_samples(X) - offset_``; negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Classify every point as an outlier or normal.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints,), or Series
            -1 for outliers, 1 for the others.
        """
        scores = self.score_samples(X)
        return cast(NDArray[np.int64], 1 - 2 * (scores < self.offset_))

    def score_heads(self, X: ArrayLike) -> Floats:
        """Score every point by each head.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints, n_heads), or data frame
            Scores in the order of ``heads_``, in the units of ``score_samples``; higher
            is more normal. If their minimum (``combine="max"``) or mean (``"mean"``) is
            below -1, it is the ``score_samples`` of the row. If X is a data frame, so are
            they, with the heads as columns.
        """
        container, scores = self._score(X)
        return cast(Floats, container.table(-scores.heads.T, self.heads_))

    def score_channels(self, X: ArrayLike) -> Floats:
        """Score every point by each channel.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints, n_channels), or data frame
            Scores of the individual channels, with the heads combined, in the units of
            ``score_samples``; higher is more normal. If X is a data frame, so are they,
            with its columns.
        """
        container, signals = self._open(X)
        with limit_threads(self.n_jobs):
            scores = self._model.score_channels(signals, self._model.n_warm)
        return cast(Floats, container.table(-scores.T))

    def predict_segments(self, X: ArrayLike) -> Any:
        """Find the segments of outliers, and the head and channel that stand out most.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        structured ndarray of shape (n_segments,), or data frame
            Segments in order of time: ``"start"`` and ``"end"``, the rows
            ``X[start:end]``; ``"peak"``, the row with the lowest score; ``"score"``, the
            ``score_samples`` of that row; ``"head"``, the head whose score is lowest
            there, and ``"channel"``, the channel whose score by this head is lowest.
            If X is a data frame, so are they, and channels have their names. If it has an
            index or a column of time stamps, start, end and peak are labels or time stamps
            of rows, and end is the last row of the segment: ``X.loc[start:end]``.
        """
        container, scores = self._score(X)
        return segments_like(container, find_segments(scores, self.offset_, self.heads_))

    def stream(self) -> AnomalyStream:
        """Score a recording while it arrives.

        Returns
        -------
        AnomalyStream
            Takes rows, and returns the scores that ``score_samples`` gives for the
            complete recording.

        Raises
        ------
        ValueError
            If the detector was not fitted with ``causal=True``.
        NotFittedError
            If ``fit`` was not called.
        """
        check_is_fitted(self)
        if not self._model.trailing:
            raise ValueError(
                "causal is False, but a stream cannot look ahead. Fit with causal=True."
            )
        return AnomalyStream(self, self._model, self._load_network(), self._pace)

    def _fit(self, X: ArrayLike) -> None:
        network = self._fit_network()
        least = network.config.patch_length
        values, _ = check_series(self, X, reset=True, min_timepoints=least)
        self._pace = Pace().after(X)._replace(last=None)
        if np.isnan(values).all():
            raise ValueError("X has only missing values (NaN), expected some known ones. Check X.")
        shape = values.shape
        self.heads_ = choose_heads(self.heads, network.config, shape, self.checkpoint, self.causal)
        self.smoothing_ = choose_lengths(self.smoothing, len(values))
        individual = individual_channels(values)
        self.network_ = None
        if self.fine_tune:
            self.network_ = self._fine_tune(
                network, without_counters(values[:, individual], self.causal)
            ).cpu()
        size = len(values), individual.sum()
        with self._head_errors(self._load_network(), *size, self.causal) as errors:
            self._model, scores = NormalModel.fit(
                values,
                errors,
                self.heads_,
                individual,
                lengths=self.smoothing_,
                combine=self.combine,
            )
        self.offset_ = -threshold(scores, self.contamination)

    def _fine_tune(self, network: TSPulse, values: Values) -> TSPulse:
        seed = int(check_random_state(self.random_state).randint(2**31))
        with self._progress(N_STEPS, "steps") as progress:
            report = None if progress is None else progress.update
            return fine_tune(network, values, self.heads_, seed, report)

    def _open(self, X: ArrayLike, piece: Piece | None = None) -> tuple[Container, Iterator[Floats]]:
        """Return the container of a recording, and its signals, computed when iterated over."""
        check_is_fitted(self)
        return Container(X), self._signals(X, piece)

    def _score(self, X: ArrayLike, piece: Piece | None = None) -> tuple[Container, AnomalyScores]:
        container, signals = self._open(X, piece)
        with limit_threads(self.n_jobs):
            return container, self._model.score(signals, self._model.n_warm, piece)

    def _signals(self, X: ArrayLike, piece: Piece | None) -> Iterator[Floats]:
        network = self._load_network()
        least = network.config.patch_length
        values, _ = check_series(self, X, reset=False, min_timepoints=least)
        model = self._model
        n_channels = sum(one is not None for one in model.head_signals.channels)
        first = len(model.recent) - model.n_warm
        values = np.concatenate([model.recent, values])
        with self._head_errors(network, len(values), n_channels, model.trailing, first) as errors:
            yield from model.signals(values, errors, first, piece)

    @contextmanager
    def _head_errors(
        self, network: TSPulse, n_timepoints: int, n_channels: int, causal: bool, first: int = 0
    ) -> Iterator[HeadErrors]:
        """Open a progress bar over the windows of the channels that are scored individually."""
        errors = self._new_errors(network, causal, first)
        with self._progress(errors.count(n_timepoints) * int(n_channels)) as progress:
            yield replace(errors, progress=progress)

    def _new_errors(self, network: TSPulse, causal: bool, first: int = 0) -> HeadErrors:
        settings = (network, self.heads_, self.batch_size)
        return CausalHeadErrors(*settings, first=first) if causal else HeadErrors(*settings)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        return tags


def score_recording(detector: TSPulseAnomalyDetector, X: ArrayLike) -> AnomalyScores:
    """Score a recording by points, heads and channels in one pass of the network."""
    return detector._score(X)[1]


def piece_rows(
    detector: TSPulseAnomalyDetector, start: int, stop: int, total: int
) -> tuple[int, int]:
    """Return the rows of a recording, first and end, that the scores of some of them depend on."""
    check_is_fitted(detector)
    model = detector._model
    errors = detector._new_errors(detector._load_network(), model.trailing)
    return model.piece_rows(start, stop, total, errors)


def score_piece(detector: TSPulseAnomalyDetector, X: ArrayLike, start: int, total: int) -> Floats:
    """Score rows of a recording of ``total`` rows, from row ``start`` on.

    Those that ``piece_rows`` was asked for are scored as in the whole recording. The one exception
    is a counter after an outage that is longer than the piece: whether it was reset is unknown.
    """
    return -detector._score(X, Piece(start, total))[1].combined


def detector_parts(detector: TSPulseAnomalyDetector) -> dict[str, Any]:
    """Return what a fitted detector scores with, beside the network."""
    return {"model": detector._model, "heads": detector.heads_, "offset": detector.offset_}
