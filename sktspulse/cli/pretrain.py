"""``sktspulse pretrain``: train a network on series without labels."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from .options import estimator_options, new_command, positive, summarized
from .panels import read_panel
from .tables import read_archive, table_format

__all__ = ["add_pretrain", "run_pretrain"]

_NOTES = """\
The shipped networks suit most series. Train one of your own only if you have many of an unusual
kind. Give long tables with --id; tables without, each one series; or corpora in .npz files, as
TSPulsePretrainer reads them. Channels are separate series. The folder gets the state after each
epoch, history.csv, and checkpoint.safetensors for the option --checkpoint of other commands.

  sktspulse pretrain machines/*.csv --time time -o run --epochs 20
  sktspulse detect new.csv -o scores.csv --checkpoint run/checkpoint.safetensors

It starts from --checkpoint, by default from random weights. One CPU core trains the default
network on about 300 windows a second. Files are read as a whole.
"""
_CORPUS = {"values", "offsets", "source"}


def add_pretrain(commands: Any) -> None:
    """Add the command."""
    parser = new_command(
        commands, "pretrain", run_pretrain, "Train a network.", _NOTES, reads="panel"
    )
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", required=True, type=Path, metavar="FOLDER")
    group.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    parser.add_argument("--epochs", type=positive, default=100, help="in all (default: 100)")
    parser.add_argument("--steps", type=positive, default=500, help="in an epoch (default: 500)")
    parser.add_argument("--batch-size", type=positive, default=64, help="windows (default: 64)")
    parser.add_argument("--lr", type=float, default=2e-3, help="learning rate (default: 0.002)")


def run_pretrain(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Train a network, and save it in a folder."""
    if not options.resume and any(options.output.glob("*.safetensors")):
        raise ValueError(
            f"{options.output} holds a run. Pass --resume to go on with it, or another folder."
        )
    is_corpus = all(map(_is_corpus, options.files))
    X = options.files if is_corpus else read_panel(options.files, options).X
    from ..pretraining import TSPulsePretrainer  # takes seconds, errors in files should not

    parameters = estimator_options(options)
    del parameters["n_jobs"]
    pretrainer = TSPulsePretrainer(
        max_epochs=options.epochs,
        steps_per_epoch=options.steps,
        batch_size=options.batch_size,
        lr=options.lr,
        path=options.output,
        resume=options.resume,
        random_state=options.seed,
        **parameters,
    )
    pretrainer.fit(X)
    losses = pretrainer.history_["loss"]
    n_steps, checkpoint = pretrainer.n_steps_, options.output / "checkpoint.safetensors"
    text = f"{n_steps:,} steps: loss {losses[0]:.3f} at first, {losses[-1]:.3f} now."
    return summarized(options, text, checkpoint, n_steps=n_steps, loss=losses[-1])


def _is_corpus(path: Path) -> bool:
    return table_format(path) == "npz" and read_archive(path).keys() >= _CORPUS
