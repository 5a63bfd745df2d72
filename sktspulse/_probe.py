"""The frozen network under a linear head: what classifier and regressor share."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _check_sample_weight, _num_samples
from torch import Tensor

from ._base import BaseTSPulse, Progress
from ._embedding import LENGTHS, Vectors, count_windows, embed, token_slices
from ._linear import Floats, LogisticHead, RidgeHead, Rows, as_set
from ._network import TSPulse
from ._validation import Panel, Values, check_panel
from ._variants import FORMS, SMOOTH_FORMS
from ._windows import standardize

__all__ = ["BaseProbe", "Levels", "check_lengths", "check_weights", "levels_of"]

_MAX_CONCATENATED = 32  # channels; of more, mean and deviation over them are kept
_BLOCK_ROWS = 4096  # channels of series embedded at once
_FLAT = 1e-3  # spread of levels or scales, over the usual scale, that tells nothing
_ROUNDING = 1e-5  # deviation of embeddings that rounding can make
_LEVEL_SHARE = 0.1  # squared length of levels and scales beside that of the embeddings, 1
_BAD_WEIGHTS = (
    "sample_weight holds {}, expected numbers of at least 0, some of them above. Give 0 to "
    "series that should not count."
)


class BaseProbe(BaseTSPulse):
    """Base of the estimators that put a linear head on the frozen network.

    Subclasses have the parameters of ``BaseTSPulse`` and ``length``.
    """

    def _check_parameters(self) -> None:
        self._check_choice("length", LENGTHS)
        self._check_count("batch_size")

    def _fit_probe(
        self, features: Floats, targets: Any, weights: Floats, head: LogisticHead | RidgeHead
    ) -> Probe:
        """Fit scaling and head to what ``_extract`` returned."""
        rows = as_set(features, targets, weights)
        scaling = _Scaling.of(rows, self.n_channels_in_)
        head.fit(rows._replace(features=scaling(rows.features)), self._groups(features.shape[1]))
        return Probe(scaling, head.coefficients, head.intercept)

    def _groups(self, n_features: int) -> tuple[slice, ...]:
        """Return the columns of all features, of the smooth forms, and of levels and scales."""
        n_levels = 2 * self.n_channels_in_
        share = len(SMOOTH_FORMS[self.length]) / len(FORMS[self.length])
        n_smooth = round(share * (n_features - n_levels))
        return slice(None), slice(n_smooth), slice(-n_levels, None)

    def _check(self, X: ArrayLike, network: TSPulse, *, reset: bool) -> Panel:
        least = 2 if self.length == "resample" else network.config.patch_length
        return check_panel(self, X, reset=reset, min_timepoints=least)

    def _extract(self, network: TSPulse, panel: Panel) -> NDArray[np.float64]:
        """Return embeddings of the series in several forms, then levels and scales."""
        n_windows = count_windows(panel, network.config.context_length, self.length)
        n_rows = len(FORMS[self.length]) * n_windows
        step = max(1, _BLOCK_ROWS // self.n_channels_in_)
        with self._progress(n_rows) as progress:
            blocks = (panel[first : first + step] for first in range(0, len(panel), step))
            return np.vstack([self._extract_block(network, one, progress) for one in blocks])

    def _extract_block(
        self, network: TSPulse, panel: Panel, progress: Progress | None
    ) -> NDArray[np.float64]:
        config = network.config
        vectors = Vectors(_read_registers, config.n_registers * config.d_model, self.length)
        shape = (len(panel), self.n_channels_in_)
        parts = [
            embed(network, series, shape, vectors, self.batch_size, progress)
            for series in (map(form, panel) for form in FORMS[self.length])
        ]
        return np.hstack([*map(_join_channels, parts), levels_of(panel)])


def _read_registers(network: TSPulse, x: Tensor, observed: Tensor) -> Tensor:
    tokens = network.decode(network.encode(x, observed)).tokens[:, :, 0]  # (K, B, D)
    return tokens[token_slices(network.config)["semantic"]].movedim(0, 1).flatten(1)


def _join_channels(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn ``(n_series, n_channels, n_features)`` into a row a series."""
    if vectors.shape[1] > _MAX_CONCATENATED:
        vectors = np.stack([vectors.mean(1), vectors.std(1)], axis=1)
    return vectors.reshape(len(vectors), -1)


def levels_of(panel: Panel) -> NDArray[np.float64]:
    """Return the mean of every channel, then the deviation; NaN where nothing is known."""
    rows = [_level(series) for series in panel]
    return np.array(rows, dtype=np.float64)


def _level(series: Values) -> Values:
    z, loc, scale = standardize(series)
    is_flat = ~np.nan_to_num(z).any(-1)
    is_empty = np.isnan(z).all(-1)
    moments = np.stack([loc[:, 0], np.where(is_flat, 0, scale[:, 0])])  # (2, C)
    return np.where(is_empty, np.nan, moments).ravel()


class Levels(NamedTuple):
    """What levels and scales are measured by: those of the panel fitted with, by channel."""

    centre: Floats  # (n_channels,) usual level
    spread: Floats  # (n_channels,) usual distance between levels; inf where they are all the same
    unit: Floats  # (n_channels,) usual scale

    @classmethod
    def of(cls, levels: Floats, weights: Floats) -> Self:
        loc, scale = np.hsplit(levels, 2)
        low, centre, high = (_quantiles(loc, weights, q) for q in (0.25, 0.5, 0.75))
        unit = _quantiles(np.where(scale > 0, scale, np.nan), weights, 0.5)
        unit = np.where(unit > 0, unit, 1)
        spread = np.where(high - low > _FLAT * unit, high - low, np.inf)
        return cls(centre, spread, unit)

    def __call__(self, levels: Floats) -> Floats:
        """Return numbers that grow slowly far out, and do not depend on the channels' units."""
        loc, scale = np.hsplit(levels, 2)
        far = np.where(np.isnan(loc), 0, (loc - self.centre) / self.spread)
        wide = np.where(np.isnan(scale), 1, scale / self.unit)
        return np.hstack([np.arcsinh(far), np.log(_FLAT + wide)])


class _Standard(NamedTuple):
    """Brings columns to mean 0 and equal variance, and rows to a usual length."""

    mean: Floats  # (n_features,)
    factor: Floats  # (n_features,) 0 for what does not vary

    @classmethod
    def of(cls, features: Floats, weights: Floats, least: float, share: float) -> Self:
        shares = weights / weights.sum()
        mean = shares @ features
        deviation = np.sqrt(shares @ np.square(features - mean))
        varies = deviation > least
        length = np.sqrt(share / max(1, varies.sum()))
        return cls(mean, np.divide(length, deviation, out=np.zeros_like(mean), where=varies))

    def __call__(self, features: Floats) -> Floats:
        scaled: Floats = (features - self.mean) * self.factor
        return scaled


class _Scaling(NamedTuple):
    """Scaling of what ``_extract`` returns: embeddings, and levels and scales behind them."""

    levels: Levels
    standards: tuple[_Standard, _Standard]

    @classmethod
    def of(cls, rows: Rows, n_channels: int) -> Self:
        embedded, moments = np.split(rows.features, [-2 * n_channels], axis=1)
        levels = Levels.of(moments, rows.weights)
        return cls(
            levels,
            (
                _Standard.of(embedded, rows.weights, _ROUNDING, 1.0),
                _Standard.of(levels(moments), rows.weights, _FLAT, _LEVEL_SHARE),
            ),
        )

    def __call__(self, features: Floats) -> Floats:
        embedded, moments = np.split(features, [-2 * len(self.levels.unit)], axis=1)
        parts = (embedded, self.levels(moments))
        return np.hstack([scale(part) for scale, part in zip(self.standards, parts, strict=True)])


class Probe(NamedTuple):
    """A linear head on scaled features."""

    scaling: _Scaling
    coefficients: Floats  # (n_outputs, n_features)
    intercept: Floats  # (n_outputs,)

    def __call__(self, features: Floats) -> NDArray[np.float64]:
        # Unlike a matrix product, this adds up a row in the same order whatever the others.
        sums = np.einsum("np,kp->nk", self.scaling(features), self.coefficients)
        return np.asarray(sums + self.intercept)


def _quantiles(values: Floats, weights: Floats, q: float) -> Floats:
    """Return one quantile of each column, as if rows were repeated; 0 if all is missing."""
    return np.array([_quantile(column, weights, q) for column in values.T])


def _quantile(values: Floats, weights: Floats, q: float) -> float:
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return 0.0
    order = known[np.argsort(values[known])]
    sums = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(sums, q * sums[-1])]])


def check_lengths(X: Any, y: NDArray[Any]) -> None:
    """Refuse y of another length than X.

    Parameters
    ----------
    X : array-like
        The panel, not checked yet.
    y : ndarray of shape (n_targets, ...)
        The targets.

    Raises
    ------
    ValueError
        If there is not one target a series.
    """
    n_series = _num_samples(X)
    if len(y) != n_series:
        raise ValueError(
            f"y has {len(y)} entries, but X has {n_series} series. Pass one entry a series."
        )


def check_weights(sample_weight: ArrayLike | None, n_series: int) -> NDArray[np.float64]:
    """Check the weights of series.

    Parameters
    ----------
    sample_weight : array-like of shape (n_series,) or None
        The weights; None gives each the weight 1.
    n_series : int
        Number of series.

    Returns
    -------
    ndarray of shape (n_series,)
        Finite weights of at least 0, some above.

    Raises
    ------
    ValueError
        If they are anything else.
    """
    # Before scikit-learn, whose later releases refuse only zeros in other words.
    if sample_weight is not None and not np.asarray(sample_weight).any():
        raise ValueError(_BAD_WEIGHTS.format("only zeros"))
    rows = np.empty((n_series, 1))
    weights = np.asarray(_check_sample_weight(sample_weight, rows, dtype=np.float64))
    if (weights < 0).any():
        raise ValueError(_BAD_WEIGHTS.format(f"{weights.min():.6g}"))
    return weights
