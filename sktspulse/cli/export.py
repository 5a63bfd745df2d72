"""``sktspulse export``: a model as a file that works without torch."""

from __future__ import annotations

from argparse import Namespace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .embed import add_embedding
from .options import add_output, new_command, positive, summarized
from .tables import check_new

__all__ = ["add_export", "run_export"]

_NOTES = """\
MODEL is a file that the method save of an estimator or classify train wrote, or a network: a
shipped name, or a checkpoint. A network is exported as TSPulseTransformer, which embeds series of
--channels channels. sktspulse.onnx.load reads the file, with NumPy and onnxruntime alone.

  sktspulse export gestures.safetensors -o gestures.onnx
  sktspulse export tspulse-p8 --channels 3 -o embed.onnx
"""


def add_export(commands: Any) -> None:
    """Add the command."""
    summary = "Export a model to ONNX."
    parser = new_command(commands, "export", run_export, summary, _NOTES, network=False)
    parser.add_argument("model", metavar="MODEL", help="file of an estimator, or a network")
    parser.add_argument(
        "--channels", type=positive, default=1, metavar="N", help="of a network (default: 1)"
    )
    add_embedding(parser)
    parser.add_argument("--checkpoint", metavar="NAME", help="network of the estimator, if moved")
    add_output(parser, "model, a file that ends in .onnx")


def run_export(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Export a model."""
    check_new(options.output, force=options.force, ending=".onnx")
    estimator = _estimator(options)
    from ..onnx import export_onnx

    export_onnx(estimator, options.output)
    name, size = type(estimator).__name__, options.output.stat().st_size
    n_channels = int(estimator.n_channels_in_)
    plural = "s" if n_channels > 1 else ""
    text = f"{options.model}: {name} of {n_channels} channel{plural}, {size / 1e6:.1f} MB."
    facts = {"model": options.model, "estimator": name, "n_channels": n_channels, "bytes": size}
    return summarized(options, text, options.output, **facts)


def _estimator(options: Namespace) -> Any:
    """Load an estimator, or return one that embeds series by a network."""
    from ..network import CheckpointError, load_checkpoint

    try:
        n_timepoints = load_checkpoint(options.model).config.context_length
    except CheckpointError:
        if not Path(options.model).is_file():
            raise
        load = import_module("sktspulse").load
        return load(options.model, checkpoint=options.checkpoint, device="cpu")
    from ..embedding import TSPulseTransformer

    embedder = TSPulseTransformer(options.embedding, checkpoint=options.model, device="cpu")
    return embedder.fit(np.zeros((1, options.channels, n_timepoints)))
