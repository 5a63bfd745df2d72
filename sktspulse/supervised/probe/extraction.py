"""What the members of a probe see in series: embeddings, kernels, transformed values, levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from ...embedding import EmbeddingSpec, Windowing, embed_panel
from ...network import Network, Progress
from ...series import Floats, Panel, Values, stacks
from ..levels import level_features
from .features import Layout, n_sampled_points, sampled_values
from .kernels import KernelBank
from .representations import REPRESENTATIONS, Representation
from .shapes import standard_shapes

__all__ = ["FeatureExtractor", "NetworkReader"]

_MAX_CONCATENATED = 32  # channels; of more, mean and standard deviation over them are kept
_LARGEST = 1e100  # feature of a transformer, so that squares are finite
_BLOCK_ROWS = 4096  # channels of series embedded at once


class NetworkReader(NamedTuple):
    """The network, and how it reads series."""

    network: Network
    batch_size: int
    progress: Progress | None

    def embed(self, panel: Panel, representation: Representation, windowing: Windowing) -> Values:
        """Return a row of embeddings of each series."""
        spec = EmbeddingSpec(("semantic",), windowing)
        step = max(1, _BLOCK_ROWS // len(panel[0]))
        blocks = []
        for first in range(0, len(panel), step):
            part = panel[first : first + step]
            series = [one for block in stacks(part) for one in representation(block)]
            embedded = embed_panel(self.network, series, spec, self.batch_size, self.progress)
            blocks.append(_join_channels(embedded))
        return np.vstack(blocks)


def _join_channels(embedded: Values) -> Values:
    """Turn ``(n_series, n_channels, n_features)`` into one row for each series."""
    if embedded.shape[1] > _MAX_CONCATENATED:
        embedded = np.stack([embedded.mean(1), embedded.std(1)], axis=1)
    return embedded.reshape(len(embedded), -1)


class FeatureExtractor(NamedTuple):
    """Turn series into features of the linear models."""

    windowing: Windowing
    n_representations: int  # embedded; 0 without the network
    n_points: int  # of each channel whose values are features
    kernels: KernelBank | None
    transformers: tuple[Any, ...]

    @classmethod
    def fit(
        cls,
        members: Sequence[Any],
        panel: Panel,
        windowing: Windowing,
        n_representations: int,
        uses_values: bool,
    ) -> Self:
        """Choose what depends on the length of series, and fit copies of the transformers."""
        from sklearn.base import clone

        others = [one for one in members if not isinstance(one, str)]
        return cls(
            windowing,
            n_representations if "network" in members else 0,
            n_sampled_points(panel) if uses_values else 0,
            KernelBank.fit(standard_shapes(panel)) if "kernels" in members else None,
            tuple(clone(one).fit(_as_given(panel)) for one in others),
        )

    def __call__(self, reader: NetworkReader, panel: Panel) -> tuple[Floats, Layout]:
        """Return embeddings, kernels, transformed series, sampled values, levels, durations."""
        names = REPRESENTATIONS[self.windowing][: self.n_representations]
        embedded = [reader.embed(panel, name, self.windowing) for name in names]
        kernels = [self.kernels(standard_shapes(panel))] if self.kernels else []
        transformed = [_transform(one, panel) for one in self.transformers]
        values = [sampled_values(panel, self.n_points)] if self.n_points else []
        levels = level_features(panel)
        kinds = embedded, kernels, transformed, values
        widths = [tuple(part.shape[1] for part in parts) for parts in kinds]
        layout = Layout(sum(widths[0]), sum(widths[1]), widths[2], sum(widths[3]), levels.shape[1])
        durations = np.log([[series.shape[1]] for series in panel])
        parts = [*embedded, *kernels, *transformed, *values, levels, durations]
        return np.hstack(parts), layout


def _as_given(panel: Panel) -> Any:
    """Return a copy, ``(n_series, n_channels, n_timepoints)``, or a list if lengths differ."""
    lengths = {series.shape[1] for series in panel}
    return np.stack(list(panel)) if len(lengths) == 1 else [series.copy() for series in panel]


def _transform(transformer: Any, panel: Panel) -> Floats:
    """Return a row of finite numbers for each series, or raise ValueError."""
    from scipy.sparse import issparse

    name = type(transformer).__name__
    found = transformer.transform(_as_given(panel))
    features = np.asarray(found.toarray() if issparse(found) else found, dtype=np.float64)
    if len(features) != len(panel):
        raise ValueError(
            f"{name} gave {len(features)} rows for {len(panel)} series, expected one for each. "
            "Make a transformer of panels, (n_series, n_channels, n_timepoints), a member."
        )
    features = features.reshape(len(panel), -1)
    n_bad = int((~(np.abs(features) <= _LARGEST)).any(1).sum())
    if n_bad:
        raise ValueError(
            f"{name} gave features that are missing or above {_LARGEST:g} for {n_bad} of "
            f"{len(panel)} series, expected finite numbers. Put it in a pipeline with a "
            "SimpleImputer."
        )
    return features
