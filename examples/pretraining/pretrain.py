"""Train a checkpoint that ships with the package again, or further.

    python examples/pretraining/pretrain.py tspulse-p8 --data ../shared/data --output runs/p8

Stop it whenever you like and give the same command again: it goes on where it was. With
``--start tspulse-p8`` it begins from the shipped weights instead of random ones. On an
accelerator, raise ``--batch-size`` and ``--loaders``. For several processes put
``accelerate launch`` in the place of ``python`` and add ``--accelerate``.

Every 50th series is set aside; at the end the network is measured on those.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import aside
import torch

from sktspulse import TSPulseConfig, TSPulsePretrainer

RECIPES: dict[str, dict[str, Any]] = {
    "tspulse-p8": {
        "config": TSPulseConfig(),
        # What is listed more than once is drawn as often.
        "resolutions": (0.125, 0.25, 0.5, 1, 1, 1, 1, 2, 4, 8),
        "loss_weights": {"signature": 0.5},
    },
    "tspulse-p16": {
        "config": TSPulseConfig(
            patch_length=16, d_model=48, n_registers=5, frequency_head=False, forecast_length=0
        ),
        "block_share": (1.0, 1.0),
        "resolutions": (0.125, 0.25, 0.5, 1, 2, 4),
    },
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", default=None, help="checkpoint to begin from")
    parser.add_argument("--epochs", type=int, default=250, help="of 250 steps")
    parser.add_argument("--decay", type=float, default=0.4, help="share of steps at the end")
    parser.add_argument("--batch-size", type=int, default=96)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--averaging", type=float, default=0.999)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--loaders", type=int, default=0, help="processes that draw windows")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--accelerate", action="store_true", help="for several processes")
    return parser.parse_args()


def pretrainer(arguments: argparse.Namespace, accelerator: Any) -> TSPulsePretrainer:
    return TSPulsePretrainer(
        **RECIPES[arguments.name],
        checkpoint=arguments.start,
        max_epochs=arguments.epochs,
        steps_per_epoch=250,
        decay=arguments.decay,
        batch_size=arguments.batch_size,
        lr=arguments.lr,
        averaging=arguments.averaging,
        precision=arguments.precision,
        compile=arguments.compile,
        n_loaders=arguments.loaders,
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
    path, held = aside.split(arguments.data / "pretrain", arguments.output)
    trained = pretrainer(arguments, accelerator).fit(path)
    if accelerator is None or accelerator.is_main_process:
        weights = arguments.output / f"{arguments.name}.safetensors"
        trained.save(weights)
        print(weights, {k: round(v, 3) for k, v in aside.measure(weights, held).items()})


if __name__ == "__main__":
    main()
