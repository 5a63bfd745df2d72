"""Compare estimators with their exported models: size, start, memory, time and answers.

    python examples/benchmarks/exported.py

Seconds are those of the processor on one thread, the least of three turns. Memory is read
from Linux.
"""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

import sktspulse
from sktspulse import (
    TSPulseAnomalyDetector,
    TSPulseClassifier,
    TSPulseImputer,
    TSPulseRegressor,
    TSPulseTransformer,
)
from sktspulse.datasets import make_gappy_series, make_labelled_panel

N_TURNS, LENGTH = 3, 512
CHILD = """
import re, sys, time
import numpy as np
{read}
X = np.load(sys.argv[2])
model.transform(X)
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(time.process_time(), int(peak) / 1024)
"""
READERS = {
    "estimator": "import pickle; model = pickle.load(open(sys.argv[1], 'rb'))",
    "exported": "import sktspulse.onnx; model = sktspulse.onnx.load(sys.argv[1], n_threads=1)",
}


def milliseconds(function: Callable[[], object]) -> float:
    function()
    turns = []
    for _ in range(N_TURNS):
        started = time.process_time()
        function()
        turns.append(time.process_time() - started)
    return 1000 * min(turns)


def cases() -> dict[str, tuple[Any, str, np.ndarray, np.ndarray]]:
    """Return fitted estimators, their method, one window and a hundred."""
    panel, labels = make_labelled_panel(200, n_classes=4, n_timepoints=LENGTH, random_state=0)
    gappy, complete = make_gappy_series(100 * LENGTH, 3, random_state=0)
    targets = panel.max((1, 2))
    one, many, train = panel[100:101], panel[100:], slice(100)
    found: dict[str, tuple[Any, str, np.ndarray, np.ndarray]] = {
        "transformer": (TSPulseTransformer().fit(panel), "transform", one, many),
    }
    for name, members in (("network", ("network",)), ("all", ("network", "kernels", "quantiles"))):
        classifier = TSPulseClassifier(members=members).fit(panel[train], labels[train])
        found[f"classifier, {name}"] = classifier, "predict_proba", one, many
    regressor = TSPulseRegressor().fit(panel[train], targets[train])
    found["regressor, all"] = regressor, "predict", one, many
    for n in (1, 3):
        normal, holes = complete[:, :n], gappy[:, :n]
        detector = TSPulseAnomalyDetector().fit(normal[:6000])
        imputer = TSPulseImputer(random_state=0).fit(holes[:6000])
        found[f"detector, {n}"] = detector, "score_samples", normal[:LENGTH], normal
        found[f"imputer, {n}"] = imputer, "transform", holes[:LENGTH], holes
    return found


def compare(name: str, case: tuple[Any, str, np.ndarray, np.ndarray], folder: Path) -> None:
    estimator, method, one, many = case
    path = folder / f"{name}.onnx"
    sktspulse.export_onnx(estimator, path)
    model = sktspulse.onnx.load(path, n_threads=1)
    expected, answer = (getattr(each, method)(many) for each in (estimator, model))
    difference = np.abs(answer - expected).max() / np.abs(expected).max()
    times = [
        milliseconds(lambda X=X, each=each: getattr(each, method)(X))
        for X in (one, many)
        for each in (estimator, model)
    ]
    shown = " | ".join(f"{each:.1f}" for each in times)
    print(f"| {name} | {path.stat().st_size / 1e6:.1f} | {shown} | {difference:.0e} |", flush=True)


def start(folder: Path) -> None:
    """Print seconds and memory of a process that loads an imputer and fills one window."""
    gappy, _ = make_gappy_series(6000, 1, random_state=0)
    imputer = TSPulseImputer(random_state=0).fit(gappy)
    np.save(folder / "X.npy", gappy[:LENGTH])
    (folder / "estimator").write_bytes(pickle.dumps(imputer))
    sktspulse.export_onnx(imputer, folder / "exported.onnx")
    for name, read in READERS.items():
        path = folder / ("estimator" if name == "estimator" else "exported.onnx")
        command = [sys.executable, "-c", CHILD.format(read=read), str(path), f"{folder}/X.npy"]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
        seconds, megabytes = map(float, found.split())
        print(f"{name}: first answer after {seconds:.2f} s, {megabytes:.0f} MB of memory")


def installed(names: set[str]) -> float:
    """Return megabytes of packages with all that they require."""
    pending, seen = list(names), set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        for text in metadata.requires(name) or ():
            required = re.split(r"[^\w.-]", text)[0]
            if "extra ==" not in text and _is_installed(required):
                pending.append(required)
    files = {Path(str(file.locate())) for one in seen for file in metadata.files(one) or ()}
    return sum(one.stat().st_size for one in files if one.suffix != ".pyc" and one.is_file()) / 1e6


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def main() -> None:
    torch.set_num_threads(1)
    package = Path(sktspulse.__file__).parent
    files = [one for one in package.rglob("*") if one.is_file() and one.suffix != ".pyc"]
    size = sum(one.stat().st_size for one in files) / 1e6
    required = [text for text in metadata.requires("sktspulse") or () if "extra" not in text]
    needed = {re.split(r"[^\w.-]", text)[0] for text in required}
    print(f"packages: estimator {size + installed(needed):.0f} MB, ", end="")
    print(f"exported {size + installed({'numpy', 'onnxruntime'}):.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        start(Path(folder))
        print("| model | MB | 1: estimator [ms] | exported | 100 | exported | difference |")
        for name, case in cases().items():
            compare(name, case, Path(folder))


if __name__ == "__main__":
    main()
