"""Put a trained checkpoint into the package, under a name that everybody can load.

    python examples/pretraining/ship_checkpoint.py runs/p8/tspulse-p8.safetensors tspulse-p8 \\
        --card card.md --windows 3000000

The checkpoint is loaded first, so that what cannot be read is not shipped. It is then written to
``sktspulse/checkpoints`` with its name, licence and the windows it was trained on, its card beside
it, and ``registry.json`` there gets the hash by which every load is checked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from sktspulse._checkpoints import load_checkpoint, save_checkpoint, write_atomically

PACKAGE = Path(__file__).parents[2] / "sktspulse" / "checkpoints"
ABOUT = {"licence": "Apache-2.0", "recipe": "examples/pretraining/RECIPE.md"}


def ship(
    weights: Path, name: str, card: Path, folder: Path = PACKAGE, windows: int | None = None
) -> dict[str, str]:
    """Write one checkpoint into the package and return its new entry in the registry."""
    network = load_checkpoint(weights)
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
    parser.add_argument("weights", type=Path, help="file written by save_checkpoint")
    parser.add_argument("name", help="what users will call it")
    parser.add_argument("--card", type=Path, required=True, help="Markdown page that describes it")
    parser.add_argument("--windows", type=int, help="it was trained on")
    arguments = parser.parse_args()
    entry = ship(arguments.weights, arguments.name, arguments.card, windows=arguments.windows)
    print(f"{arguments.name}: {entry['file']}, sha256 {entry['sha256']}")


if __name__ == "__main__":
    main()
