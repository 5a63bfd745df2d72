"""Load and save networks: by shipped name, by path, or from the published checkpoints.

Files hold the configuration; nothing in them is ever executed. No weight is read before the
header is found to describe exactly the network of the configuration, so a damaged or hostile
file gives one error and costs little.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..lazy import import_extra
from .config import TSPulseConfig
from .files import file_status, open_file, write_together
from .granite import config_from_granite, granite_layout
from .inference import resolve_device
from .isolation import NewWeights, isolated
from .tensor_files import TensorFile, check_hash, dump_tensors, explained
from .tspulse import TSPulse

__all__ = [
    "CheckpointError",
    "build_network",
    "load_checkpoint",
    "save_checkpoint",
    "shipped_checkpoints",
    "weight_shapes",
]

_FOLDER = Path(__file__).with_name("weights")
_METADATA_KEY = "sktspulse"
_FORMAT = 1
_MAX_JSON_BYTES = 2**20  # the largest published config.json has 4 kB
_MAX_LAYERS = 256  # building thousands from a hostile file would take minutes
_WEIGHTS_PER_LAYER = 16  # two mixers of a norm, two linear maps and a gate, with their biases
_DTYPES = ("F32", "F16", "BF16")

Shape = tuple[int, ...]


class CheckpointError(ValueError):
    """A file is not a checkpoint of this network; the message says why."""


def load_checkpoint(
    name_or_path: str | os.PathLike[str],
    *,
    revision: str | None = None,
    device: str | torch.device = "cpu",
    download: bool = True,
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
        Device of the weights; ``"auto"`` takes CUDA, else MPS, else the CPU.
    download : bool, default=True
        Whether to fetch a checkpoint from the hub that was not downloaded before. If False,
        that is an error, and nothing is sent over the network.

    Returns
    -------
    TSPulse
        The network in evaluation mode, in single precision, without gradients.

    Raises
    ------
    CheckpointError
        If there is no such checkpoint, if it is damaged, or if it describes another
        network. A ``ValueError``.
    ValueError
        If there is no such device.
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
    source = _locate(name_or_path, revision, download)
    stamp = tuple(_stamp(path) for path in (source.weights, source.config) if path)
    return _load(source, resolve_device(device), stamp)


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
        Name of the file, ending in ``.safetensors``. It holds the weights, the
        configuration, the metadata, and a hash of all three. A ``.json`` file beside it
        repeats all but the weights for people to read.
    metadata : mapping, optional
        Notes about the network that JSON can hold: data, recipe, licence.

    Raises
    ------
    ValueError
        If the name has another ending or is that of a folder, a weight is not finite, the
        metadata are too long, or the network has more than 256 layers.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"path is {str(path)!r}, expected a name that ends in '.safetensors'.")
    if path.is_dir():
        raise ValueError(f"path is {str(path)!r}, a folder. Pass the name of a file in it.")
    _check_depth(network.config)
    tensors = {name: tensor.float() for name, tensor in network.state_dict().items()}
    _check_finite(tensors)
    about = {"format": _FORMAT, "config": asdict(network.config), "metadata": dict(metadata or {})}
    content, text = dump_tensors(tensors, _METADATA_KEY, about)
    if len(text) > _MAX_JSON_BYTES // 2:
        raise ValueError(
            f"metadata takes {len(text)} characters, at most {_MAX_JSON_BYTES // 2} fit."
        )
    write_together({path: content, path.with_suffix(".json"): text.encode() + b"\n"})


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


def _locate(name_or_path: str | os.PathLike[str], revision: str | None, download: bool) -> _Source:
    source = _find_here(name_or_path)
    if source is None:
        repository, _, tag = str(name_or_path).partition("@")
        return _fetch(repository, revision or tag or None, download)
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
    if _exists(path) and path.is_dir():
        return _Source(path / "model.safetensors", path / "config.json")
    if _exists(path) or path.suffix == ".safetensors":
        return _Source(path)
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*(@[\w./-]+)?", name):
        return None
    known = ", ".join(sorted(shipped)) or "none"
    raise CheckpointError(
        f"There is no checkpoint {name[:200]!r}. Known names: {known}. "
        "Or pass a .safetensors file, a folder, or 'organisation/name' on the hub."
    )


def _exists(path: Path) -> bool:
    """Look for a path; one that the system does not permit is not there."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _fetch(repository: str, revision: str | None, download: bool) -> _Source:
    hub = import_extra(
        "huggingface_hub",
        "hub",
        f"Loading {repository!r} from the hub",
        otherwise="Or pass a folder with the downloaded files.",
    )

    def fetch(file: str, revision: str | None) -> Path:
        arguments = {"repo_id": repository, "filename": file, "revision": revision}
        try:
            return Path(hub.hf_hub_download(**arguments, local_files_only=True))
        except (OSError, ValueError):
            if not download:
                raise
            return Path(hub.hf_hub_download(**arguments))

    try:
        config = fetch("config.json", revision)
        # The folder is named after the commit, so that both files are of the same one.
        return _Source(fetch("model.safetensors", config.parent.name), config)
    except (OSError, ValueError) as error:
        if not download:
            raise CheckpointError(
                f"Checkpoint {repository!r}, revision {revision or 'main'!r}, is not on this "
                "machine. If you trust it, download it first, with load_checkpoint."
            ) from error
        raise CheckpointError(
            f"Could not get {repository!r}, revision {revision or 'main'!r}, from the hub: {error} "
            "Check the name, the connection and HF_HUB_OFFLINE, or pass a folder."
        ) from error


def _reading(path: Path) -> AbstractContextManager[None]:
    """Turn every error that a damaged file may cause into a CheckpointError."""
    remedy = "Copy or download it again, or save it again with save_checkpoint."
    return explained(path, "a checkpoint", remedy, CheckpointError)


def _stamp(path: Path) -> tuple[int, ...]:
    """Identify the content of a file."""
    with _reading(path):
        status = file_status(path)
    changed = status.st_mtime_ns, status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, *changed


@lru_cache(maxsize=8)
def _load(source: _Source, device: torch.device, stamp: tuple[tuple[int, ...], ...]) -> TSPulse:
    """Load once; ``stamp`` changes with the file, so that a changed one is loaded again."""
    settings = config = None
    if source.config:
        with _reading(source.config):
            settings = _parse(_read_json(source.config))
            config = config_from_granite(settings)
    with isolated(device), _reading(source.weights):
        return _read(source, settings, config).to(device).eval().requires_grad_(False)


def _read(
    source: _Source, settings: dict[str, Any] | None, config: TSPulseConfig | None
) -> TSPulse:
    with TensorFile.open(source.weights) as file:
        if source.sha256 not in (None, file.sha256()):
            raise ValueError("It is not the file that was shipped. Install the package again.")
        about = file.describe(_METADATA_KEY)
        config = config or _stored_config(about)
        network = _skeleton(config, len(file.kinds))
        shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        layout = {name: (name, shape) for name, shape in shapes.items()}
        if settings:
            layout = granite_layout(shapes, config, settings)
        _check_layout(file.kinds, dict(layout.values()))
        stored = file.load()
    _check_finite(stored)
    check_hash(stored, about)
    weights = {
        name: torch.zeros(shapes[name], dtype=torch.float32)
        for name in shapes.keys() - layout.keys()
    }
    for name, (stored_name, _) in layout.items():
        weights[name] = stored[stored_name].float().reshape(shapes[name])
    network.load_state_dict(weights, assign=True)
    return network


def build_network(config: TSPulseConfig, weights: Mapping[str, Tensor]) -> TSPulse:
    """Return a network of the given weights, on the CPU; it shares their memory.

    A ValueError says if they are not those of such a network, or not finite.
    """
    network = _skeleton(config, len(weights))
    kinds = {name: (_type_name(weight), tuple(weight.shape)) for name, weight in weights.items()}
    _check_layout(kinds, {name: tuple(w.shape) for name, w in network.state_dict().items()})
    _check_finite(weights)
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


def _type_name(weight: Tensor) -> str:
    return "F32" if weight.dtype == torch.float32 else str(weight.dtype)


def _read_json(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(_MAX_JSON_BYTES)


def _stored_config(about: Mapping[str, Any] | None) -> TSPulseConfig:
    """Read the configuration that ``save_checkpoint`` puts in."""
    if about is None:
        raise ValueError("It holds no configuration. Pass the folder if there is one beside it.")
    if about["format"] != _FORMAT:
        raise ValueError(f"Its format is {about['format']!r}, expected {_FORMAT}.")
    return TSPulseConfig.from_dict(about["config"])


def _check_layout(kinds: Mapping[str, tuple[str, Shape]], expected: Mapping[str, Shape]) -> None:
    """Compare names, shapes and types with those expected, before any weight is read."""
    if kinds.keys() != expected.keys():
        missing = _shorten(expected.keys() - kinds.keys())
        unknown = _shorten(kinds.keys() - expected.keys())
        raise ValueError(f"Weights are missing: {missing}; unknown: {unknown}.")
    for name, shape in expected.items():
        kind, found = kinds[name]
        if found != shape or kind not in _DTYPES:
            accepted = ", ".join(_DTYPES)
            raise ValueError(f"{name} is {kind} {found}, expected {shape} of type {accepted}.")


def _parse(text: str | bytes) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise TypeError(f"It holds a JSON {type(content).__name__}, expected an object.")
    return content


def weight_shapes(config: TSPulseConfig) -> dict[str, Shape]:
    """Return the shape of every weight of a network, by name, without building it."""
    _check_depth(config)
    return {name: tuple(tensor.shape) for name, tensor in _build(config).state_dict().items()}


def _skeleton(config: TSPulseConfig, n_tensors: int) -> TSPulse:
    """Build the network if a file of so many tensors can be its own."""
    n_layers = _check_depth(config)
    if n_layers * _WEIGHTS_PER_LAYER > n_tensors:
        raise ValueError(f"It describes {n_layers} layers but holds {n_tensors} weights.")
    return _build(config)


def _check_depth(config: TSPulseConfig) -> int:
    """Return the number of layers, unless there are too many."""
    n_register_heads = (config.n_signature_bins > 0) + (config.forecast_length > 0)
    n_layers = config.n_layers + config.n_decoder_layers
    n_layers += n_register_heads * config.n_register_layers
    if n_layers > _MAX_LAYERS:
        raise ValueError(f"The network has {n_layers} layers, at most {_MAX_LAYERS} are supported.")
    return n_layers


def _build(config: TSPulseConfig) -> TSPulse:
    """Build a network without memory or random numbers for its weights."""
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
