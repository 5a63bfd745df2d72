"""Checkpoint files, sound and broken, for the tests beside this module."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors
import torch
from reference import cases
from safetensors.torch import load_file, save_file

from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tspulse import TSPulse

TINY = cases.FOLDER / "hf_tiny"
SETTINGS = json.loads((TINY / "config.json").read_text())
SMALL = TSPulseConfig(
    context_length=16,
    patch_length=4,
    d_model=3,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=4,
    forecast_length=2,
)


def copy_tiny(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((TINY / name).read_bytes())
    return folder


def configure(folder: Path, **changes) -> Path:
    (folder / "config.json").write_text(json.dumps(SETTINGS | changes))
    return folder


def rewrite(path: Path, **changes) -> None:
    """Replace tensors of a file; None removes one. A double underscore stands for a dot."""
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    tensors |= {name.replace("__", "."): tensor for name, tensor in changes.items()}
    save_file({n: t for n, t in tensors.items() if t is not None}, path, metadata)


def write_raw(path: Path, header: bytes, n_bytes: int | None = None) -> None:
    """Write a file whose header need not be one."""
    length = len(header) if n_bytes is None else n_bytes
    path.write_bytes(length.to_bytes(8, "little") + header)


def same_weights(one: TSPulse, other: TSPulse) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(
        torch.equal(tensor, others[name]) for name, tensor in weights.items()
    )
