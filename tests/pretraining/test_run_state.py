"""A folder without a run has no state, and saved states are checked before they are used."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest
import torch

from sktspulse.network.config import TSPulseConfig
from sktspulse.pretraining.run_state import load_state

WEIGHTS = {"time": 1.0}


@pytest.fixture
def folder(tmp_path):
    state = {"config": asdict(TSPulseConfig()), "loss_weights": WEIGHTS, "step": 7}
    torch.save(state, tmp_path / "state.pt")
    return tmp_path


def test_a_folder_without_a_run_has_no_state(tmp_path):
    assert load_state(None, TSPulseConfig(), {}, resume=False) is None
    assert load_state(tmp_path, TSPulseConfig(), {}, resume=True) is None
    assert load_state(tmp_path / "nowhere", TSPulseConfig(), {}, resume=False) is None


def test_the_state_of_the_same_run_is_returned(folder):
    assert load_state(folder, TSPulseConfig(), WEIGHTS, resume=True)["step"] == 7


@pytest.mark.parametrize(
    ("config", "weights", "resume", "message"),
    [
        (TSPulseConfig(), WEIGHTS, False, "holds a run. Set resume=True"),
        (TSPulseConfig(patch_length=16), WEIGHTS, True, "another config"),
        (TSPulseConfig(), {"time": 2.0}, True, "another loss_weights: {'time': 1.0} instead of"),
    ],
)
def test_another_run_is_refused(folder, config, weights, resume, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        load_state(folder, config, weights, resume=resume)


def test_resuming_needs_a_folder():
    with pytest.raises(ValueError, match="resume=True needs path"):
        load_state(None, TSPulseConfig(), {}, resume=True)
