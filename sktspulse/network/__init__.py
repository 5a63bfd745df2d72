"""The TSPulse network, its checkpoints, and arrays through it."""

from .checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from .config import TSPulseConfig
from .files import write_atomically
from .inference import Progress, Read, fingerprint, infer, reconstruct, resolve_device
from .isolation import NewWeights, isolated
from .masks import block_mask, gap_mask, hybrid_mask, varied_mask
from .scaling import standardize
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
    "block_mask",
    "fingerprint",
    "gap_mask",
    "hybrid_mask",
    "infer",
    "isolated",
    "load_checkpoint",
    "reconstruct",
    "resolve_device",
    "save_checkpoint",
    "standardize",
    "varied_mask",
    "write_atomically",
]
