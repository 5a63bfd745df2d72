"""Train the checkpoint that ships as ``tspulse-p8`` again.

    python examples/pretraining/pretrain_p8.py --data ../shared/data --output runs/p8

With the defaults this takes an hour and a half on two processor cores with bfloat16 units, and a
C++ compiler. Stop it whenever you like and give the same command again: it goes on where it was.
On an accelerator, raise ``--batch-size`` and ``--loaders``. For several processes put
``accelerate launch`` in the place of ``python`` and add ``--accelerate``.

Every 50th series is set aside; at the end the network fills gaps in windows of those.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from sktspulse import TSPulseImputer, TSPulsePretrainer
from sktspulse._corpus import Corpus, WindowStream
from sktspulse._masking import hybrid_mask

EVERY = 50
CONTEXT, PATCH = 512, 8


def split(folder: Path, output: Path) -> tuple[Path, Corpus]:
    """Write the part to train on as one file; return it, and the part set aside."""
    training, aside = Corpus.from_files(sorted(folder.glob("corpus-*.npz"))).split(EVERY)
    path = output / "corpus.npz"
    if not path.exists():
        output.mkdir(parents=True, exist_ok=True)
        draft = path.with_name("draft.npz")
        np.savez(draft, **vars(training))
        draft.replace(path)
    return path, aside


def validate(checkpoint: Path, aside: Corpus) -> dict[float, float]:
    """Return the error of the time head by share of hidden points [variance of the window]."""
    windows = WindowStream(aside, CONTEXT, 512, 0.0, False, 1).batch(0)
    imputer = TSPulseImputer("panel", blend=False, checkpoint=str(checkpoint)).fit(windows)
    errors = {}
    for ratio in (0.125, 0.25, 0.375, 0.5):
        generator = torch.Generator().manual_seed(5)
        observed = hybrid_mask(windows.shape, ratio, PATCH, generator).numpy()
        shown = np.where(observed, windows, np.nan)
        filled = imputer.transform(shown)
        wrong = np.where(observed, np.nan, filled - windows) ** 2
        scale = np.maximum(np.nanvar(windows, 1), 0.01)
        errors[ratio] = float(np.nanmean(np.nanmean(wrong, 1) / scale))
    return errors


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("runs/p8"))
    parser.add_argument("--epochs", type=int, default=94, help="of 500 steps")
    parser.add_argument("--decay", type=float, default=8 / 47, help="share of steps at the end")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--precision", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--loaders", type=int, default=0, help="processes that draw windows")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--accelerate", action="store_true", help="for several processes")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    accelerator = None
    if arguments.accelerate:
        from accelerate import Accelerator

        accelerator = Accelerator()
    path, aside = split(arguments.data / "pretrain", arguments.output)
    pretrainer = TSPulsePretrainer(
        max_epochs=arguments.epochs,
        decay=arguments.decay,
        batch_size=arguments.batch_size,
        lr=arguments.lr,
        precision=arguments.precision,
        compile=arguments.compile,
        n_loaders=arguments.loaders,
        path=arguments.output,
        resume=True,
        accelerator=accelerator,
        random_state=0,
        verbose=1,
    ).fit(path)
    if accelerator is None or accelerator.is_main_process:
        weights = arguments.output / "tspulse-p8.safetensors"
        pretrainer.save(weights)
        print(weights, {k: round(v, 4) for k, v in validate(weights, aside).items()})


if __name__ == "__main__":
    main()
