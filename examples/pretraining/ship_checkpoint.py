"""Put a trained checkpoint into the package, under a name that everybody can load.

    python examples/pretraining/ship_checkpoint.py run/last.safetensors tspulse-p8 --card card.md

The checkpoint is loaded first, so that what cannot be read is not shipped. Its weights, its
configuration and its card are then copied to ``sktspulse/checkpoints``, and ``registry.json``
there gets the hash by which every load is checked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from sktspulse._checkpoints import load_checkpoint, write_atomically

PACKAGE = Path(__file__).parents[2] / "sktspulse" / "checkpoints"


def ship(weights: Path, name: str, card: Path, folder: Path = PACKAGE) -> dict[str, str]:
    """Copy one checkpoint into the package and return its new entry in the registry."""
    load_checkpoint(weights)
    content = weights.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    entry = {"file": f"{name}.safetensors", "sha256": digest, "card": f"{name}.md"}
    registry = json.loads((folder / "registry.json").read_text()) | {name: entry}
    for source, suffix in ((weights.with_suffix(".json"), ".json"), (card, ".md")):
        write_atomically(folder / f"{name}{suffix}", source.read_bytes())
    write_atomically(folder / entry["file"], content)
    text = json.dumps(registry, indent=2, sort_keys=True)
    write_atomically(folder / "registry.json", text.encode() + b"\n")
    return entry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="file written by save_checkpoint")
    parser.add_argument("name", help="what users will call it")
    parser.add_argument("--card", type=Path, required=True, help="Markdown page that describes it")
    arguments = parser.parse_args()
    entry = ship(arguments.weights, arguments.name, arguments.card)
    print(f"{arguments.name}: {entry['file']}, sha256 {entry['sha256']}")


if __name__ == "__main__":
    main()
