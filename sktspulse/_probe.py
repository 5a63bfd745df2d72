"""The frozen network under a linear head: what classifier and regressor share."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _check_sample_weight, _num_samples
from torch import Tensor

from ._linear import Floats, LogisticHead, RidgeHead, Rows, as_set
from ._variants import FORMS, SMOOTH_FORMS, Form, unchanged
from .base import BaseTSPulse, Clock
from .embedding import LENGTHS, Length, Vectors, count_windows, embed, token_slices
from .network import Progress, TSPulse, standardize
from .series import Panel, check_panel, resample

__all__ = ["BaseProbe", "Levels", "check_lengths", "check_weights", "levels_of"]

Values = NDArray[np.floating[Any]]
_MAX_CONCATENATED = 32  # channels; of more, mean and deviation over them are kept
_BLOCK_ROWS = 4096  # channels of series embedded at once
_FLAT = 1e-3  # spread of levels or scales, over the usual scale, that tells nothing
_ROUNDING = 1e-5  # deviation of embeddings that rounding can make
_LEVEL_SHARE = 0.1  # squared length of levels and scales beside that of the embeddings, 1
_MAX_POINTS = 64  # of a channel, whose values are read
_MAX_VALUES = 2048  # of all channels
_FARTHEST = 8.0  # usual distances that a value counts as at most
_EMBEDDING_SHARE = 0.6  # of the time, after which no other form is read
_BAD_WEIGHTS = (
    "sample_weight holds {}, expected numbers of at least 0, some of them above. Give 0 to "
    "series that should not count."
)


class BaseProbe(BaseTSPulse):
    """Base of the estimators that put a linear head on the frozen network.

    Subclasses have the parameters of ``BaseTSPulse`` and ``length``.
    """

    n_forms_: int
    _reads_values = False  # whether the values themselves are features, too

    def _check_parameters(self) -> None:
        self._check_choice("length", LENGTHS)
        self._check_count("batch_size")

    def _fit_probe(
        self,
        features: Floats,
        targets: Any,
        weights: Floats,
        head: LogisticHead | RidgeHead,
        clock: Clock,
    ) -> Probe:
        """Fit scaling and head to what ``_extract`` returned."""
        rows = as_set(features, targets, weights)
        layout = self._layout(features.shape[1])
        scaling = _Scaling.of(rows, layout)
        scaled = rows._replace(features=scaling(rows.features))
        head.fit(scaled, layout.groups(self.length), lambda: clock.left <= 0)
        return Probe(scaling, head.coefficients, head.intercept)

    def _layout(self, n_features: int) -> Layout:
        n_values = _n_points(self.n_channels_in_) * self.n_channels_in_ * self._reads_values
        n_levels = 2 * self.n_channels_in_
        return Layout(self.n_forms_, n_features - n_values - n_levels, n_values, n_levels)

    def _check(self, X: ArrayLike, network: TSPulse, *, reset: bool) -> Panel:
        least = 2 if self.length == "resample" else network.config.patch_length
        return check_panel(self, X, reset=reset, min_timepoints=least)

    def _extract(
        self, network: TSPulse, panel: Panel, n_forms: int, clock: Clock | None = None
    ) -> tuple[NDArray[np.float64], int]:
        """Return embeddings in the first forms, then what is read of the series themselves.

        At least one form is read; others only if it seems that the clock allows for them.
        How many were read is returned, too.
        """
        n_windows = count_windows(panel, network.config.context_length, self.length)
        parts: list[Floats] = []
        with self._progress(n_forms * n_windows) as progress:
            for form in FORMS[self.length][:n_forms]:
                if parts and clock and clock.share * (1 + 1 / len(parts)) > _EMBEDDING_SHARE:
                    break
                parts.append(self._extract_form(network, panel, form, progress))
        values = [values_of(panel)] if self._reads_values else []
        return np.hstack([*parts, *values, levels_of(panel)]), len(parts)

    def _extract_form(
        self, network: TSPulse, panel: Panel, form: Form, progress: Progress | None
    ) -> NDArray[np.float32]:
        config = network.config
        vectors = Vectors(_read_registers, config.n_registers * config.d_model, self.length)
        step = max(1, _BLOCK_ROWS // self.n_channels_in_)
        parts = []
        for block in (panel[first : first + step] for first in range(0, len(panel), step)):
            shape = (len(block), self.n_channels_in_)
            series = map(form, block)
            found = embed(network, series, shape, vectors, self.batch_size, progress)
            parts.append(_join_channels(found))
        return np.vstack(parts)


class Layout(NamedTuple):
    """How many columns of each kind stand side by side."""

    n_forms: int
    n_embedded: int  # of all forms
    n_values: int
    n_levels: int

    def split(self, features: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return embeddings, values and levels apart."""
        embedded, values, levels = np.split(
            features, np.cumsum([self.n_embedded, self.n_values]), axis=-1
        )
        return embedded, values, levels

    def groups(self, length: Length) -> list[NDArray[np.intp]]:
        """Return the columns that models are fitted to.

        All but values are the first group, levels one of the others. Where several forms were
        read, there is one of the smooth forms. Where there are values, they are a group, and
        the series as they are another: what goes on without an end has no pace or halves.
        """
        embedded, values, levels = self.split(np.arange(sum(self[1:])))
        forms = FORMS[length][: self.n_forms]
        by_form = dict(zip(forms, np.split(embedded, self.n_forms), strict=True))
        smooth = [columns for form, columns in by_form.items() if form in SMOOTH_FORMS]
        groups = [np.append(embedded, levels), levels]
        if smooth and self.n_forms > 1:
            groups.append(np.concatenate(smooth))
        if self.n_values:
            groups += [values, *([by_form[unchanged]] if unchanged in by_form else [])]
        return groups


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


def values_of(panel: Panel) -> NDArray[np.float64]:
    """Return the values of every channel at points evenly spaced from the first to the last."""
    n_points = _n_points(len(panel[0]))
    return np.array([resample(series, n_points).ravel() for series in panel], dtype=np.float64)


def _n_points(n_channels: int) -> int:
    return max(2, min(_MAX_POINTS, _MAX_VALUES // n_channels))


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

    def scale(self, values: Floats) -> Floats:
        """Measure values of channels, ``(n_series, n_channels * n_points)``, in usual distances."""
        unit = np.hypot(np.where(np.isinf(self.spread), 0, self.spread), self.unit)
        centre, unit = (np.repeat(one, values.shape[1] // len(one)) for one in (self.centre, unit))
        far: Floats = np.nan_to_num((values - centre) / unit)
        return far.clip(-_FARTHEST, _FARTHEST)


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
    """Scaling of what ``_extract`` returns: embeddings, values, and levels with scales."""

    layout: Layout
    levels: Levels
    standards: tuple[_Standard, ...]

    @classmethod
    def of(cls, rows: Rows, layout: Layout) -> Self:
        levels = Levels.of(layout.split(rows.features)[2], rows.weights)
        parts = _measured(rows.features, layout, levels)
        limits = ((_ROUNDING, 1.0), (_FLAT, 1.0), (_FLAT, _LEVEL_SHARE))
        pairs = zip(parts, limits, strict=True)
        return cls(
            layout, levels, tuple(_Standard.of(part, rows.weights, *limit) for part, limit in pairs)
        )

    def __call__(self, features: Floats) -> Floats:
        parts = _measured(features, self.layout, self.levels)
        return np.hstack([scale(part) for scale, part in zip(self.standards, parts, strict=True)])


def _measured(features: Floats, layout: Layout, levels: Levels) -> tuple[Floats, Floats, Floats]:
    """Return embeddings as they are, and the rest without the units of channels."""
    embedded, values, moments = layout.split(features)
    return embedded, levels.scale(values) if layout.n_values else values, levels(moments)


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
