"""Imputation: squared error of gaps filled by the network alone, mean over four shares of points.

The protocol is that of the benchmark of imputation, whose parts are used here, and which tells
what the imputer makes of a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from imputation import PUBLISHED, RATIOS, load, masks, score

from sktspulse import TSPulseImputer

from . import Checkpoints, Row

Fill = Callable[[np.ndarray], np.ndarray]


def rows(data: Path, checkpoints: Checkpoints, every: int = 7) -> Iterator[Row]:
    """Yield rows; ``every`` so-many-th window is a case, an odd number to meet all hours."""
    for name in dict.fromkeys(name for name, _ in PUBLISHED):
        train, windows = load(data, name)
        fills = {method: filler(one, train) for method, one in checkpoints.items()}
        for kind in ("hybrid", "block"):
            settings = (f"window step {every}", "", f"{name} {kind} MSE")
            for method, fill in fills.items():
                value = mean_error(fill, windows[::every], kind)
                yield Row("imputation", *settings, method, value)
            value = float(np.mean(PUBLISHED[name, kind]))
            yield Row("imputation", *settings, "TSPulse, published", published=value)


def filler(checkpoint: str, train: np.ndarray) -> Fill:
    return TSPulseImputer(checkpoint=checkpoint, blend=False, random_state=0).fit(train).transform


def mean_error(fill: Fill, windows: np.ndarray, kind: str) -> float:
    shown = [masks(windows.shape, kind, ratio) for ratio in RATIOS]
    return float(np.mean([score(fill, windows, one)["mse"] for one in shown]))
