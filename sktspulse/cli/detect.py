"""``sktspulse detect``: score each row of a recording."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .layout import TableLayout
from .options import estimator_options, new_command, positive, summarized
from .recordings import Recording, describe_size, read_recordings, row_labels
from .streaming import score_table, stream_scores
from .tables import Table, check_new, is_text_format, load_pandas, shortened, write_table

__all__ = ["add_detect", "add_normal", "new_detector", "normal_of", "read_normal", "run_detect"]

_NOTES = """\
Rows are time points, columns are channels. The table of scores has the time of each row, or its
number from 0; the score, at most 0 and below -1 for an anomaly; and is_anomaly, 0 or 1. The table
of segments has the first and the last row of each alarm, its lowest score, and the channel that
stands out most.

  sktspulse detect today.csv --train normal.csv -o scores.csv --segments alarms.csv --time time

Without --train and --train-rows, a recording is compared with itself, which finds rare anomalies
only. Files are read as a whole, about 400 bytes of memory for each value, with one exception: with
--causal and without --segments and --id, a .csv or .tsv file is scored piece by piece, however long
it is.
"""
_N_SHOWN = 5


def add_detect(commands: Any) -> None:
    """Add the command."""
    parser = new_command(
        *(commands, "detect", run_detect, "Find anomalies in recordings.", _NOTES),
        reads="recording",
        writes="table of scores",
    )
    parser.add_argument("--segments", type=Path, metavar="FILE", help="table of alarms to write")
    add_normal(parser)
    parser.add_argument(
        "--causal", action="store_true", help="do not look ahead; go on from --train"
    )


def add_normal(parser: ArgumentParser) -> None:
    """Add what a recording is compared with."""
    normal = parser.add_mutually_exclusive_group()
    normal.add_argument("--train", type=Path, metavar="FILE", help="table that is mostly normal")
    normal.add_argument(
        "--train-rows", type=positive, metavar="N", help="the first rows of FILE are mostly normal"
    )
    parser.add_argument(
        "--contamination",
        type=float,
        metavar="FRACTION",
        help="of anomalies in the table to fit (default: a threshold that 1 in 1,000 rows passes)",
    )


def run_detect(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Score the rows of a table."""
    for path in (options.output, options.segments):
        check_new(path, force=options.force)
    if options.causal and options.train is None:
        raise ValueError("--causal goes on from a normal recording. Pass it as --train.")
    normal = read_normal(options)
    is_whole = options.segments or options.id or options.channel or options.freq
    if options.causal and not is_whole and all(map(is_text_format, (options.file, options.output))):
        assert normal is not None  # noqa: S101, for mypy
        detector = new_detector(options).fit(normal[None])
        return _summary(options, **stream_scores(detector, options))
    layout, recordings = read_recordings(options.file, options)
    parts = [_score(layout, one, normal_of(normal, one, options), options) for one in recordings]
    join = partial(load_pandas().concat, ignore_index=True)
    scores, segments = (join(tables) for tables in zip(*parts, strict=True))
    write_table(scores, options.output)
    if options.segments:
        write_table(segments, options.segments)
    return _summary(
        options, describe_size(recordings), len(scores), int(scores["is_anomaly"].sum()), segments
    )


def new_detector(options: Namespace) -> Any:
    """Return a detector that is not fitted."""
    from ..anomaly import TSPulseAnomalyDetector

    return TSPulseAnomalyDetector(
        contamination="auto" if options.contamination is None else options.contamination,
        causal=getattr(options, "causal", False),
        random_state=options.seed,
        **estimator_options(options),
    )


def read_normal(options: Namespace) -> dict[Any, Table] | None:
    """Return the normal recordings of ``--train`` by their names."""
    if options.train is None:
        return None
    return {one.name: one.values for one in read_recordings(options.train, options)[1]}


def normal_of(normal: dict[Any, Table] | None, recording: Recording, options: Namespace) -> Table:
    """Return the recording to fit, the one of the same name."""
    if normal is None:
        return recording.values[: options.train_rows]
    if recording.name not in normal:
        raise ValueError(f"The table of --train has no series {recording.name!r}.")
    return normal[recording.name]


def _score(
    layout: TableLayout, recording: Recording, normal: Table, options: Namespace
) -> tuple[Table, Table]:
    """Return the scores and the segments of a recording."""
    from ..anomaly import find_segments, score_recording

    detector = new_detector(options).fit(normal)
    answer = score_recording(detector, recording.values)
    labels = np.asarray(row_labels(layout, recording))
    found = find_segments(answer, detector.offset_, detector.heads_)
    scores = score_table(layout.time, labels, -answer.combined, detector.offset_)
    segments = load_pandas().DataFrame(
        {
            "start": labels[found["start"]],
            "end": labels[found["end"] - 1],
            "peak": labels[found["peak"]],
            "score": shortened(found["score"]),
            "channel": np.array(layout.channels, dtype=object)[found["channel"]],
            "head": found["head"],
        }
    )
    if layout.id is not None:
        for table in (scores, segments):
            table.insert(0, layout.id, recording.name)
    return scores[recording.rows >= 0], segments


def _summary(
    options: Namespace, size: str, n_rows: int, n_anomalies: int, segments: Table | None = None
) -> tuple[str, dict[str, Any]]:
    found = f"{n_anomalies:,} rows ({n_anomalies / n_rows:.2%}) are anomalies"
    text, facts = f"{options.file}: {size}. {found}", {"n_rows": n_rows, "n_anomalies": n_anomalies}
    if segments is None:
        return summarized(options, f"{text}.", options.output, **facts)
    worst = segments.sort_values("score").head(_N_SHOWN)
    text += f", in {len(segments):,} segments." + (" The strongest:" if len(worst) else "")
    shown = worst.drop(columns=["peak", "head"]).round({"score": 1})
    text += f"\n{shown.to_string(index=False)}" if len(worst) else ""
    facts |= {"n_segments": len(segments), "segments": segments.to_dict("records")}
    return summarized(options, text, options.output, options.segments, **facts)
