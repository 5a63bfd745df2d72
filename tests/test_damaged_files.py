"""Files that are damaged at random are loaded or refused by name, and cost little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sktspulse

pytest.importorskip("resource", reason="this system has no limits of memory")


@pytest.mark.parametrize("n_mutations", [60, pytest.param(2000, marks=pytest.mark.nightly)])
def test_damage_at_random_is_one_error_that_names_the_file(tmp_path, n_mutations):
    script = Path(__file__).with_name("mutations.py")
    command = [sys.executable, str(script), str(tmp_path), str(n_mutations), "0"]
    home = {"PYTHONPATH": str(Path(sktspulse.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        command, env=os.environ | home, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["faults"] == []
    assert 0 < answer["n_loaded"] < n_mutations / 2
