"""The TSPulse network, its checkpoints, and arrays through it.

What needs torch is imported on first use: exported models run without it.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .config import TSPulseConfig
from .files import open_file, replaced, write_atomically, write_together
from .reading import Heads, Network, Progress, Read, infer, reconstruct
from .scaling import standardize
from .threads import limit_threads, side_by_side

if TYPE_CHECKING:
    from .checkpoints import (
        CheckpointError,
        build_network,
        load_checkpoint,
        save_checkpoint,
        shipped_checkpoints,
        weight_shapes,
    )
    from .inference import fingerprint, resolve_device
    from .isolation import NewWeights, isolated
    from .masks import block_mask, gap_mask, hybrid_mask, varied_mask
    from .tensor_files import (
        Place,
        TensorFile,
        check_hash,
        dump_tensors,
        explained,
        stream_tensors,
    )
    from .tslens import TSLensConfig, TSLensNetwork
    from .tspulse import Prediction, SpectralSignature, Spectrum, TSPulse

__all__ = [
    "CheckpointError",
    "Heads",
    "Network",
    "NewWeights",
    "Place",
    "Prediction",
    "Progress",
    "Read",
    "SpectralSignature",
    "Spectrum",
    "TSLensConfig",
    "TSLensNetwork",
    "TSPulse",
    "TSPulseConfig",
    "TensorFile",
    "block_mask",
    "build_network",
    "check_hash",
    "dump_tensors",
    "explained",
    "fingerprint",
    "gap_mask",
    "hybrid_mask",
    "infer",
    "isolated",
    "limit_threads",
    "load_checkpoint",
    "open_file",
    "reconstruct",
    "replaced",
    "resolve_device",
    "save_checkpoint",
    "shipped_checkpoints",
    "side_by_side",
    "standardize",
    "stream_tensors",
    "varied_mask",
    "weight_shapes",
    "write_atomically",
    "write_together",
]

__getattr__ = on_first_use(
    __name__,
    {
        "checkpoints": "CheckpointError build_network load_checkpoint save_checkpoint "
        "shipped_checkpoints weight_shapes",
        "inference": "fingerprint resolve_device",
        "isolation": "NewWeights isolated",
        "masks": "block_mask gap_mask hybrid_mask varied_mask",
        "tensor_files": "Place TensorFile check_hash dump_tensors explained stream_tensors",
        "tslens": "TSLensConfig TSLensNetwork",
        "tspulse": "Prediction SpectralSignature Spectrum TSPulse",
    },
)
