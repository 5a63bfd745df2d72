"""The TSPulse network, its checkpoints, and arrays through it."""

from .checkpoints import (
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
    shipped_checkpoints,
    weight_shapes,
)
from .config import TSPulseConfig
from .files import open_file, write_atomically, write_together
from .inference import Progress, Read, fingerprint, infer, reconstruct, resolve_device
from .isolation import NewWeights, isolated
from .masks import block_mask, gap_mask, hybrid_mask, varied_mask
from .scaling import standardize
from .tensor_files import TensorFile, check_hash, dump_tensors, explained
from .threads import limit_threads, side_by_side
from .tslens import TSLensConfig, TSLensNetwork
from .tspulse import Prediction, SpectralSignature, Spectrum, TSPulse

__all__ = [
    "CheckpointError",
    "NewWeights",
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
    "resolve_device",
    "save_checkpoint",
    "shipped_checkpoints",
    "side_by_side",
    "standardize",
    "varied_mask",
    "weight_shapes",
    "write_atomically",
    "write_together",
]
