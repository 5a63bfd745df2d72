"""Put a trained checkpoint into the package, under a name that everybody can load.

    python examples/pretraining/ship_checkpoint.py runs/p8/tspulse-p8.safetensors tspulse-p8 \\
        --card card.md --windows 3000000

The checkpoint is loaded first, so that a damaged file is not shipped. The weights of several
checkpoints are averaged, which is better than each of them if they were trained from the same one.
The result is written to ``sktspulse/network/weights`` with its name, licence and number of windows,
together with its card. ``registry.json`` gets the hash that is checked on every load.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch

from sktspulse.network import TSPulse, load_checkpoint, save_checkpoint, write_atomically

PACKAGE = Path(__file__).parents[2] / "sktspulse" / "network" / "weights"
ABOUT = {"licence": "Apache-2.0", "recipe": "examples/pretraining/RECIPE.md"}


def mean(weights: Sequence[Path | str]) -> TSPulse:
    """Return a network with the mean of the weights of several of the same sizes."""
    networks = [load_checkpoint(path) for path in weights]
    averaged = deepcopy(networks[0])
    if any(network.config != averaged.config for network in networks):
        raise ValueError(f"{[*map(str, weights)]} have different sizes, so they have no mean.")
    several = [network.state_dict() for network in networks]
    means = {name: torch.stack([one[name] for one in several]).mean(0) for name in several[0]}
    averaged.load_state_dict(means)
    return averaged


def ship(
    weights: Sequence[Path | str],
    name: str,
    card: Path,
    folder: Path = PACKAGE,
    windows: int | None = None,
) -> dict[str, str]:
    """Write one checkpoint into the package and return its new entry in the registry."""
    network = mean(weights)
    entry = {"file": f"{name}.safetensors", "card": f"{name}.md"}
    text = card.read_bytes()
    save_checkpoint(network, folder / entry["file"], {"name": name, "windows": windows, **ABOUT})
    entry["sha256"] = hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest()
    write_atomically(folder / entry["card"], text)
    registry = json.loads((folder / "registry.json").read_text()) | {name: entry}
    text = json.dumps(registry, indent=2, sort_keys=True).encode()
    write_atomically(folder / "registry.json", text + b"\n")
    return entry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="+", help="files written by save_checkpoint, or names")
    parser.add_argument("name", help="name for users")
    parser.add_argument("--card", type=Path, required=True, help="Markdown page that describes it")
    parser.add_argument("--windows", type=int, help="number it was trained on")
    arguments = parser.parse_args()
    entry = ship(arguments.weights, arguments.name, arguments.card, windows=arguments.windows)
    print(f"{arguments.name}: {entry['file']}, sha256 {entry['sha256']}")


if __name__ == "__main__":
    main()
