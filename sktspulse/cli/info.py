"""``sktspulse info``: the installation, or what is understood of a file."""

from __future__ import annotations

import platform
from argparse import Namespace
from dataclasses import asdict
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np

from .layout import TableLayout
from .options import add_table_options, new_command, summarized
from .panels import read_panel
from .recordings import Recording, describe_size, read_recordings, row_labels
from .stamps import is_stamps
from .tables import load_pandas, table_format

__all__ = ["add_info", "run_info"]

_NOTES = """\
Without a file: versions, shipped checkpoints and devices. With one: rows, channels, missing values,
time stamps and gaps, as the other commands understand them with the same options. The file is read
as a whole.
"""
_LIBRARIES = (
    *("numpy", "scipy", "scikit-learn", "torch", "skorch", "safetensors", "narwhals"),
    *("pandas", "polars", "pyarrow", "matplotlib", "faiss-cpu", "huggingface_hub"),
)


def add_info(commands: Any) -> None:
    """Add the command."""
    summary = "Describe the installation or a file."
    parser = new_command(commands, "info", run_info, summary, _NOTES, network=False)
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="file to describe")
    add_table_options(parser, freq=True)


def run_info(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Describe the installation or a file."""
    if options.file is None:
        return _describe_installation()
    if options.file.suffix == ".safetensors":
        text, facts = _describe_model(options.file)
    elif table_format(options.file) == "ts":
        text, facts = _describe_panel(options)
    else:
        text, facts = _describe_recordings(options)
    return summarized(options, f"{options.file}: {text}", **facts)


def _describe_installation() -> tuple[str, dict[str, Any]]:
    import torch

    from ..network import resolve_device, shipped_checkpoints

    devices = {
        "cpu": f"{torch.get_num_threads()} threads",
        **{f"cuda:{i}": torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())},
        **({"mps": "Apple"} if torch.backends.mps.is_available() else {}),
    }
    facts: dict[str, Any] = {
        "command": "info",
        "version": metadata.version("sktspulse"),
        "python": platform.python_version(),
        "checkpoints": {name: _size(name) for name in shipped_checkpoints()},
        "devices": devices,
        "default_device": str(resolve_device("auto")),
        "libraries": {name: _version(name) for name in _LIBRARIES},
    }
    lines = [f"sktspulse {facts['version']}, Python {facts['python']}", "", "Checkpoints:"]
    for name, sizes in facts["checkpoints"].items():
        lines.append(f"  {name}: {sizes['n_weights']:,} weights, {sizes['bytes'] / 1e6:.1f} MB")
    lines += ["", f"Devices (default: {facts['default_device']}):"]
    lines += [f"  {name}: {what}" for name, what in devices.items()]
    lines += ["", "Libraries:"]
    lines += [f"  {name} {found or 'not installed'}" for name, found in facts["libraries"].items()]
    return "\n".join(lines), facts


def _size(name: str | Path) -> dict[str, int]:
    from ..network import load_checkpoint

    n_weights = sum(weight.numel() for weight in load_checkpoint(name).parameters())
    return {"n_weights": n_weights, "bytes": 4 * n_weights}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _describe_model(path: Path) -> tuple[str, dict[str, Any]]:
    """Describe a network, or a fitted estimator."""
    from ..network import CheckpointError, load_checkpoint

    try:
        config = load_checkpoint(path).config
    except CheckpointError:
        model = import_module("sktspulse").load(path)
        name, n, classes = (
            type(model).__name__,
            model.n_channels_in_,
            getattr(model, "classes_", []),
        )
        labels = [str(label) for label in classes]
        text = f"{name}, {n} channels" + (f", classes {', '.join(labels)}" if labels else "")
        return f"{text}.", {"estimator": name, "n_channels": n, "classes": labels}
    size = f"{config.context_length} time points, {_size(path)['n_weights']:,} weights"
    return f"network for {size}.", {"estimator": None, "config": asdict(config)}


def _describe_panel(options: Namespace) -> tuple[str, dict[str, Any]]:
    series = read_panel([options.file], options)
    classes = sorted(set(series.labels or []))
    labels = f" Labels: {', '.join(classes[:10])}." if classes else ""
    facts = {"n_series": len(series.X), "classes": classes}
    return f"{series.describe_size()}.{labels}", facts


def _describe_recordings(options: Namespace) -> tuple[str, dict[str, Any]]:
    layout, recordings = read_recordings(options.file, options)
    pandas = load_pandas()
    values = pandas.concat([one.values for one in recordings])
    channels = {
        name: {
            "missing": int(values[name].isna().sum()),
            "longest_gap": max(_longest_gap(one.values[name]) for one in recordings),
            "min": float(values[name].min()),
            "max": float(values[name].max()),
        }
        for name in layout.channels
    }
    facts = {"n_recordings": len(recordings), "n_rows": len(values), "channels": channels}
    if layout.time is not None:
        facts["time"] = _describe_time(layout, recordings)
    table = pandas.DataFrame(channels).T.rename(columns={"longest_gap": "longest gap"})
    counts = table.astype({"missing": int, "longest gap": int}).to_string()
    return "\n".join([f"{describe_size(recordings)}.", *_time_lines(facts), counts]), facts


def _longest_gap(column: Any) -> int:
    known = np.flatnonzero(np.concatenate([[True], column.notna(), [True]]))
    return int(np.diff(known).max()) - 1


def _describe_time(layout: TableLayout, recordings: list[Recording]) -> dict[str, Any]:
    labels = [np.asarray(row_labels(layout, one)) for one in recordings]
    steps = load_pandas().concat(
        [one.values.index.to_series().diff().dropna() for one in recordings]
    )
    step, n_other = None, 0
    if len(steps):
        usual = steps.median()
        n_other = int((abs(steps - usual) > abs(usual) * 1e-6).sum())
        is_moment = is_stamps(layout.stamps)
        step = str(usual).removeprefix("0 days ") if is_moment else float(f"{usual:.6g}")
    return {
        "column": layout.time,
        "first": str(labels[0][0]),
        "last": str(labels[-1][-1]),
        "step": step,
        "n_inserted_rows": int(sum((one.rows < 0).sum() for one in recordings)),
        "n_irregular_steps": n_other,
    }


def _time_lines(facts: dict[str, Any]) -> list[str]:
    if "time" not in facts:
        return ["Time: none; rows are taken as evenly spaced. Pass --time COLUMN if there is one."]
    time = facts["time"]
    lines = [
        f"Time: column {time['column']!r}, from {time['first']} to {time['last']}, every "
        f"{time['step']}; {time['n_irregular_steps']:,} steps differ."
    ]
    if time["n_inserted_rows"]:
        lines.append(f"{time['n_inserted_rows']:,} rows are missing, and inserted by --freq.")
    return lines
