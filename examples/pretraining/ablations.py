"""Take the parts of the network and of its training away, one at a time, at equal compute.

    python examples/pretraining/ablations.py --data ../shared/data --output runs/ablations

Every row trains the sizes of ``tspulse-p8`` from the same seed on the same number of windows and
is measured on series held out from the corpus. Small runs show a tendency, not exact numbers.
Finished rows are kept, so that an interrupted run continues with the next one.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import holdout
import torch

from sktspulse import OptimizerOptions, TSPulseConfig, TSPulsePretrainer, WindowSampling
from sktspulse.pretraining import Corpus

NO_REGISTERS = TSPulseConfig(n_registers=0, n_signature_bins=0, forecast_length=0)
VARIANTS: dict[str, dict[str, Any]] = {
    "all": {},
    "no dual space": {"config": TSPulseConfig(dual_space=False, frequency_head=False)},
    "no hybrid masks: whole patches only": {"windows": WindowSampling(block_fraction=(1.0, 1.0))},
    "no registers": {"config": NO_REGISTERS},
    "no signature": {"loss_weights": {"signature": 0.0}},
    "no agreement, no alignment": {"loss_weights": {"agreement": 0.0, "alignment": 0.0}},
    "no alignment": {"loss_weights": {"alignment": 0.0}},
}
SETTINGS: dict[str, Any] = {
    "batch_size": 96,
    "steps_per_epoch": 100,
    "optimizer": OptimizerOptions(warmup_steps=50, decay_fraction=0.5, ema_decay=0.99),
}


def row(
    name: str, corpus: Path, held_out: Corpus, arguments: argparse.Namespace
) -> dict[str, object]:
    """Train one variant and measure it."""
    folder = arguments.output / name.replace(" ", "-").replace(":", "")
    pretrainer = TSPulsePretrainer(
        **SETTINGS,
        **VARIANTS[name],
        max_epochs=arguments.epochs,
        precision=arguments.precision,
        compile=arguments.compile,
        path=folder,
        resume=True,
        random_state=0,
        verbose=1,
    ).fit(corpus)
    weights = folder / "final.safetensors"
    pretrainer.save(weights)
    measured = {key: round(value, 3) for key, value in holdout.measure(weights, held_out).items()}
    return {"variant": name, "windows": 96 * pretrainer.n_steps_, **measured}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--table", type=Path, default=Path("docs/benchmarks/ablations.csv"))
    parser.add_argument("--epochs", type=int, default=6, help="of 100 steps of 96 windows")
    parser.add_argument("--precision", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    corpus, held_out = holdout.split(arguments.data / "pretrain", arguments.output)
    table = []
    for name in VARIANTS:
        table.append(row(name, corpus, held_out, arguments))
        print(*table[-1].values(), flush=True)
        with arguments.table.open("w", newline="") as file:
            writer = csv.DictWriter(file, table[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)


if __name__ == "__main__":
    main()
