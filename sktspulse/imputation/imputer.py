"""Fill the gaps of recordings and panels."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse
from ..network import TSPulse, TSPulseConfig, fingerprint, reconstruct, resolve_device
from ..pretraining import FineTuner
from ..series import Values, check_panel, check_series, on_grid, restorer
from .candidates import GapReader
from .gap_filler import Filler
from .simulated_gaps import GapMasks, draw_windows

__all__ = ["TSPulseImputer"]

Restore = Callable[[list[Values]], Any]

_STEPS = 400  # of fine-tuning, at most


class TSPulseImputer(TransformerMixin, BaseTSPulse):
    """Fill missing values with what the pre-trained network reconstructs there.

    The network reads up to 512 time points around a gap and is not trained here, unless
    asked for. By default ``fit`` hides known points of the data to learn, for each channel
    and kind of gap, how far to trust the network's two reconstructions, how far other
    periods, and how far a line or a cubic through the nearest known points; so the result
    is at least about as good as interpolation, also where a recording is smoother than
    anything learned. It then moves what was filled towards what the other channels show at
    the same time, as far as that helps at the points hidden.

    Parameters
    ----------
    layout : {"series", "panel"}, default="series"
        What a two-dimensional input is: one recording ``(n_timepoints, n_channels)``, or
        a panel of one-channel series ``(n_series, n_timepoints)``. Three-dimensional
        input and lists of arrays are always panels.
    blend : bool, default=True
        Whether to blend the network with interpolation and to use the other channels, as
        learned in ``fit``. False gives the network's time reconstruction alone, as
        published.
    fine_tune : bool, default=False
        Whether ``fit`` trains a copy of the network on the data first, with gaps like
        theirs; see Notes.
    freq : str, default=None
        Step of the time stamps, as pandas writes it (``"h"``, ``"15min"``). Rows that a
        data frame with a ``DatetimeIndex`` lacks are put in and filled, too. None takes
        rows as they are.
    stride : int, default=128
        Steps between the windows laid over series longer than one window [time
        points]; the windows are averaged, the middle of each counting most.
    checkpoint : str or path, default="tspulse-p8"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=64
        Windows given to the network at once.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the best there is.
    random_state : int, RandomState or None, default=None
        Chooses the points hidden in ``fit``. An int makes the result repeatable.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_channels,)
        Mean of each channel [input units]; 0 for a channel without a known value.
    scale_ : ndarray of shape (n_channels,)
        Standard deviation of each channel [input units]; 1 where it would be 0.
    periods_ : ndarray of shape (n_channels,)
        Time after which each channel repeats [time points]; 0 where it does not, and if
        ``blend=False``.
    blend_ : Blend or None
        The learned weights, ``blend_.weights`` of shape (n_channels, n_cells, 5) for the
        time head, the frequency head, other periods, the cubic and the line; None if
        ``blend=False``.
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    n_channels_in_ : int
        Number of channels.
    network_ : TSPulse or None
        The network as trained in ``fit``; None if ``fine_tune=False``.
    fingerprint_ : str
        Hash of the network fitted with.

    See Also
    --------
    TSPulseTransformer : Embeddings; reads gaps as they are, so it needs no imputer.
    sklearn.impute.KNNImputer : Fills from similar rows; knows nothing of time.

    Notes
    -----
    Known values come back bit by bit. Some gaps leave the network nothing to go by, and
    are filled as follows. Farther than a window from anything known, and in series with
    fewer known values than a patch (8): the same phase of other periods if the channel has
    a period, blended with a line between the nearest known values, in short gaps a cubic,
    level beyond the first and last. Series whose known values
    are all equal: that value. No value at all: the mean of the channel seen in ``fit``, 0
    if none was. ±inf is an error.

    Fine-tuning takes 400 steps of 64 windows at most, a fifth of every series held out
    to end it early; the network that was best there is kept. Channels stay apart in the
    network. It takes minutes on few cores, and the pickle then holds the weights.

    Windows without a gap are not run. On one CPU core 1,000 windows of one channel take
    about half a second, the other channels half as long again, and 70,000 time points of
    7 channels, a fifth of them missing, 15 seconds with ``fit``. Memory beyond input and
    output grows with the longest series and its channels.

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
    >>> X[100:104, 0] = np.nan
    >>> filled = TSPulseImputer(random_state=0).fit_transform(X)
    >>> bool(np.abs(filled[100:104, 0] - np.sin(t[100:104] / 9)).max() < 0.05)
    True
    """

    def __init__(
        self,
        layout: Literal["series", "panel"] = "series",
        *,
        blend: bool = True,
        fine_tune: bool = False,
        freq: str | None = None,
        stride: int = 128,
        checkpoint: str = "tspulse-p8",
        batch_size: int = 64,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.layout = layout
        self.blend = blend
        self.fine_tune = fine_tune
        self.freq = freq
        self.stride = stride
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn level and scale of every channel, and how to blend.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Recording or panel, at least one patch (8 time points) long; NaN where missing.
        y : None
            Ignored; here for pipelines.

        Returns
        -------
        TSPulseImputer
            This object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or of the wrong shape, if a parameter is
            out of range, or if the checkpoint cannot be read.
        """
        self._check_parameters()
        self._check_stride(self._read_checkpoint().config.context_length)
        network = self._fit_network()
        panels, _ = self._check(X, network.config, reset=True)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        if self.fine_tune:
            network = self._tuned(network, panels, rng)
        self._filler = Filler.of(panels)
        if self.blend:
            self._filler.learn(panels, self._reader(network), rng)
        self.statistics_, self.scale_ = self._filler.loc, self._filler.scale
        self.network_ = network.cpu() if self.fine_tune else None
        self.periods_ = np.array(self._filler.periods)
        self.blend_ = self._filler.blend
        return self

    def transform(self, X: ArrayLike, *, return_std: bool = False) -> Any:
        """Fill the missing values.

        Parameters
        ----------
        X : array-like
            Recording or panel as in ``fit``, of any length from one patch up, with the
            channels fitted.
        return_std : bool, default=False
            Whether to return standard deviations, too, which takes nearly twice the time.

        Returns
        -------
        filled : same type and shape as X
            A copy without missing values; with ``freq``, rows that were left out besides.
            Known values are those of X, bit by bit.
        std : same type and shape as X
            Standard deviation of the error of each filled value [input units], so scaled
            that nine in ten errors lie within 1.645 of it; 0 for known values and in
            series whose known values are all equal. Only if ``return_std``.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels than fitted, or if
            deviations are asked for that were not learned, as ``blend=False``.
        NotFittedError
            If ``fit`` was not called.
        """
        check_is_fitted(self)
        if return_std and self.blend_ is None:
            raise ValueError(
                "return_std=True needs an imputer fitted with blend=True: errors are learned "
                "together with the blend. Fit again, or leave return_std out."
            )
        network = self._load_network()
        panels, restore = self._check(X, network.config, reset=False)
        reader = self._reader(network)
        with self._progress(_count_points(panels), "points") as progress:
            answers = [
                self._filler.fill(panel, reader, progress, with_deviation=return_std)
                for panel in panels
            ]
        filled, deviation = (list(part) for part in zip(*answers, strict=True))
        return (restore(filled), restore(deviation)) if return_std else restore(filled)

    def _check_parameters(self) -> None:
        self._check_choice("layout", ("series", "panel"))
        for name in ("stride", "batch_size"):
            self._check_count(name)

    def _check_stride(self, context_length: int) -> None:
        if self.stride > context_length:
            raise ValueError(
                f"stride is {self.stride}, but windows are {context_length} time points long: "
                f"points between them would not be seen. Choose at most {context_length}."
            )

    def _check(self, X: Any, config: TSPulseConfig, *, reset: bool) -> tuple[list[Values], Restore]:
        """Return the panels ``(n_series, n_channels, n_timepoints)`` in X, and the way back."""
        least = config.patch_length
        X = X if self.freq is None else on_grid(X, self.freq)
        if not (self.layout == "panel" or _is_panel(X)):
            values, restore = check_series(self, X, reset=reset, min_timepoints=least)
            return [values.T[None]], lambda filled: restore(filled[0][0].T)
        panel = check_panel(self, X, reset=reset, min_timepoints=least)
        if isinstance(panel, list):
            shapes = [np.shape(one) for one in X]
            return [one[None] for one in panel], lambda filled: _shaped(filled, shapes)
        flat, restore = panel.shape[1] == 1 and np.ndim(X) == 2, restorer(X)
        return [panel], lambda filled: restore(filled[0][:, 0] if flat else filled[0])

    def _load_network(self) -> TSPulse:
        """Return the network fitted with, on the device wanted."""
        if self.network_ is None:
            return super()._load_network()
        place = resolve_device(self.device)
        return self.network_ if place.type == "cpu" else deepcopy(self.network_).to(place)

    def _tuned(self, network: TSPulse, panels: list[Values], rng: np.random.Generator) -> TSPulse:
        """Train a copy of the network to fill such gaps."""
        config = network.config
        windows = draw_windows(panels, config.context_length, rng).values
        tuner = FineTuner(
            GapMasks(windows, config.patch_length),
            {"time": 1.0, "frequency": 1.0},
            n_steps=_STEPS,
            bfloat16=resolve_device(self.device).type == "cuda",
            seed=int(rng.integers(2**31)),
        )
        series = [row for panel in panels for row in panel.reshape(-1, panel.shape[-1])]
        with self._progress(tuner.n_steps, "steps") as progress:
            tuned = tuner.tune(network, series, None if progress is None else progress.update)
        self.fingerprint_ = fingerprint(tuned)
        return tuned

    def _reader(self, network: TSPulse) -> GapReader:
        # One head stands for both where there is no other.
        heads = ("time", "frequency" if network.config.frequency_head else "time")

        def run(windows: NDArray[np.float32]) -> Values:
            return reconstruct(network, windows, heads, batch_size=self.batch_size)

        config = network.config
        return GapReader(run, config.context_length, config.patch_length, self.stride)


def _count_points(panels: list[Values]) -> int:
    return sum(panel.size for panel in panels)


def _shaped(panels: list[Values], shapes: list[tuple[int, ...]]) -> list[Values]:
    """Undo what made every series of a list a panel of its own."""
    return [panel.reshape(shape) for panel, shape in zip(panels, shapes, strict=True)]


def _is_panel(X: Any) -> bool:
    """Tell whether X can only be a panel: three axes, or several arrays of two."""
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        return len(shape) == 3
    return isinstance(X, list | tuple | np.ndarray) and len(X) > 0 and np.ndim(X[0]) == 2
