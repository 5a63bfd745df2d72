"""``sktspulse impute``: fill the gaps of a table."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, Literal

import numpy as np

from .layout import TableLayout
from .options import estimator_options, new_command, summarized
from .recordings import Recording, describe_size, read_recordings, row_labels
from .tables import Table, check_new, load_pandas, shortened, write_table

__all__ = ["add_impute", "run_impute"]

_NOTES = """\
Rows are time points, columns are channels; empty cells and NaN are missing. All columns come back,
known values as they were. With --channel, the answer has one column for each channel.

  sktspulse impute sensors.csv -o filled.csv --time time --freq 1h

The file is read as a whole: about 250 bytes of memory for each value.
"""


def add_impute(commands: Any) -> None:
    """Add the command."""
    parser = new_command(
        *(commands, "impute", run_impute, "Fill gaps in recordings.", _NOTES),
        reads="recording",
        writes="table of the same columns, without gaps",
    )
    parser.add_argument(
        "--bounded", action="store_true", help="fill within the range of the known values"
    )
    parser.add_argument(
        "--round", action="store_true", help="round in channels of whole numbers only"
    )
    parser.add_argument(
        "--std",
        action="store_true",
        help="add a column NAME_std for each channel: standard deviation of the error, 0 if known",
    )


def run_impute(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Fill the gaps of a table."""
    check_new(options.output, force=options.force)
    layout, recordings = read_recordings(options.file, options)
    from ..imputation import TSPulseImputer  # takes seconds, errors in files should not

    frames = [one.values for one in recordings]
    kind: Literal["series", "panel"] = "series" if len(frames) == 1 else "panel"
    imputer = TSPulseImputer(
        kind,
        bounds="observed" if options.bounded else None,
        round_integers=options.round,
        random_state=options.seed,
        **estimator_options(options),
    )
    X = frames[0] if kind == "series" else frames
    filled = imputer.fit(X).transform(X, return_std=options.std)
    answers = [*filled] if options.std else [filled]
    if kind == "series":
        answers = [[answer] for answer in answers]
    write_table(_output_table(layout, recordings, *answers), options.output)
    return _summary(options, recordings)


def _output_table(
    layout: TableLayout,
    recordings: list[Recording],
    filled: list[Table],
    std: list[Table] | None = None,
) -> Table:
    """Return the table with the filled values, its rows in their old order."""
    pandas = load_pandas()
    parts = [_part(layout, one, filled[i], std and std[i]) for i, one in enumerate(recordings)]
    table = pandas.concat(parts, ignore_index=True)
    rows = np.concatenate([one.rows for one in recordings])
    return table if (rows < 0).any() else table.iloc[np.argsort(rows)]


def _part(layout: TableLayout, recording: Recording, filled: Table, std: Table | None) -> Table:
    rows = recording.rows
    part = layout.table.reindex(rows).reset_index(drop=True)  # no row is called -1
    if (rows < 0).any():
        part[layout.time] = row_labels(layout, recording)
        if layout.id is not None:
            part[layout.id] = recording.name
    for name in layout.channels:
        if part[name].isna().any():  # others stay as they are written, such as whole numbers
            known = part[name].to_numpy(dtype=float, na_value=np.nan)
            part[name] = np.where(np.isnan(known), shortened(filled[name]), known)
    if std is not None:
        part = part.assign(**{f"{name}_std": shortened(std[name]) for name in layout.channels})
    return part


def _summary(options: Namespace, recordings: list[Recording]) -> tuple[str, dict[str, Any]]:
    missing = sum(one.values.isna().sum() for one in recordings)
    n_values = sum(one.values.size for one in recordings)
    n_new = int(sum((one.rows < 0).sum() for one in recordings))
    filled = f"Filled {int(missing.sum()):,} of {n_values:,} values"
    more = f", {n_new:,} missing rows inserted." if n_new else "."
    facts = {
        "n_rows": sum(len(one.values) for one in recordings),
        "n_inserted_rows": n_new,
        "n_values": n_values,
        "n_filled": {str(name): int(n) for name, n in missing.items()},
    }
    text = f"{options.file}: {describe_size(recordings)}. {filled}{more}"
    return summarized(options, text, options.output, **facts)
