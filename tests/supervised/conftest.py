"""An untrained network that answers at once."""

from __future__ import annotations

import pytest
import torch

from sktspulse import TSPulseConfig
from sktspulse.network.checkpoints import save_checkpoint
from sktspulse.network.tspulse import TSPulse

SIZES = {"context_length": 32, "patch_length": 4, "d_model": 6, "n_layers": 1}
SIZES |= {"n_decoder_layers": 1, "n_registers": 2, "n_signature_bins": 0, "forecast_length": 0}


@pytest.fixture(scope="session")
def network():
    """Draw an untrained network of 32 time points."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TSPulse(TSPulseConfig(**SIZES)).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def checkpoint(network, tmp_path_factory):
    """Save that network."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    save_checkpoint(network, path)
    return path
