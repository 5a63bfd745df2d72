"""Anomalies: how well do the errors of hidden patches point at the labelled stretches?

A series is standardised as a whole and cut into windows of 512, one every 63 points, so that a
point takes every place in its patch. Eight passes hide every eighth patch in turn, so that each
patch is reconstructed once without having been seen. The squared errors of overlapping windows
are averaged, then smoothed: by a moving average, or by four, each read as how rare it is in the
recording, of which the mean is taken, as the detector does. The score is VUS-PR as TSB-AD has it,
averaged over 21 of its univariate files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import uniform_filter1d

from sktspulse.anomaly import HeadCalibration, choose_lengths
from sktspulse.metrics import find_period, vus_pr_score
from sktspulse.network import TSPulse, infer, load_checkpoint, standardize
from sktspulse.series import Stitcher, take_windows, window_starts

from . import Checkpoints, Row, tables

STRIDE, N_PASSES, BATCH_SIZE = 63, 8, 32
SMOOTHINGS = (8, 32, 64, 96, 128)  # points; the published network looks at 96 at a time
# Name in the table: column of the published ones.
PUBLISHED = {
    "TSPulse, time, published": "TSPulse ZS time",
    "TSPulse, frequency, published": "TSPulse ZS fft",
    "TSPulse, ensemble, published": "TSPulse ZS ensemble",
    "POLY, published": "POLY",
    "MOMENT, zero-shot, published": "MOMENT (ZS)",
    "Sub-PCA, published": "Sub-PCA",
}


class Recording(NamedTuple):
    """One file of the benchmark."""

    name: str
    values: np.ndarray  # (n_timepoints,), standardised
    labels: np.ndarray
    period: int


def rows(data: Path, checkpoints: Checkpoints) -> Iterator[Row]:
    folder = data / "eval" / "anomaly"
    networks = {name: load_checkpoint(checkpoint) for name, checkpoint in checkpoints.items()}
    measured: dict[tuple[str, str], list[float]] = {}
    for recording in recordings(folder / "U"):
        for method, errors in scores(recording.values, networks):
            for name, smooth in smoothed(errors):
                value = vus_pr_score(recording.labels, smooth, window=recording.period)
                measured.setdefault((method, f"VUS-PR, {name}"), []).append(value)
    for (method, metric), values in measured.items():
        yield Row("anomaly", "mean of files", "", metric, method, float(np.mean(values)))
    yield from published(folder / "U-published-vus-pr.csv")


def recordings(folder: Path) -> Iterator[Recording]:
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as archive:
            values = standardize(archive["x"][:, 0].astype(np.float64)).values
            yield Recording(path.stem, values, archive["label"], find_period(values))


def smoothed(errors: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the errors smoothed in each way, with its name."""
    for length in SMOOTHINGS:
        yield f"average of {length}", uniform_filter1d(errors, length, mode="nearest")
    lengths = choose_lengths("auto", len(errors))
    calibration = HeadCalibration.fit("time", errors, lengths, trailing=False)
    yield "averages of the detector", calibration(errors)


def scores(values: np.ndarray, networks: dict[str, TSPulse]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every method with its error at each time point."""
    for name, network in networks.items():
        errors = hidden_errors(network, values)
        for head, one in zip(heads(network), errors, strict=True):
            yield f"{name}, {head}", one
        if len(errors) > 1:
            yield f"{name}, mean of both", errors.mean(0)
    yield "squared z-score", values**2


def heads(network: TSPulse) -> tuple[str, ...]:
    return ("time", "frequency") if network.config.frequency_head else ("time",)


def hidden_errors(network: TSPulse, values: np.ndarray) -> np.ndarray:
    """Return the squared errors of each head at points it did not see: ``(heads, T)``."""
    length = network.config.context_length
    n_missing = max(0, length - len(values))
    padded = np.pad(values, (n_missing, 0), constant_values=np.nan)
    starts = window_starts(len(padded), length, STRIDE)
    windows = take_windows(padded[None], starts, length)  # (n, 1, T)
    errors = np.square(reconstruct_hidden(network, windows[:, 0]) - windows)
    stitcher = Stitcher(len(heads(network)), len(padded), length, taper=False)
    stitcher.add(starts, np.nan_to_num(errors))
    return stitcher.mean()[:, n_missing:]


def reconstruct_hidden(network: TSPulse, windows: np.ndarray) -> np.ndarray:
    """Reconstruct each patch from a window that lacks it: ``(n, T)`` -> ``(n, heads, T)``."""
    patches = np.arange(windows.shape[1]) // network.config.patch_length
    hidden = patches % N_PASSES == np.arange(N_PASSES)[:, None]  # (P, T)
    shown = np.where(hidden, np.nan, windows[:, None])  # (n, P, T)
    flat = shown.reshape(-1, shown.shape[-1]).astype(np.float32)
    answer = infer(network, flat, _read, batch_size=BATCH_SIZE)
    parts = answer.reshape(*shown.shape[:2], *answer.shape[1:])
    return np.where(hidden[:, None], parts, 0).sum(1)


def _read(network: TSPulse, x: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
    prediction = network(x, observed)
    return torch.cat([prediction.in_units(head) for head in heads(network)], 1)


def published(path: Path) -> Iterator[Row]:
    table = tables.read(path)
    for method, column in PUBLISHED.items():
        value = float(np.mean([float(row[column]) for row in table]))
        yield Row("anomaly", "mean of files", "", "VUS-PR, as published", method, published=value)
