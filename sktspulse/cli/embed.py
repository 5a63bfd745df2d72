"""``sktspulse embed``: describe each series by numbers."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from .options import add_input, add_output, add_table_options, estimator_options, new_command
from .panels import read_panel
from .tables import check_new, load_pandas, shortened, write_table

__all__ = ["add_embed", "run_embed"]

_NOTES = """\
Tables with --id are long: a row for each moment of each series. Without, each file is one series,
and columns are channels. Panels in .npz files have X. The answer has a row for each series: its
id, and its embedding.

  sktspulse embed gestures.csv --id id --time time -o embeddings.parquet

Files are read as a whole.
"""


def add_embed(commands: Any) -> None:
    """Add the command."""
    parser = new_command(commands, "embed", run_embed, "Embed series.", _NOTES)
    add_input(parser, many=True)
    add_table_options(parser)
    add_output(parser, "table of embeddings")
    parser.add_argument(
        "--embedding",
        choices=("semantic", "detailed", "time", "frequency", "all"),
        default="semantic",
        help="what is described: the kind of series (semantic), or also where events are",
    )
    parser.add_argument("--average", action="store_true", help="average the channels")
    parser.add_argument(
        "--sliding", action="store_true", help="average windows of 512 rows, for long series"
    )


def run_embed(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Embed series."""
    check_new(options.output, force=options.force)
    series = read_panel(options.files, options)
    from ..embedding import TSPulseTransformer  # takes seconds, errors in files should not

    transformer = TSPulseTransformer(
        options.embedding,
        channels="mean" if options.average else "concatenate",
        windowing="sliding" if options.sliding else "resample",
        **estimator_options(options),
    )
    values = shortened(transformer.fit_transform(series.X))
    table = load_pandas().DataFrame(values, columns=[f"e{i}" for i in range(values.shape[1])])
    table.insert(0, options.id or "series", series.ids)
    write_table(table, options.output)
    facts = {
        "command": "embed",
        "inputs": [str(path) for path in options.files],
        "output": str(options.output),
        "n_series": len(series.ids),
        "n_features": values.shape[1],
    }
    text = f"{series.describe_size()}: {values.shape[1]} numbers each.\nWrote {options.output}."
    return text, facts
