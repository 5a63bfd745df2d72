"""The command ``sktspulse``: its parser, and what becomes of answers, warnings and errors."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any

from .classify import add_classify
from .demo import add_demo
from .detect import add_detect
from .embed import add_embed
from .export import add_export
from .impute import add_impute
from .info import add_info
from .pretrain import add_pretrain
from .report import add_report
from .search import add_search

__all__ = ["main"]

_EPILOG = """\
Every command has its own --help. Exit codes: 0 done, 1 error in data or options,
2 wrong usage. Files: .csv, .tsv, .parquet, .arrow, .feather, .npz, and .ts to read.
"""
_COMMANDS = (
    add_info,
    add_impute,
    add_detect,
    add_report,
    add_classify,
    add_search,
    add_embed,
    add_pretrain,
    add_export,
    add_demo,
)
_SAME = 40  # characters; later warnings that begin alike are about other series
_EXPECTED = (ValueError, OSError, ImportError, FloatingPointError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.run is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        with _warnings_in_one_line() as messages:
            summary = options.run(options)
    except (Exception, KeyboardInterrupt) as error:
        if options.debug:
            raise
        sys.stderr.write(f"sktspulse: error: {_explain(error)}\n")
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    text, facts = summary
    if options.json:
        text = json.dumps({**facts, "warnings": messages}, indent=2, default=str)
    sys.stdout.write(f"{text}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sktspulse",
        description="Fill gaps, find anomalies, classify, search and embed time series in files.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"%(prog)s {metadata.version('sktspulse')}"
    parser.add_argument("--version", action="version", version=version)
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for add in _COMMANDS:
        add(commands)
    return parser


@contextmanager
def _warnings_in_one_line() -> Iterator[list[str]]:
    """Write each warning once, as one line without the place in the code."""
    messages: list[str] = []

    def show(message: Warning | str, *details: Any) -> None:
        text = _in_one_line(message)
        if not any(text[:_SAME] == other[:_SAME] for other in messages):
            messages.append(text)
            sys.stderr.write(f"sktspulse: warning: {text}\n")

    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("always", UserWarning)
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        warnings.showwarning = show  # type: ignore[assignment]
        yield messages


def _explain(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}. Check the path and its permissions."
    if isinstance(error, MemoryError):
        return "There is not enough memory. Pass shorter files, or fewer --columns."
    if isinstance(error, _EXPECTED):
        return _in_one_line(error)
    name = type(error).__name__
    return f"{name}: {_in_one_line(error)} Run again with --debug to see where it happened."


def _in_one_line(message: object) -> str:
    return " ".join(str(message).split())
