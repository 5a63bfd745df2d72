"""Options that several commands share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Literal

__all__ = [
    "add_output",
    "add_table_options",
    "estimator_options",
    "fraction",
    "new_command",
    "positive",
    "summarized",
    "thread_count",
]

_TABLE = {
    "time": ("COLUMN", "column of time stamps"),
    "time-format": (
        "FORMAT",
        "such as %%d.%%m.%%Y, or s, ms, us, ns since 1970 (default: guessed)",
    ),
    "tz": ("ZONE", "zone of local time stamps, such as Europe/Berlin"),
    "freq": ("STEP", "insert the missing rows of this step, such as 1h"),
    "id": ("COLUMN", "column that names the series of each row"),
    "columns": ("A,B", "channels (default: all other columns)"),
    "channel": ("COLUMN", "column that names the channel of each row"),
    "value": ("COLUMN", "column of values, with --channel"),
}

Commands = Any  # the action of argparse that makes subcommands is not public


def new_command(
    commands: Commands,
    name: str,
    run: Any,
    summary: str,
    notes: str,
    *,
    reads: Literal["recording", "panel"] | None = None,
    writes: str | None = None,
    network: bool = True,
) -> argparse.ArgumentParser:
    """Add a command with what it reads and writes, and the options that all have."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary}\n\n{notes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run, command=parser.prog.partition(" ")[2])
    if reads == "panel":
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="tables of series")
    elif reads == "recording":
        parser.add_argument("file", type=Path, metavar="FILE", help="table of a recording")
    if reads:
        add_table_options(parser, freq=reads == "recording")
    if writes:
        add_output(parser, writes)
    telling = parser.add_argument_group("messages")
    telling.add_argument("--json", action="store_true", help="print the summary as JSON")
    telling.add_argument("--quiet", action="store_true", help="show no progress bar")
    telling.add_argument("--debug", action="store_true", help="show where an error happened")
    if network:
        group = parser.add_argument_group("network")
        group.add_argument("--checkpoint", metavar="NAME", help="shipped name, path, or hub id")
        group.add_argument("--device", default="auto", help="cpu, cuda, ... (default: the fastest)")
        threads = "threads, -1 for all cores"
        group.add_argument("--jobs", type=thread_count, metavar="N", help=threads)
        group.add_argument("--seed", type=int, default=0, help="of random choices (default: 0)")
    return parser


def add_output(parser: argparse.ArgumentParser, what: str, *, required: bool = True) -> None:
    """Add the file to write."""
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", required=required, type=Path, metavar="FILE", help=what)
    group.add_argument("--force", action="store_true", help="overwrite files")


def add_table_options(parser: argparse.ArgumentParser, *, freq: bool = False) -> None:
    """Add how tables are read."""
    group = parser.add_argument_group("table")
    for name, (value, what) in _TABLE.items():
        if freq or name != "freq":
            group.add_argument(f"--{name}", metavar=value, help=what)
    group.add_argument("--decimal", default=".", metavar="SIGN", help="decimal sign (default: .)")


def estimator_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of an estimator that the options of the network stand for."""
    named = {} if options.checkpoint is None else {"checkpoint": options.checkpoint}
    verbose = int(sys.stderr.isatty() and not options.quiet)
    return {**named, "device": options.device, "n_jobs": options.jobs, "verbose": verbose}


def summarized(
    options: argparse.Namespace, text: str, *written: Path | None, **facts: Any
) -> tuple[str, dict[str, Any]]:
    """Return a summary as text, and as facts with the command and its files."""
    outputs = [str(path) for path in written if path is not None]
    about: dict[str, Any] = {"command": options.command}
    if hasattr(options, "files"):
        about["inputs"] = [str(path) for path in options.files]
    elif hasattr(options, "file"):
        about["input"] = str(options.file)
    if outputs:
        about["output"] = outputs[0]
        text = f"{text}\nWrote {' and '.join(outputs)}."
    return text, about | facts


def positive(text: str) -> int:
    """Read a number of things."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def thread_count(text: str) -> int:
    """Read a number of threads, -1 for all."""
    number = int(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 threads do no work; -1 takes all cores")
    return number


def fraction(text: str) -> float:
    """Read a fraction between 0 and 1."""
    number = float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number
