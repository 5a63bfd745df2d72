"""``sktspulse report``: a page about a recording."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from ..network import write_atomically
from .detect import add_normal, new_detector, normal_of, read_normal
from .options import estimator_options, new_command, summarized
from .recordings import describe_size, read_recordings
from .tables import check_new

__all__ = ["add_report", "run_report"]

_NOTES = """\
The page says what was filled and what was found, when and in which channel, with figures. It is one
HTML file without scripts. The table holds one recording. Needs matplotlib.

  sktspulse report machine.csv --time time --train-rows 1800 -o machine.html

Files are read as a whole.
"""


def add_report(commands: Any) -> None:
    """Add the command."""
    parser = new_command(
        *(commands, "report", run_report, "Describe a recording in a page.", _NOTES),
        reads="recording",
        writes="page, a file that ends in .html",
    )
    parser.add_argument("--title", help="of the page (default: the name of the file)")
    add_normal(parser)


def run_report(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Examine a recording, and write a page."""
    check_new(options.output, force=options.force, ending=".html")
    from ..base import load_pyplot

    load_pyplot()  # what is missing should not be found out after minutes of work
    _, recordings = read_recordings(options.file, options)
    if len(recordings) > 1:
        raise ValueError(
            f"{options.file} holds {len(recordings)} recordings, but a page is about one. Pass a "
            "table of one."
        )
    from ..imputation import TSPulseImputer  # takes seconds, errors in files should not
    from ..reporting import examine, render_page

    detector = new_detector(options)
    if options.train or options.train_rows:
        detector.fit(normal_of(read_normal(options), recordings[0], options))
    imputer = TSPulseImputer(random_state=options.seed, **estimator_options(options))
    found = examine(recordings[0].values, detector, imputer)
    page = render_page(found, options.title or options.file.name)
    write_atomically(options.output, page.encode())
    text = (
        f"{options.file}: {describe_size(recordings)}. {found.missing.sum():,} values in "
        f"{len(found.gaps):,} gaps filled, {len(found.segments):,} alarms."
    )
    facts = {
        "n_rows": len(found.values),
        "n_filled": int(found.missing.sum()),
        "n_gaps": len(found.gaps),
        "n_segments": len(found.segments),
    }
    return summarized(options, text, options.output, **facts)
