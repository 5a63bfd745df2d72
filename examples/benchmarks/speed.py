"""Measure time, memory and size, beside granite-tsfm, on an idle and on a busy machine.

    python examples/benchmarks/speed.py --reference-python ~/granite/bin/python

*Beside the reference*, the published implementation of TSPulse, which runs in an environment of its
own (``pip install granite-tsfm==0.3.11``). Both networks have the same sizes (patches of 8, all
heads, one channel) and see the same windows. For each task two processes, one a side, run by turns,
each alone while it runs; the ratio is the median over the pairs.

*Growing work*: what estimators take for 1, 10 and 100 times the work, by turns on an idle machine
and while another process spins on a core.

*The limit*: the rate of the network's matrix products alone, on one thread.

Keep the machine idle meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from measures import tables
from measures.speed_tasks import GROWING, PAIRED, measure_limits
from measures.speed_workers import Spinner, Turn, Worker, median_seconds, work

ROOT = Path(__file__).parents[2]
SIDES = ("sktspulse", "granite-tsfm")
IMPORTS = {
    "import of the package": ("import sktspulse", "import tsfm_public"),
    "import of a model": (
        "from sktspulse import TSPulseImputer",
        "from tsfm_public.models.tspulse import TSPulseForReconstruction",
    ),
}
COLORS = {"idle": "C0", "busy": "C1"}

FIRST_ANSWER = {
    "import of torch": "import torch",
    "import of scikit-learn": "import sklearn.base",
    "import of TSPulseTransformer": "from sktspulse import TSPulseTransformer",
    "fit, which loads the weights": (
        "import numpy as np; X = np.ones((1, 1, 512)); one = TSPulseTransformer().fit(X)"
    ),
    "embedding of one series": "one.transform(X)",
}

Row = dict[str, object]


def measure_pairs(task: str, commands: list[list[str]], n_pairs: int) -> Iterator[Row]:
    """Yield the times and the peaks of memory of one task on both sides."""
    workers = [
        Worker([*command, "--worker", str(side), "--task", task])
        for side, command in enumerate(commands)
    ]
    yield row(task, "ms", [[1000 * worker().seconds for worker in workers] for _ in range(n_pairs)])
    yield row(f"peak memory: {task}", "MB", [[worker.close() / 1e6 for worker in workers]])


def measure_import(what: str, commands: list[list[str]], n_pairs: int) -> Row:
    """Time whole processes, start of the interpreter included."""
    pairs = []
    for _ in range(1 + n_pairs):
        pairs.append([])
        for command, statement in zip(commands, IMPORTS[what], strict=True):
            started = time.perf_counter()
            subprocess.run([command[0], "-c", statement], check=True)  # noqa: S603
            pairs[-1].append(1000 * (time.perf_counter() - started))
    return row(what, "ms", pairs[1:])  # the first has to fetch the files from the disk


def row(what: str, unit: str, pairs: list[list[float]]) -> Row:
    ours, reference = map(statistics.median, zip(*pairs, strict=True))
    ratios = [theirs / own for own, theirs in pairs]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}" if len(pairs) > 1 else ""
    values = (f"{ours:.1f}", f"{reference:.1f}", f"{statistics.median(ratios):.2f}", spread)
    columns = (*SIDES, "ratio", "lowest to highest")
    return {"what": what, "unit": unit, **dict(zip(columns, values, strict=True))}


def closure(requirements: Iterable[str]) -> set[str]:
    """Name every distribution of this environment that the requirements ask for."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found, waiting = set(), [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for wanted in {(canonicalize_name(requirement.name), e) for e in ("", *requirement.extras)}:
            if wanted not in found:
                found.add(wanted)
                texts = metadata.requires(wanted[0]) or []
                waiting += [(Requirement(text), wanted[1]) for text in texts]
    return {name for name, _ in found}


def installed_size(requirements: list[str]) -> int:
    """Add up all that is needed but torch and what torch needs itself [bytes]."""
    names = closure(requirements) - closure(["torch"])
    return sum(
        n_bytes(file.locate()) for name in sorted(names) for file in metadata.files(name) or []
    )


def n_bytes(path: Path) -> int:
    """Return the size of a file; compiled byte code depends on the installer and counts nothing."""
    counts = path.is_file() and path.suffix != ".pyc"
    return path.stat().st_size if counts else 0


def answer_size(side: int) -> None:
    """Print the size of one side. Ours is read from the checkout, however it was installed."""
    if side:
        print(installed_size(["granite-tsfm"]))
    else:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        own = sum(n_bytes(path) for path in (ROOT / "sktspulse").rglob("*"))
        print(own + installed_size(project["dependencies"]))


def measure_size(commands: list[list[str]]) -> Row:
    sizes = []
    for side, command in enumerate(commands):
        query = [*command, "--worker", str(side)]
        answer = subprocess.run(query, check=True, capture_output=True, text=True)  # noqa: S603
        sizes.append(float(answer.stdout) / 1e6)
    return row("installed, torch left out", "MB", [sizes])


def compare(own: list[str], reference: list[str], n_pairs: int) -> Iterator[Row]:
    """Yield one row a measurement beside the reference."""
    commands = [own, reference]
    for task in PAIRED:
        yield from measure_pairs(task, commands, n_pairs)
    for what in IMPORTS:
        yield measure_import(what, commands, n_pairs)
    yield measure_size(commands)


def grow(own: list[str], n_turns: int) -> Iterator[Row]:
    """Yield one row for each task and size, idle and busy by turns."""
    spinner = Spinner()
    for task, (_, sizes) in GROWING.items():
        for size in sizes:
            worker = Worker([*own, "--task", task, "--size", str(size)])
            idle, busy = [], []
            for _ in range(n_turns):
                idle.append(worker())
                with spinner.running():
                    busy.append(worker())
            yield grown_row(task, size, idle, busy) | {"peak MB": f"{worker.close() / 1e6:.0f}"}
    spinner.close()


def grown_row(task: str, size: int, idle: list[Turn], busy: list[Turn]) -> Row:
    alone, beside = ([turn.seconds for turn in turns] for turns in (idle, busy))
    ratios = [b / statistics.median(alone) for b in beside]
    return {
        "work": task,
        "size": size,
        "idle s": f"{statistics.median(alone):.3f}",
        "lowest to highest s": f"{min(alone):.3f} to {max(alone):.3f}",
        "processor s": f"{statistics.median(turn.processor for turn in idle):.3f}",
        "busy s": f"{statistics.median(beside):.3f}",
        "busy over idle": f"{statistics.median(ratios):.2f}",
    }


def answer_first(python: str, n_turns: int) -> Iterator[Row]:
    """Yield what a new process spends its time with until the first answer."""
    lines = ["import time; times = [time.perf_counter()]"]
    lines += [f"{step}; times.append(time.perf_counter())" for step in FIRST_ANSWER.values()]
    script = ";".join([*lines, "print(*times)"])
    turns = []
    for _ in range(1 + n_turns):  # the first has to fetch the files from the disk
        run = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)  # noqa: S603
        times = [1000 * float(number) for number in run.stdout.split()]
        turns.append([after - before for before, after in itertools.pairwise(times)])
    for step, taken in zip(FIRST_ANSWER, zip(*turns[1:], strict=True), strict=True):
        spread = f"{min(taken):.0f} to {max(taken):.0f}"
        yield {"step": step, "ms": f"{statistics.median(taken):.0f}", "lowest to highest": spread}


def limit(own: list[str]) -> Iterator[Row]:
    """Yield what one thread gives, and how much of it a forward pass takes."""
    query = [*own, "--task", "limit"]
    answer = subprocess.run(query, check=True, capture_output=True, text=True)  # noqa: S603
    for what, value in json.loads(answer.stdout).items():
        yield {"what": what, "value": f"{value:.2f}"}


def draw_ratios(table: list[Row], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = [str(line["what"]) for line in table][::-1]
    values = [float(line["ratio"]) for line in table][::-1]
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    axis.barh(names, values, color=["C0" if value >= 1 else "C1" for value in values])
    axis.bar_label(axis.containers[0], fmt=" %.2f")
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_xlim(0.5, 1000)
    axis.set(xscale="log", xlabel="granite-tsfm over sktspulse (right of the line: we need less)")
    axis.xaxis.set_major_formatter("{x:g}")
    figure.savefig(path, dpi=120)


def draw_growth(table: list[Row], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    tasks = [task for task, (_, sizes) in GROWING.items() if len(sizes) > 2]
    figure, axes = plt.subplots(1, len(tasks), figsize=(11, 3.2), layout="constrained")
    for axis, task in zip(axes, tasks, strict=True):
        lines = [line for line in table if line["work"] == task]
        sizes = [int(line["size"]) for line in lines]
        for state, color in COLORS.items():
            seconds = [float(line[f"{state} s"]) for line in lines]
            axis.plot(sizes, seconds, "o-" if state == "idle" else "s--", color=color, label=state)
        axis.set(xscale="log", yscale="log", xlabel=task, ylim=(0.03, 60))
        axis.yaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("seconds, two threads")
    axes[0].legend()
    figure.savefig(path, dpi=120)


def answer(arguments: argparse.Namespace) -> None:
    """Be the process that a task is measured in."""
    import torch

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    if arguments.task == "limit":
        print(json.dumps(measure_limits(median_seconds)))
    elif arguments.size:
        work(GROWING[arguments.task][0](arguments.size), n_warm_up=1)
    elif arguments.task:
        work(PAIRED[arguments.task][arguments.worker]())
    else:
        answer_size(arguments.worker)


def save(rows: Iterable[Row], path: Path) -> list[Row]:
    table = []
    for measured in rows:
        table.append(measured)
        print(*measured.values(), sep="\t", flush=True)
        tables.write(table, path)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference-python", help="interpreter that can import granite-tsfm")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--turns", type=int, default=7, help="runs of each task")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--task", default="", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    (answer if arguments.answer else measure)(arguments)


def measure(arguments: argparse.Namespace) -> None:
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    print(f"load before: {os.getloadavg()[0]:.2f}")
    output, rest = arguments.output, [__file__, "--answer", "--threads", str(arguments.threads)]
    output.mkdir(parents=True, exist_ok=True)
    own = [sys.executable, *rest]
    save(limit(own), output / "speed-limit.csv")
    save(answer_first(own[0], arguments.turns), output / "speed-first.csv")
    draw_growth(
        save(grow(own, arguments.turns), output / "speed-growth.csv"), output / "speed-growth.png"
    )
    if arguments.reference_python:
        rows = compare(own, [arguments.reference_python, *rest], arguments.turns)
        draw_ratios(save(rows, output / "speed.csv"), output / "speed.png")


if __name__ == "__main__":
    main()
