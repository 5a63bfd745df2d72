"""``sktspulse embed``: describe each series by numbers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from .options import estimator_options, new_command, summarized
from .panels import read_panel
from .tables import check_new, load_pandas, shortened, write_table

__all__ = ["add_embed", "add_embedding", "run_embed"]

_NOTES = """\
Tables with --id are long: a row for each moment of each series. Without, each file is one series,
and columns are channels. Panels in .npz files have X. The answer has a row for each series: its
id, and its embedding.

  sktspulse embed gestures.csv --id id --time time -o embeddings.parquet

Files are read as a whole.
"""
_EMBEDDINGS = ("semantic", "detailed", "time", "frequency", "all")


def add_embed(commands: Any) -> None:
    """Add the command."""
    parser = new_command(
        *(commands, "embed", run_embed, "Embed series.", _NOTES),
        reads="panel",
        writes="table of embeddings",
    )
    add_embedding(parser)
    parser.add_argument("--average", action="store_true", help="average the channels")
    parser.add_argument(
        "--sliding", action="store_true", help="average windows of 512 rows, for long series"
    )


def add_embedding(parser: ArgumentParser) -> None:
    """Add what is described."""
    what = "what is described: the kind of series (semantic), or also where events are"
    parser.add_argument("--embedding", choices=_EMBEDDINGS, default="semantic", help=what)


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
    n = values.shape[1]
    table = load_pandas().DataFrame(values, columns=[f"e{i}" for i in range(n)])
    table.insert(0, options.id or "series", series.ids)
    write_table(table, options.output)
    text = f"{series.describe_size()}: {n} numbers each."
    return summarized(options, text, options.output, n_series=len(series.ids), n_features=n)
