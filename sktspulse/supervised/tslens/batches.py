"""Labelled windows as batches for a TSLens."""

from __future__ import annotations

import numpy as np
from torch import Generator, Tensor
from torch.utils.data import default_collate

from ...embedding import Windowing, context_windows
from ...network import hybrid_mask
from ...series import Flags, Floats, Indices, Panel, Values

__all__ = ["Batch", "MaskedCollate", "average_windows", "cut_panel", "validation_mask"]

Batch = tuple[dict[str, Tensor], dict[str, Tensor]]


def cut_panel(panel: Panel, context_length: int, windowing: Windowing) -> tuple[Values, Indices]:
    """Return the windows of all series, ``(n, C, T)``, and the index of the series of each."""
    windows = [
        np.concatenate(list(context_windows(series, context_length, windowing))) for series in panel
    ]
    owners = np.repeat(np.arange(len(windows)), [len(one) for one in windows])
    return np.concatenate(windows).astype(np.float32), owners


def average_windows(outputs: Values, owners: Indices) -> Floats:
    """Average the outputs of the windows of each series."""
    sums = np.zeros((owners[-1] + 1, outputs.shape[1]))
    np.add.at(sums, owners, outputs)
    return np.asarray(sums / np.bincount(owners)[:, None])


class MaskedCollate:
    """Join examples of a dataset to a batch in which some of the known points are hidden.

    Examples are values with NaN where missing, moments, target and weight.
    """

    def __init__(self, mask_fraction: float, patch_length: int, generator: Generator) -> None:
        self.mask_fraction = mask_fraction
        self.patch_length = patch_length
        self.generator = generator

    def __call__(self, examples: list[tuple[Tensor, ...]]) -> Batch:
        """Return inputs of the network, and targets with weights."""
        x, moments, targets, weights = default_collate(examples)
        observed = ~x.isnan()
        if self.mask_fraction > 0:
            shape = (len(x), 1, x.shape[-1])  # the same points in all channels
            shown = hybrid_mask(shape, self.mask_fraction, self.patch_length, self.generator)
            observed = observed & shown
        inputs = {"x": x.nan_to_num(), "observed": observed, "moments": moments}
        return inputs, {"targets": targets, "weights": weights}


def validation_mask(targets: Values, fraction: float, rng: np.random.Generator) -> Flags:
    """Choose validation series, spread evenly over classes or over the range of the first target.

    The only member of a class is never chosen.
    """
    keys = targets if targets.ndim == 1 else targets[:, 0]
    order = np.lexsort([rng.random(len(keys)), keys])
    if targets.ndim == 1:
        order = order[(np.bincount(targets)[targets] > 1)[order]]
    # A series is chosen wherever the cumulated fraction passes a half.
    passed = np.floor(np.arange(len(order) + 1) * fraction + 0.5)
    chosen = np.zeros(len(keys), dtype=bool)
    chosen[order[np.diff(passed) > 0]] = True
    return chosen
