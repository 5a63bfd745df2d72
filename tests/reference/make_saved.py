"""Write the files of fitted estimators that every later version must read.

Run ``python reference/make_saved.py`` in the folder ``tests`` once for each format of files, and
never again: they stand for the files that users have.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.base import clone

sys.path.insert(0, str(Path(__file__).parents[1]))
from estimator_cases import CASES, SIZES

from sktspulse import TSPulseConfig
from sktspulse.network import TSPulse, save_checkpoint

FOLDER = Path(__file__).with_name("saved_1")
SMALL = {"context_length": 32, "d_model": 4, "n_signature_bins": 8}
OPTIONS = {
    "classifier": {"members": ["network"]},
    "regressor": {"members": ["network"]},
    "transformer": {},
    "retriever": {},
    "detector": {"heads": ["time", "level"]},
    "imputer": {"blend": False},
}


def write(folder: Path) -> None:
    """Write a network, an estimator of each class, and their answers."""
    folder.mkdir()
    torch.manual_seed(0)
    network = folder / "network.safetensors"
    save_checkpoint(TSPulse(TSPulseConfig(**SIZES | SMALL)), network)
    stored = {}
    for name, options in OPTIONS.items():
        case = CASES[name]
        X = case.data().astype(np.float32)
        fitted = clone(case.estimator).set_params(checkpoint=str(network), **options)
        fitted.fit(X, case.targets(len(X)))
        stored[f"{name}_input"] = X[:60] if case.kind == "series" else X[:6]
        stored[f"{name}_answer"] = case.answer(fitted, stored[f"{name}_input"])
        fitted.set_params(checkpoint="network.safetensors").save(folder / f"{name}.safetensors")
    np.savez_compressed(folder / "answers.npz", **stored)


if __name__ == "__main__":
    write(FOLDER)
