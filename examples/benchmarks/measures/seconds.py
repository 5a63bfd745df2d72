"""Print how long detector and imputer take, as JSON: run with the package to time on PYTHONPATH.

Seconds are of the processor, the least of three turns, so that what else runs counts little.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np

from sktspulse import TSPulseAnomalyDetector, TSPulseImputer

N_FIT, N_SCORED, N_TURNS = 3000, 10_000, 3


def recording(n: int, n_channels: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    cycle = np.sin(2 * np.pi * np.arange(n) / 24)
    return cycle[:, None] + 0.1 * rng.normal(size=(n, n_channels))


def least(function: Callable[[], object]) -> float:
    seconds = []
    for _ in range(N_TURNS):
        started = time.process_time()
        function()
        seconds.append(time.process_time() - started)
    return round(min(seconds), 3)


def main() -> None:
    found = {}
    for n_channels in (1, 3):
        x = recording(N_FIT + N_SCORED, n_channels)
        detector = TSPulseAnomalyDetector(device="cpu")
        name = f"{n_channels} channel{'s' if n_channels > 1 else ''}"
        found[f"fit {N_FIT}, {name}"] = least(lambda x=x, one=detector: one.fit(x[:N_FIT]))
        found[f"score {N_SCORED}, {name}"] = least(
            lambda x=x, one=detector: one.score_samples(x[N_FIT:])
        )
        gaps = x[:N_SCORED].copy()
        gaps[np.random.default_rng(1).random(gaps.shape) < 0.2] = np.nan
        imputer = TSPulseImputer(device="cpu", random_state=0)
        found[f"fill {N_SCORED}, {name}"] = least(lambda x=gaps, one=imputer: one.fit_transform(x))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
