"""The frozen network under a linear head: what classifier and regressor share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base import BaseTSPulse, TimeBudget
from ...embedding import EmbeddingSpec, Windowing, count_windows, embed_panel
from ...network import Progress, TSPulse
from ...series import Panel, Values, check_panel
from .features import Layout, _n_points, _Scaling, levels_of, values_of
from .logistic import LogisticHead
from .representations import FORMS, Form
from .ridge import RidgeHead
from .samples import as_set

__all__ = ["BaseProbe"]

_MAX_CONCATENATED = 32  # channels; of more, mean and deviation over them are kept
_BLOCK_ROWS = 4096  # channels of series embedded at once
_EMBEDDING_SHARE = 0.6  # of the time, after which no other form is read


class BaseProbe(BaseTSPulse):
    """Base of the estimators that put a linear head on the frozen network.

    Subclasses have the parameters of ``BaseTSPulse`` and ``length``.
    """

    n_forms_: int
    _reads_values = False  # whether the values themselves are features, too

    @property
    def _windowing(self) -> Windowing:
        return "resample" if self.length == "resample" else "sliding"

    def _check_parameters(self) -> None:
        self._check_choice("length", ("resample", "window"))
        self._check_count("batch_size")

    def _fit_probe(
        self,
        features: Values,
        targets: Any,
        weights: Values,
        head: LogisticHead | RidgeHead,
        clock: TimeBudget,
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
        self, network: TSPulse, panel: Panel, n_forms: int, clock: TimeBudget | None = None
    ) -> tuple[NDArray[np.float64], int]:
        """Return embeddings in the first forms, then what is read of the series themselves.

        At least one form is read; others only if it seems that the clock allows for them.
        How many were read is returned, too.
        """
        n_windows = count_windows(panel, network.config.context_length, self._windowing)
        parts: list[Values] = []
        with self._progress(n_forms * n_windows) as progress:
            for form in FORMS[self.length][:n_forms]:
                if (
                    parts
                    and clock
                    and clock.spent_fraction * (1 + 1 / len(parts)) > _EMBEDDING_SHARE
                ):
                    break
                parts.append(self._extract_form(network, panel, form, progress))
        values = [values_of(panel)] if self._reads_values else []
        return np.hstack([*parts, *values, levels_of(panel)]), len(parts)

    def _extract_form(
        self, network: TSPulse, panel: Panel, form: Form, progress: Progress | None
    ) -> NDArray[np.float32]:
        spec = EmbeddingSpec(("semantic",), self._windowing)
        step = max(1, _BLOCK_ROWS // self.n_channels_in_)
        parts = []
        for block in (panel[first : first + step] for first in range(0, len(panel), step)):
            series = [form(one) for one in block]
            found = embed_panel(network, series, spec, self.batch_size, progress)
            parts.append(_join_channels(found))
        return np.vstack(parts)


def _join_channels(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn ``(n_series, n_channels, n_features)`` into a row a series."""
    if vectors.shape[1] > _MAX_CONCATENATED:
        vectors = np.stack([vectors.mean(1), vectors.std(1)], axis=1)
    return vectors.reshape(len(vectors), -1)


class Probe(NamedTuple):
    """A linear head on scaled features."""

    scaling: _Scaling
    coefficients: Values  # (n_outputs, n_features)
    intercept: Values  # (n_outputs,)

    def __call__(self, features: Values) -> NDArray[np.float64]:
        # Unlike a matrix product, this adds up a row in the same order whatever the others.
        sums = np.einsum("np,kp->nk", self.scaling(features), self.coefficients)
        return np.asarray(sums + self.intercept)
