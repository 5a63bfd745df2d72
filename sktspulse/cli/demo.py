"""``sktspulse demo``: each task on real or synthetic data."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from .options import new_command, summarized

__all__ = ["add_demo", "run_demo"]

_NOTES = """\
Fills gaps, finds faults, classifies and searches, in about a minute. Prints results next to those
of baselines, and writes figures. Needs matplotlib.
"""


def add_demo(commands: Any) -> None:
    """Add the command."""
    summary = "Demonstrate each task."
    parser = new_command(commands, "demo", run_demo, summary, _NOTES, network=False)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("sktspulse-figures"),
        metavar="FOLDER",
        help="of the figures (default: sktspulse-figures)",
    )


def run_demo(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Run every task."""
    from .demonstration import demonstrate

    with redirect_stdout(sys.stderr if options.json else sys.stdout):
        figures = [str(path) for path in demonstrate(options.output)]
    return summarized(options, f"Figures: {', '.join(figures)}", figures=figures)
