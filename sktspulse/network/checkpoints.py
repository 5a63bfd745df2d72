"""Load and save networks: by shipped name, by path, or from the published checkpoints.

Files are safetensors with the configuration inside; nothing in them is ever executed. A file
is read only after its header has been found to describe exactly the network that its
configuration asks for, so that a broken or hostile file gives one error and little work.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .config import TSPulseConfig
from .files import write_atomically
from .granite import config_of, layout_of
from .tspulse import TSPulse

__all__ = ["CheckpointError", "load_checkpoint", "save_checkpoint", "shipped_checkpoints"]

_FOLDER = Path(__file__).with_name("weights")
_METADATA_KEY = "sktspulse"
_FORMAT = 1
_MAX_JSON_BYTES = 2**20  # the largest published header has 35 kB, the largest config.json 4 kB
_WEIGHTS_PER_LAYER = 16  # two mixers of a norm, two linear maps and a gate, with their biases
_BYTES_PER_NUMBER = {"F32": 4, "F16": 2, "BF16": 2}
# What reading a damaged file may raise; RuntimeError has too deep a recursion in it.
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
    """Tell that something is not a checkpoint of this network, and why."""


def load_checkpoint(
    name_or_path: str | os.PathLike[str],
    *,
    revision: str | None = None,
    device: str | torch.device = "cpu",
) -> TSPulse:
    """Load a network.

    A network is loaded once per process and device, and shared: copy it before
    you change it.

    Parameters
    ----------
    name_or_path : str or path-like
        One of

        - a name in :func:`shipped_checkpoints`;
        - a ``.safetensors`` file written by :func:`save_checkpoint`;
        - a folder with the ``config.json`` and ``model.safetensors`` of a published
          checkpoint;
        - ``"organisation/name"`` or ``"organisation/name@revision"`` of a published
          checkpoint on the Hugging Face hub. Files that were downloaded before are
          used without asking the hub.
    revision : str, optional
        Branch, tag or commit on the hub; comes before one in the name.
    device : str or torch.device, default="cpu"
        Where the weights go.

    Returns
    -------
    TSPulse
        The network in evaluation mode, in single precision, its gradients switched off.

    Raises
    ------
    CheckpointError
        If there is no such checkpoint, it is damaged, or it asks for another network.
        A ``ValueError``.
    ImportError
        If a hub name is given and ``huggingface_hub`` is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sktspulse._checkpoints import load_checkpoint, save_checkpoint
    >>> from sktspulse._config import TSPulseConfig
    >>> from sktspulse._network import TSPulse
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
    """Save a network, whole or not at all.

    Parameters
    ----------
    network : TSPulse
        The network. Its weights are stored in single precision.
    path : str or path-like
        Name of the file, ending in ``.safetensors``. A ``.json`` file beside it repeats
        the configuration and the metadata for people to read.
    metadata : mapping, optional
        Anything about the network that JSON can hold: data, recipe, licence.

    Raises
    ------
    ValueError
        If the name has another ending, a weight is not finite, or the metadata are long.
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
        raise ValueError(f"metadata takes {len(text)} characters, at most half a million fit.")
    write_atomically(path.with_suffix(".json"), text.encode() + b"\n")
    # One key only: the order in which safetensors writes several is not reproducible.
    write_atomically(path, safetensors.torch.save(tensors, {_METADATA_KEY: text}))


def shipped_checkpoints() -> dict[str, dict[str, str]]:
    """List the checkpoints that came with the package.

    Returns
    -------
    dict
        By name: ``file``, ``sha256`` of the file, and ``card``, the page that describes it.
    """
    registry: dict[str, dict[str, str]] = json.loads((_FOLDER / "registry.json").read_text())
    return registry


@dataclass(frozen=True)
class _Source:
    """Where a checkpoint lies; ``config`` is set for the published format only."""

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
            f"revision={revision!r} is for models on the hub, but {str(name_or_path)!r} is here."
        )
    return source


def _find_here(name_or_path: str | os.PathLike[str]) -> _Source | None:
    """Find a shipped name or a path; None stands for a name on the hub."""
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
        "Or give a .safetensors file, a folder, or 'organisation/name' on the hub."
    )


def _download(repository: str, revision: str | None) -> _Source:
    try:
        hub: Any = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ImportError(
            f"Loading {repository!r} from the hub needs huggingface_hub: "
            "pip install 'sktspulse[hub]'. Or give a folder with the downloaded files."
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
            "Check the name, the connection and HF_HUB_OFFLINE, or give a folder."
        ) from error


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes go wrong into one error."""
    try:
        yield
    except (*_FAULTS, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be loaded. {error}") from error


def _stamp(path: Path) -> tuple[int, ...]:
    """Tell one content of a file from the next."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("It is not a file.")
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=8)
@torch.inference_mode(mode=False)
def _load(source: _Source, device: torch.device, stamp: tuple[tuple[int, ...], ...]) -> TSPulse:
    """Load once; ``stamp`` makes another source of a file that has changed."""
    with _explained(source.weights):
        network = _read(source)
    return network.to(device).eval().requires_grad_(False)


def _read(source: _Source) -> TSPulse:
    header = _read_header(source.weights)
    settings = _parse(_read_start(source.config, _MAX_JSON_BYTES)) if source.config else None
    config = header.config() if settings is None else config_of(settings)
    network = _skeleton(config, len(header.tensors))
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    layout = {name: (name, shape) for name, shape in shapes.items()}
    if settings is not None:
        layout = layout_of(shapes, config, settings)
    header.check(dict(layout.values()), source.weights.stat().st_size)
    stored = _read_tensors(source)
    weights = {name: torch.zeros(shapes[name]) for name in shapes.keys() - layout.keys()}
    for name, (stored_name, _) in layout.items():
        weights[name] = stored[stored_name].float().reshape(shapes[name])
    network.load_state_dict(weights, assign=True)
    return network


@dataclass(frozen=True)
class _Header:
    """What a safetensors file says it holds."""

    n_bytes: int
    tensors: dict[str, dict[str, Any]]
    metadata: dict[str, str]

    def config(self) -> TSPulseConfig:
        """Read the configuration that ``save_checkpoint`` puts in."""
        if _METADATA_KEY not in self.metadata:
            raise ValueError(
                "It holds no configuration. Give the folder if there is one beside it."
            )
        about = _parse(self.metadata[_METADATA_KEY])
        if about["format"] != _FORMAT:
            raise ValueError(f"Its format is {about['format']!r}, expected {_FORMAT}.")
        return TSPulseConfig.from_dict(about["config"])

    def check(self, expected: Mapping[str, Shape], file_bytes: int) -> None:
        """Compare names, shapes, types and the size of the file with what is expected."""
        if self.tensors.keys() != expected.keys():
            missing = _some(expected.keys() - self.tensors.keys())
            surplus = _some(self.tensors.keys() - expected.keys())
            raise ValueError(f"Weights are missing: {missing}; not known: {surplus}.")
        n_bytes = self.n_bytes
        for name, shape in expected.items():
            kind, found = self.tensors[name]["dtype"], tuple(self.tensors[name]["shape"])
            if found != shape or kind not in _BYTES_PER_NUMBER:
                kinds = ", ".join(_BYTES_PER_NUMBER)
                raise ValueError(f"{name} is {kind} {found}, expected one of {kinds} {shape}.")
            n_bytes += _BYTES_PER_NUMBER[kind] * math.prod(shape)
        if file_bytes != n_bytes:
            raise ValueError(f"It has {file_bytes} bytes, expected {n_bytes}: it is damaged.")


def _read_header(path: Path) -> _Header:
    n_bytes = 8 + int.from_bytes(_read_start(path, 8), "little")
    if not 8 < n_bytes <= min(path.stat().st_size, _MAX_JSON_BYTES):
        raise ValueError("It is not a safetensors file, or it is damaged.")
    tensors = _parse(_read_start(path, n_bytes)[8:])
    metadata = tensors.pop("__metadata__", {})
    return _Header(n_bytes, tensors, metadata)


def _read_start(path: Path, n_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(n_bytes)


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
        raise ValueError(f"It asks for {n_layers} layers but holds {n_tensors} weights.")
    with torch.device("meta"), _WithoutDraws():
        return TSPulse(config)


class _WithoutDraws(TorchFunctionMode):
    """Leave out normal draws, for which the meta device would import symbolic algebra."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return (torch.empty if func is torch.randn else func)(*args, **(kwargs or {}))


def _read_tensors(source: _Source) -> dict[str, Tensor]:
    content = source.weights.read_bytes()
    if source.sha256 not in (None, hashlib.sha256(content).hexdigest()):
        raise ValueError("It is not the file that was shipped. Install the package again.")
    tensors = safetensors.torch.load(content)
    _check_finite(tensors)
    return tensors


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    bad = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if bad:
        raise ValueError(f"Weights are NaN or infinite: {_some(bad)}.")


def _some(names: Collection[str]) -> str:
    """List names, but not hundreds of them."""
    shown = ", ".join(sorted(names)[:3]) or "none"
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
