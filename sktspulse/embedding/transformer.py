"""Embed the series of a panel."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from ..base import BaseTSPulse
from ..network import TSPulse, TSPulseConfig
from ..series import Panel, check_panel
from .embed import EmbeddingSpec, Windowing, count_windows, embed_panel, part_widths

__all__ = ["TSPulseTransformer"]

_PARTS = {
    "semantic": ("semantic",),
    "detailed": ("time", "frequency"),
    "time": ("time",),
    "frequency": ("frequency",),
    "all": ("time", "frequency", "semantic"),
}
_CHOICES = {
    "embedding": tuple(_PARTS),
    "channels": ("concatenate", "mean"),
    "windowing": get_args(Windowing),
}


class TSPulseTransformer(TransformerMixin, BaseTSPulse):
    """Turn each series of a panel into a vector with the pre-trained network.

    The vectors are for classifiers, clusterers, neighbours and plots. The network is
    used as it is: ``fit`` learns nothing but the shape of the input. Level and unit of
    a series do not matter, channel by channel: ``a * x + b`` with ``a > 0`` has the
    embedding of x.

    Parameters
    ----------
    embedding : {"semantic", "detailed", "time", "frequency", "all"}, default="semantic"
        What to return, after the decoder. ``"semantic"``: the registers, 240 numbers a
        channel, which say what kind of series it is. ``"time"``, ``"frequency"``: the
        tokens of the values or of the spectrum, 1,536 numbers each, which also say
        what happens where. ``"detailed"``: time and frequency. ``"all"``: all three.
    channels : {"concatenate", "mean"}, default="concatenate"
        Whether the vectors of the channels follow one another or are averaged.
    windowing : {"resample", "sliding"}, default="resample"
        How series of any length come to the 512 time points the network reads.
        ``"resample"`` stretches or shrinks each to fit, by linear interpolation, which
        suits series that are one event each. ``"sliding"`` keeps the pace: it lays
        windows that overlap by half and averages their vectors; series shorter than a
        window are preceded by missing values.
    checkpoint : str or path, default="tspulse-p8"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Windows given to the network at once. Raise it on an accelerator.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the best there is.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
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
    TSPulseImputer : Fills the gaps of series and leaves them series.
    EmbeddingDisplay : Draws embeddings in the plane.

    Notes
    -----
    Missing values (NaN) are shown to the network as such; a channel without a known
    value and a constant one have the embeddings of nothing and of a flat line, not NaN.
    ±inf is an error. With ``windowing="resample"`` a series needs 2 time points, and fewer
    than a patch (8) tell little; with ``windowing="sliding"`` it needs a patch.

    Nothing is random, and a series has the same embedding, to the bit, whatever it
    comes along with. One CPU core embeds 1,000 windows in about 0.7 s; beyond input and
    result, memory does not grow with the panel.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 3.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktspulse import TSPulseTransformer
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(60, n_channels=2, random_state=0)
    >>> TSPulseTransformer().fit_transform(X).shape
    (60, 480)
    >>> model = make_pipeline(TSPulseTransformer(), LogisticRegression(max_iter=1000))
    >>> model.fit(X[:40], y[:40]).score(X[40:], y[40:]) > 0.8
    True
    """

    def __init__(
        self,
        embedding: Literal["semantic", "detailed", "time", "frequency", "all"] = "semantic",
        *,
        channels: Literal["concatenate", "mean"] = "concatenate",
        windowing: Windowing = "resample",
        checkpoint: str = "tspulse-p8",
        batch_size: int = 32,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.embedding = embedding
        self.channels = channels
        self.windowing = windowing
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.device = device
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Learn the number of channels, and note which network is used.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing.
        y : array-like, default=None
            Ignored; here for pipelines.

        Returns
        -------
        TSPulseTransformer
            This object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or of the wrong shape, if a parameter is
            none of its choices, or if the checkpoint cannot be read.
        """
        self._check_parameters()
        config = self._read_checkpoint().config
        widths = part_widths(config)
        self._check_embedding(widths)
        self._check(X, config, reset=True)
        self._widths = widths
        self._fit_network()
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Embed every series.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the channels fitted. Series with an axis for
            channels may have any length; those of a two-dimensional panel have the
            length fitted.

        Returns
        -------
        ndarray of shape (n_series, n_features_out), float32
            One embedding a row; a data frame if ``set_output`` says so. The features
            are those of one channel, times ``n_channels_in_`` unless channels are
            averaged.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels than fitted.
        NotFittedError
            If ``fit`` was not called.
        """
        check_is_fitted(self)
        network = self._load_network()
        return self._embed(network, self._check(X, network.config, reset=False))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the numbers of an embedding.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Not used, but checked against the names seen in ``fit``.

        Returns
        -------
        ndarray of str objects
            ``ch0_semantic0``, ``ch0_semantic1``, ...: channel, kind, number; without
            the channel if channels are averaged.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features, generate_names=False)
        parts = _PARTS[self.embedding]
        names = [f"{part}{i}" for part in parts for i in range(self._widths[part])]
        if self.channels == "concatenate":
            names = [
                f"ch{channel}_{name}" for channel in range(self.n_channels_in_) for name in names
            ]
        return np.array(names, dtype=object)

    def _check_parameters(self) -> None:
        for name, choices in _CHOICES.items():
            self._check_choice(name, choices)
        self._check_count("batch_size")

    def _check_embedding(self, widths: dict[str, int]) -> None:
        absent = [part for part in _PARTS[self.embedding] if not widths[part]]
        if absent:
            raise ValueError(
                f"embedding={self.embedding!r} needs tokens for {absent}, which checkpoint "
                f"{self.checkpoint!r} does not have. Choose another embedding."
            )

    def _check(self, X: ArrayLike, config: TSPulseConfig, *, reset: bool) -> Panel:
        least = 2 if self.windowing == "resample" else config.patch_length
        return check_panel(self, X, reset=reset, min_timepoints=least)

    def _embed(self, network: TSPulse, panel: Panel) -> NDArray[np.float32]:
        spec = EmbeddingSpec(_PARTS[self.embedding], self.windowing, self.channels == "mean")
        n_rows = count_windows(panel, network.config.context_length, self.windowing)
        with self._progress(n_rows) as progress:
            embeddings = embed_panel(network, panel, spec, self.batch_size, progress)
        return embeddings.reshape(len(panel), -1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
