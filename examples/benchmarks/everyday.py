"""Benchmark the detector and the imputer on everyday recordings, with all parameters as they come.

    python examples/benchmarks/everyday.py --data ../shared/data --seeds report

Rows are written as soon as a signal is done, and what has them is not run again, so a run that
was stopped goes on where it was; those of other code are measured anew. `--quick` takes two or
three minutes, and seeds that are not those of the report: choose with it. `--before` names another
checkout of the package, which is timed beside this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from measures import alarms, gaps, tables, verdict
from measures.recordings import MADE, Signal, excerpts, made

import sktspulse

SEEDS = {"choose": 1, "report": 2}
HERE, PACKAGE = Path(__file__).parent, Path(sktspulse.__file__).parent
PARTS = {
    "detection": (alarms, "everyday.csv", ("anomaly",)),
    "imputation": (gaps, "everyday-imputation.csv", ("imputation", "pretraining")),
}
SHARED_ROOMS = ("network", "series", "metrics", "base", "embedding")
HELPERS = ("recordings.py", "faults.py")
N_TEST, N_TEST_QUICK = 20_400, 13_000
N_TURNS = 2  # of timing each of two packages


def signals(arguments: argparse.Namespace) -> Iterator[Signal]:
    n_test = N_TEST_QUICK if arguments.quick else N_TEST
    for name in MADE:
        if not arguments.signals or name in arguments.signals:
            yield made(name, arguments.seed, n_test)
    for signal in excerpts(arguments.data, arguments.seeds):
        if not arguments.signals or signal.name in arguments.signals:
            yield signal


def fingerprint(part: str, is_own: bool, arguments: argparse.Namespace) -> str:
    """Hash what the rows of a method depend on."""
    module, _, rooms = PARTS[part]
    files = [HERE / "measures" / name for name in HELPERS] + [Path(str(module.__file__))]
    if is_own:
        for room in (*SHARED_ROOMS, *rooms):
            files += sorted(path for path in (PACKAGE / room).rglob("*") if path.is_file())
    state = sha256(repr((arguments.seeds, arguments.seed, arguments.quick)).encode())
    for path in files:
        if "__pycache__" not in path.parts:
            state.update(path.read_bytes())
    return state.hexdigest()[:6]


def run(part: str, arguments: argparse.Namespace) -> list[tables.Row]:
    """Measure what is not in the table yet, and return all rows that hold."""
    module, file, _ = PARTS[part]
    own, path = module.OWN, arguments.output / file
    codes = {name: fingerprint(part, name in own, arguments) for name in module.METHODS}
    table = [row for row in tables.read(path) if row["code"] == codes.get(row["method"])]
    done = {(row["signal"], row["method"]) for row in table}
    for signal in signals(arguments):
        for method, code in codes.items():
            chosen = not arguments.methods or method in arguments.methods
            if chosen and (signal.name, method) not in done:
                started = time.perf_counter()
                rows = module.measure(signal, method, arguments.seed, arguments.quick)
                table += [row | {"code": code} for row in rows]
                seconds = time.perf_counter() - started
                print(f"{part}, {signal.name}, {method}: {seconds:.1f} s", flush=True)
                tables.write(table, path, module.COLUMNS)
    return tables.read(path)


def timings(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Time this package and the one before in turns, each in a process of its own."""
    path = arguments.output / "everyday-seconds.csv"
    if arguments.before:
        before, after = (timed(folder) for folder in (arguments.before, PACKAGE.parent))
        for _ in range(N_TURNS - 1):
            before = least(before, timed(arguments.before))
            after = least(after, timed(PACKAGE.parent))
        rows = [
            {
                "what": what,
                "before": before[what],
                "now": value,
                "ratio": f"{value / before[what]:.2f}",
            }
            for what, value in after.items()
        ]
        tables.write(rows, path)
    return tables.read(path)


def timed(folder: Path) -> dict[str, float]:
    command = [sys.executable, str(HERE / "measures" / "seconds.py")]
    where = os.environ | {"PYTHONPATH": str(folder.resolve()), "OMP_NUM_THREADS": "1"}
    answer = subprocess.check_output(command, env=where, text=True)  # noqa: S603 (this file's own)
    return json.loads(answer)


def least(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: min(value, other[name]) for name, value in one.items()}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, help="docs/benchmarks for the report")
    parser.add_argument("--seeds", choices=SEEDS, default="choose")
    parser.add_argument("--seed", type=int, help="another one than that of --seeds")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--signals", nargs="+")
    parser.add_argument("--methods", nargs="+")
    parser.add_argument("--before", type=Path, help="folder of another checkout, to be timed")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = SEEDS[arguments.seeds]
    if arguments.output is None:
        report = arguments.seeds == "report"
        scratch = Path(tempfile.gettempdir()) / "everyday"
        arguments.output = Path("docs/benchmarks") if report else scratch
    return arguments


def main() -> None:
    arguments = parse()
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = {part: run(part, arguments) for part in arguments.parts}
    times = timings(arguments)
    verdict.write(rows.get("detection", []), rows.get("imputation", []), times, arguments.output)


if __name__ == "__main__":
    main()
