"""Transformer from panels to embeddings."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from ..base import BaseTSPulse
from ..network import TSPulseConfig, limit_threads
from ..series import OutputMixin, Panel, check_panel, fitted_copy
from .embed import EmbeddingSpec, Windowing, count_windows, embed_panel, part_widths

__all__ = ["TSPulseTransformer", "embed_checked", "fitted_transformer", "transformer_parts"]

_PARTS = {
    "semantic": ("semantic",),
    "detailed": ("time", "frequency"),
    "time": ("time",),
    "frequency": ("frequency",),
    "all": ("time", "frequency", "semantic"),
}


class TSPulseTransformer(OutputMixin, TransformerMixin, BaseTSPulse):
    """Embed each series of a panel with the pre-trained network.

    Use the embeddings for classification, clustering, nearest neighbours and plots.
    Nothing is trained: ``fit`` only stores the shape of the input. The embedding does not
    depend on level and scale of a channel: ``a * x + b`` with ``a > 0`` has that of x.

    Parameters
    ----------
    embedding : {"semantic", "detailed", "time", "frequency", "all"}, default="semantic"
        Tokens after the decoder that make the embedding. ``"semantic"``: the register
        tokens, 240 numbers per channel, which describe the kind of series. ``"time"`` or
        ``"frequency"``: the tokens of the values or of the spectrum, 1,536 numbers per
        channel each, which also describe where events are. ``"detailed"``: time and
        frequency. ``"all"``: all three.
    channels : {"concatenate", "mean"}, default="concatenate"
        Whether to concatenate or to average the embeddings of the channels.
    windowing : {"resample", "sliding"}, default="resample"
        How a series becomes windows of 512 time points. ``"resample"`` makes one window,
        which suits series that hold one event each: a shorter series is interpolated
        linearly, a longer one averaged block by block. ``"sliding"`` keeps the sampling
        rate: windows overlap by half, and their embeddings are averaged. Shorter series
        are padded with NaN in front.
    checkpoint : str or path, default="tspulse-p8"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Number of windows in a batch. Raise it on a GPU.
    n_jobs : int, default=None
        Number of threads, -1 for one on each core. None means what
        :func:`joblib.parallel_config` says, else as many as torch uses. Results are the
        same up to rounding.
    device : str, default="auto"
        Device of the network, such as ``"cpu"`` or ``"cuda"``. ``"auto"`` takes a GPU if
        there is one.
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
        Hash of the weights of the network.

    See Also
    --------
    TSPulseRetriever : Searches similar series by their embeddings.
    EmbeddingDisplay : Plots embeddings in two dimensions.

    Notes
    -----
    NaN is missing and passed to the network as such, so embeddings are never NaN, even
    those of constant or empty channels. ±inf is an error. With ``windowing="resample"`` a
    series needs 2 time points, but fewer than a patch (8) carry little information. With
    ``windowing="sliding"`` it needs a patch.

    Nothing is random. One CPU core embeds 1,000 windows in about 0.7 s. Apart from input
    and output, memory does not grow with the panel.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTSPulse._parameter_constraints,
        "embedding": [StrOptions(set(_PARTS))],
        "channels": [StrOptions({"concatenate", "mean"})],
        "windowing": [StrOptions(set(get_args(Windowing)))],
    }
    _saved_classes = (EmbeddingSpec,)

    def __init__(
        self,
        embedding: Literal["semantic", "detailed", "time", "frequency", "all"] = "semantic",
        *,
        channels: Literal["concatenate", "mean"] = "concatenate",
        windowing: Windowing = "resample",
        checkpoint: str = "tspulse-p8",
        batch_size: int = 32,
        n_jobs: int | None = None,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.embedding = embedding
        self.channels = channels
        self.windowing = windowing
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.device = device
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Store the number of channels and the hash of the network.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing.
        y : array-like, default=None
            Ignored.

        Returns
        -------
        TSPulseTransformer
            The fitted object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or of the wrong shape, if a parameter is
            invalid, or if the checkpoint cannot be read.
        """
        self._validate_params()
        with fitted_copy(self) as fitted:
            fitted._fit(X)
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Embed each series.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the same channels. Series may have any length; those
            of a two-dimensional panel have the same length as in ``fit``.

        Returns
        -------
        ndarray of shape (n_series, n_features_out), float32
            One embedding per row; a data frame if ``set_output`` says so.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels.
        NotFittedError
            If ``fit`` was not called.
        """
        check_is_fitted(self)
        panel = self._check(X, self._load_network().config, reset=False)
        return self._to_output(self._embed(panel), X)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Not used, but checked against the names seen in ``fit``.

        Returns
        -------
        ndarray of str objects
            ``ch0_semantic0``, ``ch0_semantic1``, ...: channel, part and number; without
            the channel if channels are averaged.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features, generate_names=False)
        names = [f"{part}{i}" for part in self._spec.parts for i in range(self._widths[part])]
        if not self._spec.average_channels:
            names = [f"ch{c}_{name}" for c in range(self.n_channels_in_) for name in names]
        return np.array(names, dtype=object)

    @property
    def _n_features_out(self) -> int:
        n_features = sum(self._widths[part] for part in self._spec.parts)
        return n_features * (1 if self._spec.average_channels else self.n_channels_in_)

    def _fit(self, X: ArrayLike) -> None:
        config = self._read_checkpoint().config
        self._spec, self._widths = self._known_parts(config)
        self._check(X, config, reset=True)
        self._fit_network()

    def _check(self, X: ArrayLike, config: TSPulseConfig, *, reset: bool) -> Panel:
        minimum = 2 if self._spec.windowing == "resample" else config.patch_length
        return check_panel(self, X, reset=reset, min_timepoints=minimum)

    def _known_parts(self, config: TSPulseConfig) -> tuple[EmbeddingSpec, dict[str, int]]:
        """Return what is embedded, and the widths of the parts of the checkpoint."""
        parts, widths = _PARTS[self.embedding], part_widths(config)
        absent = [part for part in parts if not widths[part]]
        if absent:
            raise ValueError(
                f"embedding={self.embedding!r} needs tokens for {absent}, which checkpoint "
                f"{self.checkpoint!r} does not have. Choose another embedding."
            )
        return EmbeddingSpec(parts, self.windowing, self.channels == "mean"), widths

    def _embed(self, panel: Panel) -> NDArray[np.float32]:
        network, spec = self._load_network(), self._spec
        length = network.config.context_length
        bar = self._progress(count_windows(panel, length, spec.windowing))
        with limit_threads(self.n_jobs), bar as progress:
            embeddings = embed_panel(network, panel, spec, self.batch_size, progress)
        return embeddings.reshape(len(panel), -1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def fitted_transformer(n_channels: int, **parameters: Any) -> TSPulseTransformer:
    """Return a transformer that is fitted to panels with an axis for channels."""
    transformer = TSPulseTransformer(**parameters)
    config = transformer._fit_network().config
    transformer._spec, transformer._widths = transformer._known_parts(config)
    transformer.n_features_in_ = transformer.n_channels_in_ = n_channels
    return transformer


def embed_checked(transformer: TSPulseTransformer, panel: Panel) -> NDArray[np.float32]:
    """Embed a panel that was validated before; an array whatever ``set_output`` says."""
    return transformer._embed(panel)


def transformer_parts(transformer: TSPulseTransformer) -> dict[str, Any]:
    """Return what a fitted transformer embeds with, beside the network."""
    return {"spec": transformer._spec}
