"""``sktspulse pretrain``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sktspulse.network import load_checkpoint

pd = pytest.importorskip("pandas")
SHORT = ("-o", "run", "--epochs", "1", "--steps", "2", "--batch-size", "4")


def test_a_checkpoint_is_trained_and_training_goes_on(tiny, gestures):
    names = ("--id", "case", "--time", "t", "--columns", "x,y")
    answer = tiny("pretrain", gestures, *names, *SHORT)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("2 steps: loss ")
    assert load_checkpoint("run/checkpoint.safetensors").config.context_length == 64
    again = tiny("pretrain", gestures, *names, *SHORT)
    assert again.code == 1
    assert "run holds a run. Pass --resume to go on with it" in again.err
    resumed = tiny("pretrain", gestures, *names, *SHORT, "--resume", "--epochs", "2", "--json")
    assert resumed.facts["n_steps"] == 4
    assert Path(resumed.facts["output"]).is_file()


def test_corpora_are_passed_on(tiny, tmp_path):
    values = np.sin(np.arange(300) / 7).astype(np.float32)
    np.savez(tmp_path / "a.npz", values=values, offsets=[0, 100, 300], source=[0, 1])
    assert tiny("pretrain", "a.npz", *SHORT).code == 0
