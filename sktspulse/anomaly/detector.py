"""Find the stretches of a recording that differ from what is usual in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from numbers import Real
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OutlierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse
from ..network import TSPulse, TSPulseConfig, resolve_device
from ..series import Floats, TimeIndex, Values, check_series
from .calibration import threshold
from .fine_tuning import N_STEPS, tune
from .head_errors import PointErrors, TrailingErrors
from .normal_model import UsualRecording, choose_heads, judged_channels, refuse_unknown
from .segments import find_segments, loudest_channels
from .smoothing import choose_lengths
from .stream import AnomalyStream

__all__ = ["TSPulseAnomalyDetector"]


class TSPulseAnomalyDetector(OutlierMixin, BaseTSPulse):
    """Score how far every point of a recording is from what was usual.

    The heads of the pre-trained network guess every point from points around it, and
    further heads look at what the network cannot see: the level of a channel, how much
    it moves from point to point, and whether it follows the other channels. ``fit``
    learns how rare what they find is, so scores of recordings under one fitted detector
    are comparable. No labels are used.

    Parameters
    ----------
    heads : "auto", str or sequence of str, default="auto"
        What to compare the recording with. ``"time"`` and ``"frequency"`` reconstruct
        patches hidden from the network, ``"coarse"`` does so on averages of 4 points and
        sees four times as far, ``"forecast"`` gives the points after a window.
        ``"level"`` is the mean of nearby points and ``"variation"`` the size of the steps
        between them; ``"channels"`` guesses each channel from the others at the same time,
        and ``"states"`` looks for values of all channels that never came together. These
        need no network. ``"auto"`` takes all that the checkpoint and the recording have
        but the forecast; coarse (with 512 points in ``fit``, unless ``causal``) and level
        of a single channel only.
    combine : {"auto", "max", "mean"}, default="auto"
        How the scores of the heads become one. ``"auto"`` takes half of the highest and
        half of the mean of the heads that look at channels one by one, as these can
        confirm each other, on the scale of one head; or the highest of ``"channels"`` and
        ``"states"``, damped above 6.
    smoothing : "auto" or int, default="auto"
        Length of the moving average over what a head finds [time points]. ``"auto"``
        takes the mean of the scores at 8, 32, 96 and 256, at most a quarter of ``fit``.
    contamination : "auto" or float, default="auto"
        Share of outliers in the recording fitted, in (0, 0.5], which sets ``offset_``. A
        share of which the recording has too few points is read from the tail fitted to
        its scores. ``"auto"`` takes what the tail says of 0.0001, or the score that one
        point in 1,000 of the recording is below if that is nearer to 0.
    causal : bool, default=False
        Whether a score may depend only on points before it and up to 63 after it, as in
        :meth:`stream`.
    fine_tune : bool, default=False
        Whether to go on training the network on the recording fitted, where it fills in
        hidden patches; a copy of it is kept. It takes a minute or two.
    random_state : int, RandomState instance or None, default=None
        Chooses what is trained on; used only with ``fine_tune``.
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
    offset_ : float
        Scores below it belong to outliers.
    n_features_in_ : int
        Number of channels.
    n_channels_in_ : int
        Number of channels.
    fingerprint_ : str
        Hash of the network of the checkpoint.

    See Also
    --------
    AnomalyScoreDisplay : Draws recording, scores and outlying segments.
    sktspulse.metrics.vus_pr_score : Measures scores where labels are known.
    sklearn.ensemble.IsolationForest : Looks at rows one by one; knows nothing of time.

    Notes
    -----
    A pass hides every eighth patch of a window, and eight windows cover each point: with
    an eighth of a pass a point and a quarter more for coarse; the published one takes 13.

    What a head finds on a channel becomes minus the logarithm of the share of points in
    ``fit`` that are as unusual, by rank and, above the 0.9 quantile, by the exponential
    through it and the median, damped above 6 at each length of the average and above 3
    in their mean. The highest channel counts, brought to the same scale once more. So with
    one head, a usual point in 8,000 has a score below -9. Channels of one or two values, as
    commands have, are not judged by themselves if there are others: they tell what is to be
    expected of these, and their combinations count in ``"states"``.

    All points are scored, the first and the last too, also in recordings shorter than a
    window. Missing values take the scores of known points that the moving average
    reaches, or 0. A channel without a known value in ``fit`` is never unusual. ±inf is an
    error.

    Scores of a pandas data frame with time stamps have its index.

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
        heads: str | Sequence[str] = "auto",
        *,
        combine: Literal["auto", "max", "mean"] = "auto",
        smoothing: Literal["auto"] | int = "auto",
        contamination: Literal["auto"] | float = "auto",
        causal: bool = False,
        fine_tune: bool = False,
        random_state: int | np.random.RandomState | None = None,
        checkpoint: str = "tspulse-p8",
        batch_size: int = 64,
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
        # What fails should leave this object as it was.
        values = _check(clone(self), X, config, reset=True)
        heads = choose_heads(self.heads, config, values.shape, self.checkpoint, self.causal)
        refuse_unknown(values)
        TimeIndex.from_input(X)
        _check(self, X, config, reset=True)
        network = self._fit_network()
        judged = judged_channels(values)
        self._tuned = self._tune(network, values[:, judged], heads) if self.fine_tune else None
        network = self._tuned or network
        self.heads_ = heads
        self.smoothing_ = choose_lengths(self.smoothing, len(values))
        self._usual = UsualRecording(heads, self.smoothing_, self.causal, self.combine)
        with self._reader(network, len(values), judged.sum()) as read:
            scores = self._usual.fuse(self._usual.learn(values, read))
        self.offset_ = -threshold(scores, self.contamination)
        return self

    def score_samples(self, X: ArrayLike) -> Floats:
        """Score every point.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording with the channels fitted, at least 8 time points; NaN where missing.

        Returns
        -------
        ndarray of shape (n_timepoints,), or Series
            Scores [logarithms of shares of points]; higher is more normal, 0 the most.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite, has other channels than fitted or time
            stamps that do not grow.
        NotFittedError
            If ``fit`` was not called.
        """
        usual = self._usual_checked()
        scores = -usual.fuse(usual.head_scores(self._channel_scores(X)))
        return cast(Floats, TimeIndex.from_input(X).restore(scores))

    def decision_function(self, X: ArrayLike) -> Floats:
        """Score every point against the threshold.

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
        """Tell outliers from normal points.

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
        ndarray of shape (n_timepoints, n_heads), or DataFrame
            Scores in the order of ``heads_``; higher is more normal. Their lowest, or
            their mean, is ``score_samples``.
        """
        scores = -self._usual_checked().head_scores(self._channel_scores(X)).T
        return cast(Floats, TimeIndex.from_input(X).restore(scores, self.heads_))

    def score_channels(self, X: ArrayLike) -> Floats:
        """Score every point by each channel.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            Recording as for ``score_samples``.

        Returns
        -------
        ndarray of shape (n_timepoints, n_channels), or DataFrame
            Scores of the channels by themselves, heads combined; higher is more normal.
        """
        fuse, n_joint = self._usual_checked().fuse, self._usual.n_joint
        channels = islice(self._channel_scores(X), n_joint, None)
        scores = -np.stack([fuse(heads) for heads in channels], axis=1)
        return cast(Floats, TimeIndex.from_input(X).restore(scores, getattr(X, "columns", None)))

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
        usual = self._usual_checked()
        told: list[NDArray[np.intp]] = []
        heads = usual.head_scores(loudest_channels(self._channel_scores(X), told, usual.n_joint))
        raised_by = heads.argmax(0), told[0], self.heads_
        return find_segments(-usual.fuse(heads), self.offset_, *raised_by)

    def stream(self) -> AnomalyStream:
        """Score a recording while it is read, by what this detector has learned.

        Returns
        -------
        AnomalyStream
            Takes rows and gives scores, those of ``score_samples`` for the whole.

        Raises
        ------
        ValueError
            Unless ``causal``.
        NotFittedError
            If ``fit`` was not called.
        """
        usual = self._usual_checked()
        if not usual.trailing:
            raise ValueError(
                "causal is False, but a stream cannot look ahead. Fit with causal=True."
            )
        return AnomalyStream(self, usual, self._network())

    def _check_parameters(self) -> None:
        self._check_choice("combine", ("auto", "max", "mean"))
        self._check_count("batch_size")
        if self.smoothing != "auto":
            self._check_count("smoothing")
        share: object = self.contamination
        if share != "auto" and not (isinstance(share, Real) and 0 < float(share) <= 0.5):
            raise ValueError(
                f"contamination is {share!r}, expected 'auto' or a number in "
                "(0, 0.5]: the share of outliers in the recording fitted. Pass one."
            )

    def _usual_checked(self) -> UsualRecording:
        check_is_fitted(self)
        return self._usual

    def _channel_scores(self, X: ArrayLike) -> Iterator[Floats]:
        """Yield scores of heads ``(H, T)``, of all channels, then of each; high is unusual."""
        network = self._network()
        values = _check(self, X, network.config, reset=False)
        with self._reader(network, len(values), self._usual.judged.sum()) as read:
            yield from self._usual.channel_scores(self._usual.signals(values, read))

    def _tune(self, network: TSPulse, values: Values, heads: Sequence[str]) -> TSPulse:
        seed = int(check_random_state(self.random_state).randint(2**31))
        with self._progress(N_STEPS, "steps") as progress:
            report = None if progress is None else progress.update
            return tune(network, values, heads, seed, report)

    def _network(self) -> TSPulse:
        """Return the network in use: that of the checkpoint, or what it became in ``fit``."""
        network = self._load_network()
        if self._tuned is None:
            return network
        return self._tuned.to(resolve_device(self.device))

    @contextmanager
    def _reader(self, network: TSPulse, n_points: int, n_judged: int) -> Iterator[PointErrors]:
        """Open a progress bar over the windows of the channels that are looked at alone."""
        kind = TrailingErrors if self._usual.trailing else PointErrors
        settings = (network, self.heads_, self.batch_size)
        count = kind(*settings).count(n_points) * int(n_judged)
        with self._progress(count) as progress:
            yield kind(*settings, progress)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        return tags


def _check(
    detector: TSPulseAnomalyDetector, X: ArrayLike, config: TSPulseConfig, *, reset: bool
) -> Values:
    values, _ = check_series(detector, X, reset=reset, min_timepoints=config.patch_length)
    return values
