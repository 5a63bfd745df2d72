"""Load and save networks: by shipped name, by path, or from the published checkpoints.

Files are safetensors with the configuration inside; nothing in them is ever executed. No
weight is read before the header is found to describe exactly the network of the
configuration, so a damaged or hostile file gives one error and costs little.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .config import TSPulseConfig
from .files import write_atomically
from .granite import config_from_granite, granite_layout
from .isolation import NewWeights, isolated
from .tspulse import TSPulse

__all__ = ["CheckpointError", "load_checkpoint", "save_checkpoint", "shipped_checkpoints"]

_FOLDER = Path(__file__).with_name("weights")
_METADATA_KEY = "sktspulse"
_FORMAT = 1
_MAX_JSON_BYTES = 2**20  # the largest published config.json has 4 kB
_WEIGHTS_PER_LAYER = 16  # two mixers of a norm, two linear maps and a gate, with their biases
_DTYPES = ("F32", "F16", "BF16")
# What reading a damaged file may raise; RecursionError is a RuntimeError.
_FAULTS = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)

Shape = tuple[int, ...]


class CheckpointError(ValueError):
    """A file is not a checkpoint of this network; the message says why."""


def load_checkpoint(
    name_or_path: str | os.PathLike[str],
    *,
    revision: str | None = None,
    device: str | torch.device = "cpu",
) -> TSPulse:
    """Load a network.

    A network is loaded once per process and device, and shared. Copy it before you
    change it.

    Parameters
    ----------
    name_or_path : str or path-like
        One of

        - a name in :func:`shipped_checkpoints`;
        - a ``.safetensors`` file written by :func:`save_checkpoint`;
        - a folder with the ``config.json`` and ``model.safetensors`` of a published
          checkpoint;
        - ``"organisation/name"`` or ``"organisation/name@revision"`` of a published
          checkpoint on the Hugging Face hub. Files downloaded before are used without
          a connection.
    revision : str, optional
        Branch, tag or commit on the hub. Takes precedence over one in the name.
    device : str or torch.device, default="cpu"
        Device of the weights.

    Returns
    -------
    TSPulse
        The network in evaluation mode, in single precision, without gradients.

    Raises
    ------
    CheckpointError
        If there is no such checkpoint, if it is damaged, or if it describes another
        network. A ``ValueError``.
    ImportError
        If a hub name is given and ``huggingface_hub`` is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sktspulse import TSPulseConfig
    >>> from sktspulse.network import TSPulse, load_checkpoint, save_checkpoint
    >>> with TemporaryDirectory() as folder:
    ...     save_checkpoint(TSPulse(TSPulseConfig(n_layers=1)), f"{folder}/small.safetensors")
    ...     load_checkpoint(f"{folder}/small.safetensors").config.n_layers
    1
    """
    source = _locate(name_or_path, revision)
    with _explained(source.weights):
        stamp = tuple(_stamp(path) for path in (source.weights, source.config) if path)
    return _load(source, torch.device(device), stamp)


def save_checkpoint(
    network: TSPulse,
    path: str | os.PathLike[str],
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Save a network atomically.

    Parameters
    ----------
    network : TSPulse
        The network. Its weights are stored in single precision.
    path : str or path-like
        Name of the file, ending in ``.safetensors``. A ``.json`` file beside it repeats
        the configuration and the metadata for people to read.
    metadata : mapping, optional
        Notes about the network that JSON can hold: data, recipe, licence.

    Raises
    ------
    ValueError
        If the name has another ending, a weight is not finite, or the metadata are too
        long.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"path is {str(path)!r}, expected a name that ends in '.safetensors'.")
    tensors = {
        name: tensor.detach().to("cpu", torch.float32).contiguous()
        for name, tensor in network.state_dict().items()
    }
    _check_finite(tensors)
    about = {"format": _FORMAT, "config": asdict(network.config), "metadata": dict(metadata or {})}
    text = json.dumps(about, indent=2, allow_nan=False)
    if len(text) > _MAX_JSON_BYTES // 2:
        raise ValueError(
            f"metadata takes {len(text)} characters, at most {_MAX_JSON_BYTES // 2} fit."
        )
    write_atomically(path.with_suffix(".json"), text.encode() + b"\n")
    # One key only: the order in which safetensors writes several is not reproducible.
    write_atomically(path, safetensors.torch.save(tensors, {_METADATA_KEY: text}))


def shipped_checkpoints() -> dict[str, dict[str, str]]:
    """List the checkpoints shipped with the package.

    Returns
    -------
    dict
        By name: ``file``, ``sha256`` of the file, and ``card``, the page that describes it.
    """
    registry: dict[str, dict[str, str]] = json.loads((_FOLDER / "registry.json").read_text())
    return registry


@dataclass(frozen=True)
class _Source:
    """Files of a checkpoint; ``config`` is set for the published format only."""

    weights: Path
    config: Path | None = None
    sha256: str | None = None


def _locate(name_or_path: str | os.PathLike[str], revision: str | None) -> _Source:
    source = _find_here(name_or_path)
    if source is None:
        repository, _, tag = str(name_or_path).partition("@")
        return _download(repository, revision or tag or None)
    if revision is not None:
        raise CheckpointError(
            f"revision={revision!r} is for models on the hub, but {str(name_or_path)!r} is a "
            "local one. Leave it out."
        )
    return source


def _find_here(name_or_path: str | os.PathLike[str]) -> _Source | None:
    """Find a shipped name or a path; return None for a name on the hub."""
    shipped = shipped_checkpoints()
    path, name = Path(name_or_path), str(name_or_path)
    if name in shipped:
        return _Source(_FOLDER / shipped[name]["file"], sha256=shipped[name]["sha256"])
    if path.is_dir():
        return _Source(path / "model.safetensors", path / "config.json")
    if path.exists() or path.suffix == ".safetensors":
        return _Source(path)
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*(@[\w./-]+)?", name):
        return None
    raise CheckpointError(
        f"There is no checkpoint {name!r}. Known names: {', '.join(sorted(shipped)) or 'none'}. "
        "Or pass a .safetensors file, a folder, or 'organisation/name' on the hub."
    )


def _download(repository: str, revision: str | None) -> _Source:
    try:
        hub: Any = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ImportError(
            f"Loading {repository!r} from the hub needs huggingface_hub: "
            "pip install 'sktspulse[hub]'. Or pass a folder with the downloaded files."
        ) from error

    def fetch(file: str, revision: str | None) -> Path:
        arguments = {"repo_id": repository, "filename": file, "revision": revision}
        try:
            return Path(hub.hf_hub_download(**arguments, local_files_only=True))
        except (OSError, ValueError):
            return Path(hub.hf_hub_download(**arguments))

    try:
        config = fetch("config.json", revision)
        # The folder is named after the commit, so that both files are of the same one.
        return _Source(fetch("model.safetensors", config.parent.name), config)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"Could not get {repository!r}, revision {revision or 'main'!r}, from the hub: {error} "
            "Check the name, the connection and HF_HUB_OFFLINE, or pass a folder."
        ) from error


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn every error that a damaged file may cause into a CheckpointError."""
    try:
        yield
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} cannot be loaded. It is not a safetensors file, or it is damaged: {error}."
        ) from error
    except _FAULTS as error:
        raise CheckpointError(f"{path} cannot be loaded. {error}") from error


def _stamp(path: Path) -> tuple[int, ...]:
    """Identify the content of a file."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("It is not a file.")
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=8)
def _load(source: _Source, device: torch.device, stamp: tuple[tuple[int, ...], ...]) -> TSPulse:
    """Load once; ``stamp`` changes with the file, so that a changed one is loaded again."""
    with isolated(device), _explained(source.weights):
        return _read(source).to(device).eval().requires_grad_(False)


def _read(source: _Source) -> TSPulse:
    _check_hash(source)
    settings = _parse(_read_json(source.config)) if source.config else None
    with safe_open(source.weights, "pt") as file:
        config = config_from_granite(settings) if settings else _stored_config(file.metadata())
        network = _skeleton(config, len(file.keys()))
        shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        layout = {name: (name, shape) for name, shape in shapes.items()}
        if settings:
            layout = granite_layout(shapes, config, settings)
        _check_layout(file, dict(layout.values()))
        # Copies, since the file may change after it was read.
        stored = {name: file.get_tensor(name).clone() for name, _ in layout.values()}
    _check_finite(stored)
    weights = {
        name: torch.zeros(shapes[name], dtype=torch.float32)
        for name in shapes.keys() - layout.keys()
    }
    for name, (stored_name, _) in layout.items():
        weights[name] = stored[stored_name].float().reshape(shapes[name])
    network.load_state_dict(weights, assign=True)
    return network


def _check_hash(source: _Source) -> None:
    if source.sha256 is None:
        return
    if hashlib.sha256(source.weights.read_bytes()).hexdigest() != source.sha256:
        raise ValueError("It is not the file that was shipped. Install the package again.")


def _read_json(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_JSON_BYTES)


def _stored_config(metadata: Mapping[str, str] | None) -> TSPulseConfig:
    """Read the configuration that ``save_checkpoint`` puts in."""
    if not metadata or _METADATA_KEY not in metadata:
        raise ValueError("It holds no configuration. Pass the folder if there is one beside it.")
    about = _parse(metadata[_METADATA_KEY])
    if about["format"] != _FORMAT:
        raise ValueError(f"Its format is {about['format']!r}, expected {_FORMAT}.")
    return TSPulseConfig.from_dict(about["config"])


def _check_layout(file: Any, expected: Mapping[str, Shape]) -> None:
    """Compare names, shapes and types with those expected, before any weight is read."""
    names = set(file.keys())
    if names != expected.keys():
        missing, unknown = _shorten(expected.keys() - names), _shorten(names - expected.keys())
        raise ValueError(f"Weights are missing: {missing}; unknown: {unknown}.")
    for name, shape in expected.items():
        stored = file.get_slice(name)
        kind, found = stored.get_dtype(), tuple(stored.get_shape())
        if found != shape or kind not in _DTYPES:
            kinds = ", ".join(_DTYPES)
            raise ValueError(f"{name} is {kind} {found}, expected {shape} of type {kinds}.")


def _parse(text: str | bytes) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise TypeError(f"It holds a JSON {type(content).__name__}, expected an object.")
    return content


def _skeleton(config: TSPulseConfig, n_tensors: int) -> TSPulse:
    """Build the network without memory or random numbers for its weights."""
    n_register_heads = (config.n_signature_bins > 0) + (config.forecast_length > 0)
    n_layers = config.n_layers + config.n_decoder_layers
    n_layers += n_register_heads * config.n_register_layers
    if n_layers * _WEIGHTS_PER_LAYER > n_tensors:
        raise ValueError(f"It describes {n_layers} layers but holds {n_tensors} weights.")
    with NewWeights():
        return TSPulse(config)


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    bad = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if bad:
        raise ValueError(f"Weights are NaN or infinite: {_shorten(bad)}.")


def _shorten(names: Collection[str]) -> str:
    """List the first three names and count the others."""
    shown = ", ".join(sorted(names)[:3]) or "none"
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
