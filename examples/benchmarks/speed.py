"""Compare speed, memory and size with granite-tsfm, the published implementation of TSPulse.

    python examples/benchmarks/speed.py --reference-python ~/granite/bin/python

The reference runs in an environment of its own (``pip install granite-tsfm==0.3.11``).
Both networks have the same sizes (patches of 8, all heads, one channel) and random weights, and
see the same windows. For each task two processes, one a side, run by turns, each alone while it
runs; the ratio is the median over the pairs. Keep the machine idle meanwhile.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
from measures import tables

# Torch is imported by the workers alone: the peak memory that the system reports of a process
# is never less than that of the process which started it.

ROOT = Path(__file__).parents[2]
LENGTH, PATCH, HORIZON = 512, 8, 16
BATCH, EMBEDDED, EMBEDDING_BATCH = 128, 1000, 64
N_WARM_UP = 3
SIDES = ("sktspulse", "granite-tsfm")
REFERENCE_CONFIG = {
    "context_length": LENGTH,
    "patch_length": PATCH,
    "patch_stride": PATCH,
    "mask_block_length": PATCH,
    "d_model": 24,
    "decoder_d_model": 24,
    "num_layers": 8,
    "decoder_num_layers": 2,
    "patch_register_tokens": 10,
    "register_mixer_layers": 3,
    "fuse_fft": True,
    "fft_prob_length": 256,
    "fft_prob_mode": "log",
    "minimum_scale": 1e-3,
    "mask_type": "user",
    "fft_time_add_forecasting_pt_loss": True,
    "prediction_length": HORIZON,
    # We train without dropout; without it the reference has less to do.
    "dropout": 0.0,
    "head_dropout": 0.0,
}
IMPORTS = {
    "import of the package": ("import sktspulse", "import tsfm_public"),
    "import of a model": (
        "from sktspulse import TSPulseImputer",
        "from tsfm_public.models.tspulse import TSPulseForReconstruction",
    ),
}

Run = Callable[[], object]
Row = dict[str, object]


def windows(n_windows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw windows ``(n, 1, T)``, what is shown of them, and the steps that follow."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n_windows, 1, LENGTH + HORIZON)).cumsum(-1).astype(np.float32)
    observed = rng.uniform(size=(n_windows, 1, LENGTH)) > 0.15
    observed &= np.repeat(rng.uniform(size=(n_windows, 1, LENGTH // PATCH)) > 0.15, PATCH, -1)
    return x[..., :LENGTH], observed, x[..., LENGTH:]


def our_network():
    from sktspulse.network import TSPulse, TSPulseConfig

    return TSPulse(TSPulseConfig())


def reference_network():
    from tsfm_public.models.tspulse import TSPulseConfig, TSPulseForReconstruction

    return TSPulseForReconstruction(TSPulseConfig(**REFERENCE_CONFIG))


def our_tensors() -> dict:
    import torch

    x, observed, future = map(torch.from_numpy, windows(BATCH))
    return {"x": x, "observed": observed, "future": future, "known": torch.ones_like(observed)}


def reference_tensors() -> dict:
    tensors = our_tensors()
    names = {"past_values": "x", "past_observed_mask": "observed", "future_values": "future"}
    return {theirs: tensors[ours].mT.contiguous() for theirs, ours in names.items()}


def our_forward() -> Run:
    import torch

    network, data = our_network().eval(), our_tensors()
    return torch.inference_mode()(lambda: network(data["x"], data["observed"]))


def reference_forward() -> Run:
    import torch

    model, data = reference_network().eval(), reference_tensors()
    del data["future_values"]
    return torch.inference_mode()(lambda: model(**data, return_loss=False))


def stepper(optimizer, loss: Run) -> Run:
    """Return one training step."""

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def our_step(recipe: bool = False) -> Run:
    """Train in single precision with AdamW, or as the shipped checkpoint is trained."""
    import torch

    from sktspulse.pretraining import MuonAdamW, PretrainingLoss, split_parameters

    network, data = our_network().train(), our_tensors()
    weights = dict.fromkeys(("time", "frequency", "spectrum", "signature", "forecast"), 1.0)
    criterion = PretrainingLoss(network.config, weights)
    if recipe:
        optimizer = MuonAdamW(*split_parameters(network), lr=1e-3)
        forward = torch.compile(network, dynamic=False)
    else:
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
        forward = network

    def loss():
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe):
            prediction = forward(data["x"], data["observed"])
        heads = {name: head.float() for name, head in prediction.heads.items()}
        return criterion(replace(prediction, heads=heads), data)

    return stepper(optimizer, loss)


def reference_step() -> Run:
    import torch

    model, data = reference_network().train(), reference_tensors()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    return stepper(optimizer, lambda: model(**data).loss)


def our_embedding() -> Run:
    """Embed with the shipped weights: which they are does not change the time."""
    from sktspulse import TSPulseTransformer

    x, _, _ = windows(EMBEDDED)
    settings = {"embedding": "semantic", "batch_size": EMBEDDING_BATCH, "device": "cpu"}
    transformer = TSPulseTransformer(**settings).fit(x)
    return lambda: transformer.transform(x)


def reference_embedding() -> Run:
    import torch
    from tsfm_public.models.tspulse.utils.helpers import get_embeddings

    model = reference_network().eval()
    x = windows(EMBEDDED)[0]

    def embed() -> np.ndarray:
        batches = torch.from_numpy(x).mT.contiguous().split(EMBEDDING_BATCH)
        parts = [get_embeddings(model, batch) for batch in batches]
        return torch.cat(parts).numpy()

    return torch.inference_mode()(embed)


# What is timed on each side.
TASKS: dict[str, tuple[Callable[[], Run], Callable[[], Run]]] = {
    f"forward, {BATCH} windows": (our_forward, reference_forward),
    f"training step, {BATCH} windows": (our_step, reference_step),
    "the same step, ours by the recipe": (lambda: our_step(recipe=True), reference_step),
    f"embedding of {EMBEDDED} windows": (our_embedding, reference_embedding),
}


def work(side: int, task: str, n_threads: int) -> None:
    """Run the task once for each line that comes in and answer with the seconds it took."""
    import torch

    torch.set_num_threads(n_threads)
    torch.manual_seed(0)
    run = TASKS[task][side]()
    for _ in range(N_WARM_UP):
        run()
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        run()
        print(time.perf_counter() - started, flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


class Worker:
    """A process that runs one task of one side whenever told to."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.process.stdout.readline()  # once it is ready nothing runs until it is told to

    def __call__(self) -> float:
        """Return the seconds of one run."""
        self.process.stdin.write("\n")
        return float(self.process.stdout.readline())

    def close(self) -> float:
        """Return the most memory it had [bytes]."""
        answer, _ = self.process.communicate()
        return float(answer)


def measure(task: str, commands: list[list[str]], n_pairs: int) -> Iterator[Row]:
    """Yield the times and the peaks of memory of one task."""
    workers = [
        Worker([*command, "--worker", str(side), "--task", task])
        for side, command in enumerate(commands)
    ]
    yield row(task, "ms", [[1000 * worker() for worker in workers] for _ in range(n_pairs)])
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
    ratio = statistics.median(theirs / own for own, theirs in pairs)
    values = (f"{ours:.1f}", f"{reference:.1f}", f"{ratio:.2f}")
    return {"what": what, "unit": unit, **dict(zip((*SIDES, "ratio"), values, strict=True))}


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


def rows(reference_python: str, n_pairs: int, n_threads: int) -> Iterator[Row]:
    """Yield one row a measurement."""
    arguments = [__file__, "--threads", str(n_threads)]
    commands = [[python, *arguments] for python in (sys.executable, reference_python)]
    for task in TASKS:
        yield from measure(task, commands, n_pairs)
    for what in IMPORTS:
        yield measure_import(what, commands, max(1, n_pairs // 3))
    yield measure_size(commands)


def draw(table: list[Row], path: Path) -> None:
    """Draw how many times less than the reference we need."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 5), layout="constrained")
    ratios = [float(row["ratio"]) for row in table]
    names = [row["what"] for row in table]
    bars = axis.barh(names, [ratio - 1 for ratio in ratios], left=1)
    axis.bar_label(bars, [f"{ratio:.3g}" for ratio in ratios], padding=3)
    axis.axvline(1, color="k", lw=1)
    axis.invert_yaxis()
    axis.margins(x=0.15)
    axis.set(xscale="log", xlabel="granite-tsfm over sktspulse (right of the line: we need less)")
    axis.xaxis.set_major_formatter("{x:g}")
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference-python", help="interpreter that can import granite-tsfm")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--pairs", type=int, default=15, help="runs of each task on each side")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        work(arguments.worker, arguments.task, arguments.threads)
    elif arguments.worker is not None:
        answer_size(arguments.worker)
    elif arguments.reference_python:
        compare(arguments)
    else:
        parser.error("--reference-python is needed")


def compare(arguments: argparse.Namespace) -> None:
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    print(f"load before: {os.getloadavg()[0]:.2f}")
    table = []
    for measured in rows(arguments.reference_python, arguments.pairs, arguments.threads):
        table.append(measured)
        print(*measured.values(), sep="\t", flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    tables.write(table, arguments.output / "speed.csv")
    draw(table, arguments.output / "speed.png")


if __name__ == "__main__":
    main()
