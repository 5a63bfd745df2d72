"""``sktspulse search``: find the series, or the windows, that are most like others."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

from .options import add_output, estimator_options, new_command, positive, summarized
from .panels import SeriesFile, read_panel
from .tables import Table, check_new, load_pandas, shortened, write_table

__all__ = ["add_search", "run_search"]

_NOTES = """\
Tables with --id are long: a row for each moment of each series. Without, each file is one series,
and columns are channels. With --window, windows of the series are searched, and the answer says
where each starts. Give queries as a file, or as ids of series among those searched.

  sktspulse search gestures.csv --id id --time time --like g017 g042
  sktspulse search pump.csv --time time --window 96 --queries fault.csv -o places.csv

Files are read as a whole.
"""
_N_SHOWN = 20


def add_search(commands: Any) -> None:
    """Add the command."""
    parser = new_command(
        commands, "search", run_search, "Find similar series.", _NOTES, reads="panel"
    )
    add_output(parser, "table of neighbours (default: print the first)", required=False)
    queries = parser.add_mutually_exclusive_group(required=True)
    queries.add_argument("--queries", type=Path, metavar="FILE", help="series to search for")
    queries.add_argument("--like", nargs="+", metavar="ID", help="series among those in FILE")
    parser.add_argument(
        "-n", "--neighbors", type=positive, default=5, metavar="N", help="to find (default: 5)"
    )
    parser.add_argument("--window", type=positive, metavar="ROWS", help="search windows this long")
    parser.add_argument("--levels", action="store_true", help="compare level and scale as well")


def run_search(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Index series, and find those most like the queries."""
    check_new(options.output, force=options.force)
    series = read_panel(options.files, options)
    queries = _queries(series, options)
    from ..retrieval import TSPulseRetriever  # takes seconds, errors in files should not

    retriever = TSPulseRetriever(
        normalize=not options.levels, window=options.window, **estimator_options(options)
    ).fit(series.X)
    extra = bool(options.like)  # a series finds itself
    n_neighbors = min(options.neighbors + extra, len(retriever.ids_))
    distances, found = retriever.kneighbors(queries.X, n_neighbors)
    table = _table(series, queries, distances, *retriever.locate(found), options)
    facts = {"n_entries": len(retriever.ids_), "n_queries": len(queries.ids)}
    text = f"{series.describe_size()}, {len(retriever.ids_):,} entries."
    if options.output is None:
        facts["neighbors"] = table.to_dict("records")
        return summarized(options, f"{text}\n{_shown(table)}", **facts)
    write_table(table, options.output)
    return summarized(options, text, options.output, **facts)


def _queries(series: SeriesFile, options: Namespace) -> SeriesFile:
    if options.queries is not None:
        return read_panel([options.queries], options)
    known = {str(name): i for i, name in enumerate(series.ids)}
    for name in options.like:
        if name not in known:
            raise ValueError(
                f"There is no series {name!r}. The first are {', '.join([*known][:5])}."
            )
    places = [known[name] for name in options.like]
    return SeriesFile([series.X[i] for i in places], [series.ids[i] for i in places])


def _table(
    series: SeriesFile, queries: SeriesFile, distances: Any, found: Any, starts: Any, options: Any
) -> Table:
    """Return a row for each neighbour of each query."""
    number, column = np.repeat(np.arange(len(queries.ids)), found.shape[1]), options.id or "series"
    table = load_pandas().DataFrame({"query": np.array(queries.ids, dtype=object)[number]})
    table[column] = np.array(series.ids, dtype=object)[found.ravel()]
    if options.window:
        places, times = zip(found.ravel(), starts.ravel(), strict=True), series.times
        table["start"] = [start if times is None else times[i][start] for i, start in places]
    table["distance"] = shortened(distances).ravel()
    is_other = (table["query"] != table[column]) | bool(options.queries or options.window)
    return table[is_other].groupby(number[is_other]).head(options.neighbors)


def _shown(table: Table) -> str:
    text = str(table.head(_N_SHOWN).round({"distance": 3}).to_string(index=False))
    n_more = len(table) - _N_SHOWN
    return f"{text}\n... and {n_more} more; write all with -o." if n_more > 0 else text
