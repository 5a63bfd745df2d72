"""Read what ``make_reference.py`` has recorded, and write it as published checkpoints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from reference.recipe import random_weights
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in (FOLDER / "cases").glob("*.npz"))


@dataclass
class Case:
    """One configuration, its inputs ``(B, C, T)``, and the outputs in the published layout."""

    settings: dict[str, Any]
    shapes: dict[str, list[int]]
    x: np.ndarray
    observed: np.ndarray
    outputs: dict[str, np.ndarray]

    def write(self, folder: Path) -> Path:
        """Write the checkpoint as its authors would have published it."""
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.settings))
        save_file(random_weights(self.shapes), folder / "model.safetensors", {"format": "pt"})
        return folder


def read_case(name: str) -> Case:
    with np.load(FOLDER / "cases" / f"{name}.npz") as file:
        return Case(
            settings=json.loads(str(file["config"])),
            shapes=json.loads(str(file["shapes"])),
            x=file["x"],
            observed=file["observed"],
            outputs=outputs_of(file),
        )


def outputs_of(file: Any) -> dict[str, np.ndarray]:
    names = [name for name in file.files if name.startswith("output_")]
    return {name.removeprefix("output_"): file[name] for name in names}
