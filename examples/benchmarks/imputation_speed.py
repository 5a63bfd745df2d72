"""Time imputation of a long table beside the pipeline of granite-tsfm, where that is installed.

    python examples/benchmarks/imputation_speed.py --output docs/benchmarks

A fifth of the values of seven channels is missing. The pipeline lays a window at every time
point, so it gets a piece of the table and its time grows in proportion; its network has random
weights, which take as long as any. Seconds are those of the processor, all threads added up.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from measures import tables

from sktspulse import TSPulseImputer
from sktspulse.datasets import make_gappy_series

CHANNELS = [f"c{i}" for i in range(7)]


def table(n_timepoints: int) -> pd.DataFrame:
    _, complete = make_gappy_series(n_timepoints, len(CHANNELS), random_state=0)
    missing = np.random.default_rng(0).random(complete.shape) < 0.2
    index = pd.date_range("2020-01-01", periods=n_timepoints, freq="min")
    return pd.DataFrame(np.where(missing, np.nan, complete), index=index, columns=CHANNELS)


def granite(batch_size: int | None) -> Callable[[pd.DataFrame], object]:
    """Return the pipeline of granite-tsfm around a network of the published sizes."""
    from tsfm_public import TimeSeriesImputationPipeline, TimeSeriesPreprocessor
    from tsfm_public.models.tspulse import TSPulseConfig, TSPulseForReconstruction

    sizes = {
        "context_length": 512,
        "patch_length": 8,
        "patch_stride": 8,
        "d_model": 24,
        "num_layers": 8,
        "decoder_num_layers": 2,
        "decoder_d_model": 24,
        "num_input_channels": len(CHANNELS),
        "mask_type": "user",
    }
    model = TSPulseForReconstruction(TSPulseConfig(**sizes)).eval()

    def fill(frame: pd.DataFrame) -> object:
        long = frame.reset_index(names="time")
        preprocessor = TimeSeriesPreprocessor(
            timestamp_column="time",
            target_columns=CHANNELS,
            context_length=512,
            prediction_length=0,
            scaling=True,
            encode_categorical=False,
            scaler_type="standard",
        )
        preprocessor.train(long)
        more = {} if batch_size is None else {"batch_size": batch_size}
        pipeline = TimeSeriesImputationPipeline(
            model, feature_extractor=preprocessor, device="cpu", **more
        )
        return pipeline(long)

    return fill


def rows(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    imputers = {"TSPulseImputer": {}, "TSPulseImputer(blend=False)": {"blend": False}}
    for n_timepoints in (arguments.piece, arguments.rows):
        for name, settings in imputers.items():
            imputer = TSPulseImputer(random_state=0, **settings)
            yield timed(name, imputer.fit_transform, table(n_timepoints))
    if importlib.util.find_spec("tsfm_public"):
        for name, size in (("granite-tsfm, defaults", None), ("granite-tsfm, batches of 64", 64)):
            yield timed(name, granite(size), table(arguments.piece))


def timed(name: str, fill: Callable[[pd.DataFrame], object], frame: pd.DataFrame) -> dict:
    started = time.process_time()
    fill(frame)
    seconds = time.process_time() - started
    each = 1e6 * seconds / frame.size
    return {
        "method": name,
        "rows": len(frame),
        "processor s": round(seconds, 1),
        "us per value": round(each, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--rows", type=int, default=70_000)
    parser.add_argument("--piece", type=int, default=2_000)
    arguments = parser.parse_args()
    found = []
    for row in rows(arguments):
        print(*row.values(), flush=True)
        found.append(row)
    tables.write(found, arguments.output / "imputation-speed.csv")


if __name__ == "__main__":
    main()
