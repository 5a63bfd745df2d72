"""Measure what a cluster gains and costs, beside a plain loop over the same files.

    python examples/benchmarks/scale.py                        # some 20 minutes, two idle cores
    python examples/benchmarks/scale.py --sizes 100 --turns 1  # half a minute

Recordings of 1,000 points in files of 100 are embedded by a loop over the files in one process, and
by one and two worker processes of Dask, each on one thread; the three take turns. The workers are
started before, and have loaded the network. What a table of an earlier run has is not measured
again.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measures import tables
from measures.scale_tasks import N_POINTS, Cluster, embed_plainly, make_files
from measures.speed_workers import Turn, Worker, work

ROOT = Path(__file__).parents[2]
N_WORKERS = (1, 2)
LOOP = "plain loop"

Row = dict[str, object]


def measure(n_recordings: int, folder: Path, n_turns: int) -> Iterator[Row]:
    """Yield a row for the loop and for each number of workers."""
    files = make_files(n_recordings, folder)
    loop = Worker([sys.executable, __file__, "--loop", str(files)])
    turns: dict[str, list[Turn]] = {LOOP: []}
    peaks: dict[str, float] = {}
    for n_workers in N_WORKERS:
        name, cluster = f"{n_workers} worker{'s' * (n_workers > 1)}", Cluster(n_workers)
        with cluster.running():
            cluster.embed(files)  # reads the files into the cache of the system, as the loop does
            for _ in range(n_turns):
                turns[LOOP].append(loop())
                turns.setdefault(name, []).append(cluster.embed(files))
            peaks[name] = cluster.peak()
    peaks[LOOP] = loop.close()
    usual = statistics.median(turn.seconds for turn in turns[LOOP])
    for name, each in turns.items():
        taken = [turn.seconds for turn in each]
        median = statistics.median(taken)
        yield {
            "recordings": n_recordings,
            "rows": n_recordings * N_POINTS,
            "by": name,
            "seconds": f"{median:.2f}",
            "lowest to highest": f"{min(taken):.2f} to {max(taken):.2f}",
            "processor s": f"{statistics.median(turn.processor for turn in each):.2f}",
            "rows a second": f"{n_recordings * N_POINTS / median:.0f}",
            "over the loop": f"{median / usual:.2f}",
            "peak of a process [MB]": f"{peaks[name] / 1e6:.0f}",
        }


def draw(table: list[Row], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for name in dict.fromkeys(str(row["by"]) for row in table):
        rows = [row for row in table if row["by"] == name]
        sizes = [int(str(row["rows"])) for row in rows]
        style = {"marker": "o", "linestyle": "--" if name == LOOP else "-", "label": name}
        left.plot(sizes, [float(str(row["rows a second"])) for row in rows], **style)
        right.plot(sizes, [float(str(row["peak of a process [MB]"])) for row in rows], **style)
    left.set(xscale="log", xlabel="rows", ylabel="rows a second", ylim=(0, None))
    right.set(xscale="log", xlabel="rows", ylabel="most memory of a process [MB]", ylim=(0, None))
    left.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "scale")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--loop", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    if arguments.loop:
        work(lambda: embed_plainly(arguments.loop), n_warm_up=1)
        return
    print(f"load before: {os.getloadavg()[0]:.2f}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "scale.csv"
    table: list[Row] = [*tables.read(path)]
    for size in arguments.sizes:
        if str(size) not in {str(row["recordings"]) for row in table}:
            for row in measure(size, arguments.data, arguments.turns):
                table.append(row)
                print(*row.values(), sep="\t", flush=True)
            tables.write(table, path)
    draw(table, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
