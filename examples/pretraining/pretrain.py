"""Train a checkpoint that ships with the package again, or further.

    python examples/pretraining/pretrain.py tspulse-p8 --data ../shared/data --output runs/p8

Stop it at any time and run the same command again: it continues where it was. With
``--start tspulse-p8`` it starts from the shipped weights instead of random ones. On a GPU, raise
``--batch-size`` and ``--num-workers``. For several processes write ``accelerate launch`` instead of
``python`` and add ``--accelerate``.

Every 50th series is held out; at the end the network is measured on those.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import holdout
import torch

from sktspulse import OptimizerOptions, TSPulseConfig, TSPulsePretrainer, WindowSampling

RECIPES: dict[str, dict[str, Any]] = {
    "tspulse-p8": {
        "config": TSPulseConfig(),
        # A resolution that is listed more than once is drawn as often.
        "windows": WindowSampling(resolutions=(0.125, 0.25, 0.5, 1, 1, 1, 1, 2, 4, 8)),
        "loss_weights": {"signature": 0.5},
    },
    "tspulse-p16": {
        "config": TSPulseConfig(
            patch_length=16, d_model=48, n_registers=5, frequency_head=False, forecast_length=0
        ),
        "windows": WindowSampling(
            resolutions=(0.125, 0.25, 0.5, 1, 2, 4), block_fraction=(1.0, 1.0)
        ),
    },
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", default=None, help="checkpoint to start from")
    parser.add_argument("--epochs", type=int, default=250, help="of 250 steps")
    parser.add_argument("--decay-fraction", type=float, default=0.4, help="of all steps")
    parser.add_argument("--batch-size", type=int, default=96)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--ema-decay", type=float, default=0.999)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--num-workers", type=int, default=0, help="processes that draw windows")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--accelerate", action="store_true", help="for several processes")
    return parser.parse_args()


def pretrainer(arguments: argparse.Namespace, accelerator: Any) -> TSPulsePretrainer:
    return TSPulsePretrainer(
        **RECIPES[arguments.name],
        checkpoint=arguments.start,
        max_epochs=arguments.epochs,
        steps_per_epoch=250,
        batch_size=arguments.batch_size,
        lr=arguments.lr,
        optimizer=OptimizerOptions(
            decay_fraction=arguments.decay_fraction, ema_decay=arguments.ema_decay
        ),
        precision=arguments.precision,
        compile=arguments.compile,
        num_workers=arguments.num_workers,
        path=arguments.output,
        resume=True,
        accelerator=accelerator,
        random_state=arguments.seed,
        verbose=1,
    )


def main() -> None:
    arguments = parse()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    accelerator = None
    if arguments.accelerate:
        from accelerate import Accelerator

        accelerator = Accelerator()
    path, held_out = holdout.split(arguments.data / "pretrain", arguments.output)
    trained = pretrainer(arguments, accelerator).fit(path)
    if accelerator is None or accelerator.is_main_process:
        weights = arguments.output / f"{arguments.name}.safetensors"
        trained.save(weights)
        print(weights, {k: round(v, 3) for k, v in holdout.measure(weights, held_out).items()})


if __name__ == "__main__":
    main()
