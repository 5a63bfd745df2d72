"""A small network, and what it was saved as."""

from __future__ import annotations

from pathlib import Path

import pytest
from network.checkpoint_files import SMALL, copy_tiny

from sktspulse.network.checkpoints import save_checkpoint
from sktspulse.network.tspulse import TSPulse


@pytest.fixture
def network() -> TSPulse:
    return TSPulse(SMALL)


@pytest.fixture
def saved(network, tmp_path) -> Path:
    """Give a checkpoint in our format."""
    save_checkpoint(network, tmp_path / "small.safetensors", {"recipe": "none"})
    return tmp_path / "small.safetensors"


@pytest.fixture
def published(tmp_path) -> Path:
    """Give a checkpoint as the reference library saves it, for a test to damage."""
    return copy_tiny(tmp_path / "published")
