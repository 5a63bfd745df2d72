"""Fill the gaps of recordings and panels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._base import BaseTSPulse, Progress, infer
from ._blend import Blend
from ._config import TSPulseConfig
from ._gaps import Evidence, GapReader, draw_masks, read_reconstructions
from ._network import TSPulse
from ._validation import check_panel, check_series, restorer
from ._windows import standardize, window_starts

__all__ = ["TSPulseImputer"]

Floats = NDArray[np.floating[Any]]
Restore = Callable[[list[Floats]], Any]
_FIT_WINDOWS = 256  # windows of a channel the blend is learned from, at most
_FIT_REPEATS = 8  # times a window is used for it, each time with other points hidden


class TSPulseImputer(TransformerMixin, BaseTSPulse):
    """Fill missing values with what the pre-trained network reconstructs there.

    The network reads up to 512 time points around a gap and is not trained here. By
    default ``fit`` hides known points of the data to learn, for each channel and kind of
    gap, how far to trust the network's two reconstructions and how far a line or a cubic
    through the nearest known points; so the result is at least about as good as
    interpolation, also where a recording is smoother than anything learned. Channels are
    filled independently of each other.

    Parameters
    ----------
    layout : {"series", "panel"}, default="series"
        What a two-dimensional input is: one recording ``(n_timepoints, n_channels)``, or
        a panel of one-channel series ``(n_series, n_timepoints)``. Three-dimensional
        input and lists of arrays are always panels.
    blend : bool, default=True
        Whether to blend the network with interpolation as learned in ``fit``. False
        gives the network's time reconstruction alone, as published.
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
    blend_ : Blend or None
        The learned weights, ``blend_.weights`` of shape (n_channels, n_cells, 4) for the
        time head, the frequency head, the cubic and the line; None if ``blend=False``.
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    n_channels_in_ : int
        Number of channels.
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
    fewer known values than a patch (8): a line between the nearest known values, in short
    gaps blended with a cubic, level beyond the first and last. Series whose known values
    are all equal: that value. No value at all: the mean of the channel seen in ``fit``, 0
    if none was. ±inf is an error.

    Windows without a gap are not run. On one CPU core 1,000 windows take about half a
    second; memory beyond input and output is about 100 bytes a time point of one channel.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 4.

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
        stride: int = 128,
        checkpoint: str = "tspulse-p8",
        batch_size: int = 64,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.layout = layout
        self.blend = blend
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
        channels = range(panels[0].shape[1])
        known = [np.concatenate([_known(panel[:, c]) for panel in panels]) for c in channels]
        self.statistics_ = np.array([values.mean() if len(values) else 0.0 for values in known])
        deviation = np.array([values.std() if len(values) else 0.0 for values in known])
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        self.blend_ = self._fit_blend(panels, network) if self.blend else None
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Fill the missing values.

        Parameters
        ----------
        X : array-like
            Recording or panel as in ``fit``, of any length from one patch up, with the
            channels fitted.

        Returns
        -------
        same type and shape as X
            A copy without missing values. Known values are those of X, bit by bit.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels than fitted.
        NotFittedError
            If ``fit`` was not called.
        """
        check_is_fitted(self)
        network = self._load_network()
        panels, restore = self._check(X, network.config, reset=False)
        with self._progress(_count_points(panels), "points") as progress:
            return restore([self._filled(panel, network, progress) for panel in panels])

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

    def _check(self, X: Any, config: TSPulseConfig, *, reset: bool) -> tuple[list[Floats], Restore]:
        """Return the panels ``(n_series, n_channels, n_timepoints)`` in X, and the way back."""
        least = config.patch_length
        if not (self.layout == "panel" or _is_panel(X)):
            values, restore = check_series(self, X, reset=reset, min_timepoints=least)
            return [values.T[None]], lambda filled: restore(filled[0][0].T)
        panel = check_panel(self, X, reset=reset, min_timepoints=least)
        if isinstance(panel, list):
            shapes = [np.shape(one) for one in X]
            return [one[None] for one in panel], lambda filled: _shaped(filled, shapes)
        flat, restore = panel.shape[1] == 1 and np.ndim(X) == 2, restorer(X)
        return [panel], lambda filled: restore(filled[0][:, 0] if flat else filled[0])

    def _reader(self, network: TSPulse) -> GapReader:
        def run(windows: NDArray[np.float32]) -> Floats:
            # A quiet stretch must not sink below the network's variance floor.
            z, loc, scale = standardize(windows)
            rows = z.astype(np.float32)
            filled = next(infer(network, rows, read_reconstructions, batch_size=self.batch_size))
            return filled * scale[:, None] + loc[:, None]

        config = network.config
        return GapReader(run, config.context_length, config.patch_length, self.stride)

    def _fit_blend(self, panels: list[Floats], network: TSPulse) -> Blend:
        """Hide known points of some windows of every channel and learn to fill them."""
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        reader = self._reader(network)
        blend = Blend(self.n_channels_in_)
        for channel in range(self.n_channels_in_):
            rows = self._scaled(_draw_windows(panels, channel, network.config, rng), channel)
            shown = _hide(rows, network.config.patch_length, rng)
            wanted = np.isnan(shown) & ~np.isnan(rows)
            useful = wanted.any(1)
            if useful.any():
                evidence = reader.read(shown[useful], wanted[useful])
                blend.learn(channel, evidence.candidates, rows[wanted], evidence.cells)
        return blend

    def _scaled(self, rows: Floats, channel: int) -> NDArray[np.float64]:
        return (rows.astype(np.float64) - self.statistics_[channel]) / self.scale_[channel]

    def _filled(self, panel: Floats, network: TSPulse, progress: Progress | None) -> Floats:
        """Return a filled copy of a panel; channel after channel bounds the memory."""
        reader = self._reader(network)
        filled = panel.copy()
        for channel in range(panel.shape[1]):
            rows = filled[:, channel]
            for block in reader.blocks(*rows.shape):
                self._fill(rows[block], channel, reader)
                if progress is not None:
                    progress.update(rows[block].size)
        return filled

    def _fill(self, rows: Floats, channel: int, reader: GapReader) -> None:
        """Fill the gaps of some series of one channel in place."""
        missing = np.isnan(rows)
        rows[missing.all(1)] = self.statistics_[channel]
        lowest, highest = np.nanmin(rows, 1), np.nanmax(rows, 1)
        constant = lowest == highest
        rows[constant] = np.where(missing[constant], lowest[constant, None], rows[constant])
        left = np.flatnonzero(~constant & missing.any(1))
        if len(left):
            wanted = missing[left]
            evidence = reader.read(self._scaled(rows[left], channel), wanted)
            values = self._weigh(evidence, channel) * self.scale_[channel]
            rows[left[evidence.row], evidence.time] = values + self.statistics_[channel]

    def _weigh(self, evidence: Evidence, channel: int) -> Floats:
        if self.blend_ is None:
            return evidence.candidates[:, 0]
        return self.blend_(channel, evidence.candidates, evidence.cells)


def _known(values: Floats) -> NDArray[np.float64]:
    return values[~np.isnan(values)].astype(np.float64)


def _count_points(panels: list[Floats]) -> int:
    return sum(panel.size for panel in panels)


def _shaped(panels: list[Floats], shapes: list[tuple[int, ...]]) -> list[Floats]:
    """Undo what made every series of a list a panel of its own."""
    return [panel.reshape(shape) for panel, shape in zip(panels, shapes, strict=True)]


def _is_panel(X: Any) -> bool:
    """Tell whether X can only be a panel: three axes, or several arrays of two."""
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        return len(shape) == 3
    return isinstance(X, list | tuple | np.ndarray) and len(X) > 0 and np.ndim(X[0]) == 2


def _draw_windows(
    panels: list[Floats], channel: int, config: TSPulseConfig, rng: np.random.Generator
) -> Floats:
    """Draw windows of one channel, some of them repeatedly if there are few."""
    length = config.context_length
    found = []
    for panel in panels:
        rows = panel[:, channel]
        short = max(0, length - rows.shape[1])
        rows = np.pad(rows, ((0, 0), (short, 0)), constant_values=np.nan)
        starts = window_starts(rows.shape[1], length, length // 4)
        chosen = rng.permutation(len(rows) * len(starts))[:_FIT_WINDOWS]
        row, start = chosen // len(starts), starts[chosen % len(starts)]
        found.append(np.stack([rows[r, s : s + length] for r, s in zip(row, start, strict=True)]))
    windows = np.concatenate(found)[: _FIT_WINDOWS * 4]
    repeated = np.tile(windows, (min(_FIT_REPEATS, -(-_FIT_WINDOWS // len(windows))), 1))
    return rng.permutation(repeated)[:_FIT_WINDOWS]


def _hide(rows: Floats, patch_length: int, rng: np.random.Generator) -> Floats:
    """Hide some known points of windows: blocks and points, or the gaps of another window."""
    observed = draw_masks(rows.shape, patch_length, rng)
    known = ~np.isnan(rows)
    gaps = np.flatnonzero(~known.all(1))
    if len(gaps):
        borrowed = known[rng.choice(gaps, len(rows))]
        observed = np.where(rng.random((len(rows), 1)) < 0.5, borrowed, observed)
    shown = np.where(observed, rows, np.nan)
    # A window that would be left without a known point shows all it has.
    return np.where((observed & known).any(1, keepdims=True), shown, rows)
