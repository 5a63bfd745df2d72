"""Long tables of devices, and estimators that answer at once."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from estimator_cases import checkpoint

from sktspulse import (
    TSPulseAnomalyDetector,
    TSPulseClassifier,
    TSPulseImputer,
    TSPulseTransformer,
)

NAMES = ("pump", "hour")
ROLES = {"by": "pump", "time": "hour"}


def table(lengths: tuple[int, ...] = (120, 90, 150, 120), seed: int = 0) -> pd.DataFrame:
    """Make a table sorted by pump and hour, with two channels, gaps and a constant column."""
    rng = np.random.default_rng(seed)
    parts = []
    for number, n in enumerate(lengths):
        hour = pd.date_range("2026-01-01", periods=n, freq="h")
        flow = np.sin(np.arange(n) / (3 + number)) + 0.2 * rng.normal(size=n)
        heat = np.cos(np.arange(n) / 7).astype(np.float32)
        part = pd.DataFrame({"pump": f"p{number}", "hour": hour, "flow": flow, "heat": heat})
        part.loc[part.index[rng.random(n) < 0.1], "flow"] = np.nan
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def series(frame: pd.DataFrame, pump: str) -> pd.DataFrame:
    """Return the channels of one pump."""
    own = frame[frame["pump"] == pump].sort_values("hour")
    return own.set_index("hour")[["flow", "heat"]]


def panel(frame: pd.DataFrame) -> tuple[list[np.ndarray], list[str]]:
    """Return all pumps as a panel, and their names."""
    names = list(dict.fromkeys(frame["pump"]))
    return [series(frame, name).to_numpy(float).T for name in names], names


@cache
def fitted(task: str) -> Any:
    """Return a fitted estimator for a task."""
    tiny: dict[str, Any] = {"checkpoint": checkpoint()}
    X, _ = panel(table())
    if task == "embed":
        return TSPulseTransformer(**tiny).fit(X)
    if task.startswith("predict"):
        members = {"members": ["network"], **tiny}
        return TSPulseClassifier(**members).fit(X * 3, ["low", "high", "low", "high"] * 3)
    if task == "impute":
        return TSPulseImputer(stride=32, random_state=0, **tiny).fit(series(table(), "p2"))
    return TSPulseAnomalyDetector(smoothing=8, **tiny).fit(series(table(), "p2"))
