"""The estimator that fills the gaps of recordings and panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse
from ..network import (
    TSPulse,
    TSPulseConfig,
    fingerprint,
    limit_threads,
    reconstruct,
    resolve_device,
)
from ..pretraining import FineTuner
from ..series import (
    Floats,
    Integers,
    OutputMixin,
    Values,
    asfreq,
    check_restorable_panel,
    check_series,
    fitted_copy,
    is_panel,
)
from .candidates import CandidateReader
from .gap_filler import GapFiller
from .saved_classes import SAVED_CLASSES
from .simulated_gaps import GapMasks, sample_segments

__all__ = ["TSPulseImputer", "imputer_parts"]

_MAX_STEPS = 400  # of fine-tuning
_N_WINDOWS = 256  # whose gaps are copied for it


class TSPulseImputer(OutputMixin, OneToOneFeatureMixin, TransformerMixin, BaseTSPulse):
    """Fill missing values with a pre-trained network, interpolation and the other channels.

    The network reads windows of 512 time points and is not trained, unless asked for. For each
    missing value, seven candidates are averaged: the network's two reconstructions, the same
    phase of other periods, cubic and linear interpolation, and two of these moved to agree with
    the ends of the gap. ``fit`` hides known points to learn the weights for each channel and kind
    of gap; with little data they stay near the network alone. The result is corrected by
    regression on, and co-kriging with, the other channels, as far as that helps at the hidden
    points. Fill values and lone spikes are kept, but nothing is filled from them.

    Parameters
    ----------
    layout : {"series", "panel"}, default="series"
        What a two-dimensional input is: one recording ``(n_timepoints, n_channels)``, or
        a panel of one-channel series ``(n_series, n_timepoints)``. Three-dimensional
        input and lists of arrays are always panels.
    blend : bool, default=True
        Whether to blend the candidates and to use the other channels. If False, only the
        reconstruction of the network's time head is used, as in [1]_.
    fine_tune : bool, default=False
        Whether ``fit`` first trains a copy of the network on the data, with similar gaps.
    freq : str, default=None
        Time step as a pandas frequency (``"h"``, ``"15min"``). Rows that are missing from
        a data frame with time stamps (``DatetimeIndex``, ``TimedeltaIndex``, or a column
        of polars) are inserted and filled. None takes the rows as they are, with a warning
        if they are irregular.
    bounds : {"observed"} or (low, high), default=None
        Bounds of the filled values, each a number, one for each channel, or None for an open
        side. ``"observed"`` takes the lowest and the highest value in ``fit``.
    round_integers : bool, default=False
        Whether to round filled values in channels whose known values in ``fit`` are all whole
        numbers.
    stride : int, default=128
        Steps between the windows on series longer than one window [time points]; more than
        the length of a window is reduced to it. Overlapping windows are averaged, with more
        weight on their middle.
    checkpoint : str or path, default="tspulse-p8"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Number of windows in a batch.
    n_jobs : int, default=None
        Number of threads, -1 for one on each core. None means what
        :func:`joblib.parallel_config` says, else as many as torch uses. Results are the
        same up to rounding.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ...; ``"auto"`` takes the fastest.
    random_state : int, RandomState or None, default=None
        Chooses the points that ``fit`` hides. Pass an int for reproducible results.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_channels,)
        Mean of each channel [input units]; 0 for a channel without a known value.
    scale_ : ndarray of shape (n_channels,)
        Standard deviation of each channel [input units]; 1 where it would be 0.
    periods_ : ndarray of shape (n_channels,)
        Period of each channel [time points]; 0 if it has none, and with ``blend=False``.
    blend_weights_ : ndarray of shape (n_channels, n_gap_bins, 7)
        Weights of the time head, the frequency head, both moved to the ends of the gap, other
        periods, these moved to the ends, the cubic and the line. They add up to one.
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    n_channels_in_ : int
        Number of channels.
    network_ : TSPulse or None
        The fine-tuned network; None if ``fine_tune=False``.
    fingerprint_ : str
        Hash of the weights of the network.

    See Also
    --------
    TSPulseTransformer : Computes embeddings; accepts missing values, so needs no imputer.
    sklearn.impute.KNNImputer : Fills from similar rows, without regard to time.

    Notes
    -----
    Known values are returned unchanged, to the bit. Infinity is an error.

    Before the other channels are used, a filled value is kept within the observed range of its
    channel and 5 % of it; an end that is attained often is a bound for good. A channel that only
    rises or only falls does so in its gaps as well. None of this applies if ``blend=False``.

    Gaps are filled without the network if they are farther than a window from any known value,
    or if the series has fewer known values than a patch (8). A series whose known values are all
    equal is filled with that value. A series without a known value is filled with the mean of the
    channel in ``fit``, or 0 if there was none.

    Fine-tuning takes at most 400 steps of 64 windows, which is minutes on a few CPU cores. It
    stops early on the last fifth of every series and keeps the best weights. A pickle of a
    fine-tuned imputer contains the network.

    Only windows with a gap are passed through the network. On one CPU core, 1,000 windows of one
    channel take about half a second, and the use of the other channels half as long again. Memory
    beyond input and output grows with the longest series and its number of channels.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 4.
    .. [2] Wackernagel, "Multivariate Geostatistics", 3rd edition, 2003, chapter 24, on
       co-kriging.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import TSPulseImputer
    >>> t = np.arange(600.0)
    >>> X = np.stack([np.sin(t / 9), np.cos(t / 25)], axis=1)
    >>> X[110:113, 0] = np.nan
    >>> filled = TSPulseImputer(random_state=0).fit_transform(X)
    >>> np.stack([filled[110:113, 0], np.sin(t[110:113] / 9)]).round(1)
    array([[-0.3, -0.2, -0.1],
           [-0.3, -0.2, -0.1]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTSPulse._parameter_constraints,
        "layout": [StrOptions({"series", "panel"})],
        "blend": ["boolean"],
        "fine_tune": ["boolean"],
        "freq": [str, None],
        "bounds": [StrOptions({"observed"}), tuple, list, None],
        "round_integers": ["boolean"],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    _saved_classes = SAVED_CLASSES

    def __init__(
        self,
        layout: Literal["series", "panel"] = "series",
        *,
        blend: bool = True,
        fine_tune: bool = False,
        freq: str | None = None,
        bounds: Literal["observed"] | tuple[Any, Any] | None = None,
        round_integers: bool = False,
        stride: int = 128,
        checkpoint: str = "tspulse-p8",
        batch_size: int = 32,
        n_jobs: int | None = None,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.layout = layout
        self.blend = blend
        self.fine_tune = fine_tune
        self.freq = freq
        self.bounds = bounds
        self.round_integers = round_integers
        self.stride = stride
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Fit the scale of every channel, the blend and the use of the other channels.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Recording or panel, at least one patch (8 time points) long; NaN where missing.
        y : None
            Ignored; exists for pipelines.

        Returns
        -------
        TSPulseImputer
            This object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or of the wrong shape, if its time stamps
            are not in ascending order or do not fit ``freq``, if a parameter is invalid,
            or if the checkpoint cannot be read.
        """
        self._validate_params()
        with limit_threads(self.n_jobs), fitted_copy(self) as fitted:
            fitted._fit(X)
        return self

    def transform(self, X: ArrayLike, *, return_std: bool = False) -> Any:
        """Fill the missing values.

        Parameters
        ----------
        X : array-like
            Recording or panel as in ``fit``, with the same channels and at least one patch
            long.
        return_std : bool, default=False
            Whether to return standard deviations as well, which takes nearly twice the time.

        Returns
        -------
        filled : same type and shape as X
            A copy without missing values; an array for a masked array. Columns of a data
            frame keep their type, those of integers if all fills are whole (see
            ``round_integers``). With ``freq``, it has additional rows. :meth:`set_output`
            chooses another container.
        std : same type and shape as X
            Standard deviation of the error of each filled value [input units], calibrated so
            that 90 % of the errors lie within 1.645 of it. 0 for known values and in
            series whose known values are all equal. Only if ``return_std``.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires or has other channels, or if ``return_std=True``
            and ``blend=False``.
        NotFittedError
            If ``fit`` was not called.
        """
        check_is_fitted(self)
        if return_std and self._gap_filler.uncertainty is None:
            raise ValueError(
                "return_std=True needs an imputer fitted with blend=True, because the errors are "
                "estimated together with the blend. Fit again with blend=True."
            )
        network = self._load_network()
        panels, restore = self._check_input(X, network.config, reset=False)
        reader = self._reader(network)
        bar = self._progress(sum(panel.size for panel in panels), "points")
        with limit_threads(self.n_jobs), bar as progress:
            answers = [
                self._gap_filler.fill(panel, reader, progress, return_std=return_std)
                for panel in panels
            ]
        filled, std = (list(part) for part in zip(*answers, strict=True))
        tables = [self._to_output(restore(part), X) for part in (filled, std)[: 1 + return_std]]
        return tuple(tables) if return_std else tables[0]

    def _fit(self, X: ArrayLike) -> None:
        network = self._read_checkpoint()
        panels, _ = self._check_input(X, network.config, reset=True)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        if self.fine_tune:
            network = self._fine_tuned(network, panels, rng)
        filler = (
            GapFiller.fit(panels, self._reader(network), rng)
            if self.blend
            else GapFiller.from_time_head(panels)
        )
        limits = filler.limits.restricted(self.bounds, rounds=self.round_integers)
        self._gap_filler = replace(filler, limits=limits)
        self.fingerprint_ = fingerprint(network)
        self.network_ = network.cpu() if self.fine_tune else None

    @property
    def statistics_(self) -> Floats:
        """Mean of each channel."""
        return self._gap_filler.loc

    @property
    def scale_(self) -> Floats:
        """Standard deviation of each channel."""
        return self._gap_filler.scale

    @property
    def periods_(self) -> Integers:
        """Period of each channel."""
        return self._gap_filler.periods

    @property
    def blend_weights_(self) -> Floats:
        """Weights of the candidates for each channel and gap bin."""
        filler = self._gap_filler
        return filler.weights[np.arange(len(filler.loc)), (filler.periods > 0).astype(int)]

    def _check_input(
        self, X: Any, config: TSPulseConfig, *, reset: bool
    ) -> tuple[list[Values], Callable[[list[Values]], Any]]:
        """Return the panels ``(n_series, n_channels, n_timepoints)`` of X, and the way back."""
        if reset:  # what may be set anew afterwards without an effect
            self._layout, self._freq = self.layout, self.freq
            self._stride = min(self.stride, config.context_length)  # so that no point is skipped
        shortest = config.patch_length
        X = X if self._freq is None else asfreq(X, self._freq)
        if not (self._layout == "panel" or is_panel(X)):
            values, restore = check_series(self, X, reset=reset, min_timepoints=shortest)
            return [values.T[None]], lambda filled: restore(filled[0][0].T)
        panel, give_back = check_restorable_panel(self, X, reset=reset, min_timepoints=shortest)
        if isinstance(panel, list):
            return [one[None] for one in panel], lambda filled: give_back(
                [one[0] for one in filled]
            )
        return [panel], lambda filled: give_back(filled[0])

    def _fine_tuned(
        self, network: TSPulse, panels: list[Values], rng: np.random.Generator
    ) -> TSPulse:
        """Return a copy of the network, trained to fill gaps like those of the panels."""
        config = network.config
        windows = sample_segments(panels, config.context_length, _N_WINDOWS, rng).values
        tuner = FineTuner(
            GapMasks(windows, config.patch_length),
            {"time": 1.0, "frequency": 1.0},
            n_steps=_MAX_STEPS,
            bfloat16=resolve_device(self.device).type == "cuda",
            seed=int(rng.integers(2**31)),
        )
        series = [row for panel in panels for row in panel.reshape(-1, panel.shape[-1])]
        with self._progress(tuner.n_steps, "steps") as progress:
            return tuner.fine_tune(network, series, None if progress is None else progress.update)

    def _reader(self, network: TSPulse) -> CandidateReader:
        config = network.config
        heads = ("time", "frequency" if config.frequency_head else "time")
        run = partial(reconstruct, network, heads=heads, batch_size=self.batch_size)
        return CandidateReader(run, config.context_length, config.patch_length, self._stride)


def imputer_parts(imputer: TSPulseImputer) -> dict[str, Any]:
    """Return what a fitted imputer fills with, beside the network."""
    return {
        "filler": imputer._gap_filler,
        "layout": imputer._layout,
        "stride": imputer._stride,
        "freq": imputer._freq,
    }
