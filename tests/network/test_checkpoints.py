"""What is saved is loaded, and what is shipped is what was trained."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from network.checkpoint_files import SMALL, TINY, rewrite, same_weights
from safetensors.torch import load_file, save_file

from sktspulse.network import checkpoints
from sktspulse.network.checkpoints import (
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
    shipped_checkpoints,
)
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.files import write_atomically
from sktspulse.network.tspulse import TSPulse

SHIP = Path(__file__).parents[2] / "examples" / "pretraining" / "ship_checkpoint.py"

# --- Our format


def test_what_is_saved_is_loaded(network, saved):
    loaded = load_checkpoint(saved)
    assert loaded.config == SMALL
    assert same_weights(loaded, network)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert same_weights(load_checkpoint(str(saved)), network)


def test_the_configuration_is_inside_and_beside(saved):
    with safetensors.safe_open(saved, "pt") as file:
        inside = json.loads(file.metadata()["sktspulse"])
    assert inside == json.loads(saved.with_suffix(".json").read_text())
    assert inside["config"] == asdict(SMALL)
    assert inside["metadata"] == {"recipe": "none"}
    saved.with_suffix(".json").unlink()
    assert load_checkpoint(saved).config == SMALL


def test_files_are_the_same_every_time(network, saved):
    again = saved.with_name("again.safetensors")
    save_checkpoint(network, again, {"recipe": "none"})
    assert again.read_bytes() == saved.read_bytes()
    assert {path.suffix for path in saved.parent.iterdir()} == {".safetensors", ".json"}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_files_are_in_single_precision(network, tmp_path, dtype):
    save_checkpoint(network.to(dtype), tmp_path / "a.safetensors")
    assert {t.dtype for t in load_file(tmp_path / "a.safetensors").values()} == {torch.float32}
    assert same_weights(load_checkpoint(tmp_path / "a.safetensors"), network.float())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_stored_half_precision_becomes_single(published, dtype):
    weights = published / "model.safetensors"
    save_file({name: t.to(dtype) for name, t in load_file(weights).items()}, weights)
    loaded = load_checkpoint(published)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    for name, tensor in load_checkpoint(TINY).state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.to(dtype).float())


def test_a_network_without_registers_is_saved_and_loaded(tmp_path):
    sizes = {"n_registers": 0, "n_register_layers": 0, "n_signature_bins": 0, "forecast_length": 0}
    network = TSPulse(TSPulseConfig.from_dict(asdict(SMALL) | sizes))
    save_checkpoint(network, tmp_path / "a.safetensors")
    assert same_weights(load_checkpoint(tmp_path / "a.safetensors"), network)


@pytest.mark.parametrize("name", ["small", "small.pt", "small.bin"])
def test_other_endings_are_not_saved(network, tmp_path, name):
    with pytest.raises(ValueError, match=r"expected a name that ends in '.safetensors'"):
        save_checkpoint(network, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_diverged_network_is_not_saved(network, tmp_path):
    network.revin.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match=r"NaN or infinite: revin.weight"):
        save_checkpoint(network, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_could_not_be_read_back_are_not_saved(network, tmp_path):
    with pytest.raises(ValueError, match="metadata takes"):
        save_checkpoint(network, tmp_path / "a.safetensors", {"log": "x" * 10**6})
    assert list(tmp_path.iterdir()) == []


def test_a_crash_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def crash(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(saved, b"half of it")
    assert saved.read_bytes() == before
    assert len(list(saved.parent.iterdir())) == 2


@pytest.mark.parametrize("n_syncs", range(3))
def test_a_full_disk_leaves_a_pair_that_belongs_together(saved, monkeypatch, n_syncs):
    sync, calls = os.fsync, []

    def fail(file):
        calls.append(file)
        if len(calls) > n_syncs:
            raise OSError(28, "No space left on device")
        sync(file)

    monkeypatch.setattr(os, "fsync", fail)
    other = TSPulse(TSPulseConfig.from_dict({**asdict(SMALL), "d_model": 5}))
    with suppress(OSError):
        save_checkpoint(other, saved)
    expected = 5 if n_syncs == 2 else 3
    assert load_checkpoint(saved).config.d_model == expected
    beside = json.loads(saved.with_suffix(".json").read_text())
    assert beside["config"]["d_model"] == expected
    with safetensors.safe_open(saved, "pt") as file:
        assert beside == json.loads(file.metadata()["sktspulse"])


def test_a_folder_is_not_replaced(network, tmp_path):
    (tmp_path / "a.safetensors").mkdir()
    (tmp_path / "a.json").write_text("mine")
    with pytest.raises(ValueError, match=r"a.safetensors', a folder. Pass the name of a file"):
        save_checkpoint(network, tmp_path / "a.safetensors")
    assert (tmp_path / "a.json").read_text() == "mine"


def test_numbers_of_numpy_are_saved(tmp_path):
    network = TSPulse(TSPulseConfig(**{**asdict(SMALL), "d_model": np.int64(3)}))
    save_checkpoint(network, tmp_path / "a.safetensors", {"loss": np.float32(0.5)})
    assert same_weights(load_checkpoint(tmp_path / "a.safetensors"), network)


# --- Loading


def test_files_without_a_hash_are_loaded(network, saved):
    with safetensors.safe_open(saved, "pt") as file:
        about = json.loads(file.metadata()["sktspulse"])
    del about["sha256"]
    save_file(load_file(saved), saved, {"sktspulse": json.dumps(about)})
    assert same_weights(load_checkpoint(saved), network)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_file_that_another_process_replaces_is_loaded_whole_old_or_new(saved):
    code = (
        "import sys; from dataclasses import replace;"
        "from sktspulse.network import TSPulse, load_checkpoint, save_checkpoint;"
        "first = load_checkpoint(sys.argv[1]);"
        "nets = [first, TSPulse(replace(first.config, d_model=8))];"
        "print('ready', flush=True);"
        "[save_checkpoint(net, sys.argv[1]) for _ in range(40) for net in nets]"
    )
    home = {"PYTHONPATH": str(Path(checkpoints.__file__).parents[2])}
    command = [sys.executable, "-c", code, str(saved)]
    with subprocess.Popen(command, env=os.environ | home, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"ready\n"
        seen = set()
        while writer.poll() is None:
            seen.add(load_checkpoint(saved).config.d_model)
    assert writer.returncode == 0
    assert seen == {3, 8}


def test_a_checkpoint_is_loaded_once(saved):
    assert load_checkpoint(saved) is load_checkpoint(str(saved), device="cpu")


def test_a_changed_file_is_loaded_again(saved):
    old = load_checkpoint(saved)
    save_checkpoint(TSPulse(TSPulseConfig.from_dict({**asdict(SMALL), "d_model": 5})), saved)
    assert load_checkpoint(saved).config.d_model == 5
    assert old.config.d_model == 3


def test_loading_draws_no_random_numbers(saved, published):
    state = torch.get_rng_state()
    load_checkpoint(saved)
    load_checkpoint(published)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_loaded_during_inference_can_be_trained_through(saved):
    with torch.inference_mode():
        loaded = load_checkpoint(saved)
    x = torch.randn(2, 1, 16, requires_grad=True)
    loaded(x, torch.ones_like(x, dtype=torch.bool)).heads["time"].sum().backward()
    assert x.grad.abs().max() > 0


def test_loading_imports_little(saved):
    code = (
        "import sys; from sktspulse.network.checkpoints import load_checkpoint;"
        "before = set(sys.modules); [load_checkpoint(path) for path in sys.argv[1:]];"
        "sys.exit(str({'sympy', 'torch._dynamo'} & (set(sys.modules) - before) or ''))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, saved, TINY], check=False, capture_output=True, text=True
    )
    assert run.stderr == "\n"


@pytest.mark.parametrize("name", ["tspulse-p9", "a/b/c", "../x/y", "org/", "folder/.hidden"])
def test_an_unknown_name_is_answered_with_those_known(name, monkeypatch):
    monkeypatch.setattr(checkpoints, "shipped_checkpoints", lambda: {"b-8": {}, "a-16": {}})
    with pytest.raises(CheckpointError, match=r"There is no checkpoint .* names: a-16, b-8"):
        load_checkpoint(name)


def test_an_error_is_a_value_error():
    assert issubclass(CheckpointError, ValueError)


def test_a_revision_is_for_the_hub(saved):
    with pytest.raises(CheckpointError, match="revision='main' is for models on the hub"):
        load_checkpoint(saved, revision="main")


# --- What is shipped


def test_the_registry_lists_every_file():
    folder = Path(checkpoints.__file__).with_name("weights")
    files = {path.name for path in folder.glob("*.safetensors")}
    assert {entry["file"] for entry in shipped_checkpoints().values()} == files
    assert all((folder / entry["card"]).is_file() for entry in shipped_checkpoints().values())


@pytest.mark.parametrize("name", sorted(shipped_checkpoints()))
def test_shipped_checkpoints_load(name):
    assert load_checkpoint(name).config.context_length == 512


@pytest.fixture
def shipping(tmp_path, monkeypatch):
    """Give a package folder of its own and the function that ships into it."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "registry.json").write_text("{}")
    monkeypatch.setattr(checkpoints, "_FOLDER", folder)
    return folder, runpy.run_path(str(SHIP))["ship"]


def test_a_checkpoint_is_shipped_under_a_name(saved, shipping, network):
    folder, ship = shipping
    card = saved.with_name("card.md")
    card.write_text("# Small\n")
    entry = ship([saved], "small-4", card, folder)
    assert shipped_checkpoints() == {"small-4": entry}
    assert same_weights(load_checkpoint("small-4"), network)
    names = {"registry.json", "small-4.json", "small-4.md", "small-4.safetensors"}
    assert {path.name for path in folder.iterdir()} == names


def test_of_several_checkpoints_the_mean_is_shipped(saved, shipping, network):
    folder, ship = shipping
    other = saved.with_name("other.safetensors")
    moved = deepcopy(network)
    with torch.no_grad():
        for weights in moved.parameters():
            weights.add_(1)
    save_checkpoint(moved, other)
    ship([saved, other], "small-4", saved, folder)
    halfway = load_checkpoint("small-4").state_dict()
    for name, weights in network.state_dict().items():
        torch.testing.assert_close(halfway[name], weights + 0.5)


def test_a_shipped_file_is_checked_by_its_hash(saved, shipping):
    folder, ship = shipping
    ship([saved], "small-4", saved, folder)
    rewrite(folder / "small-4.safetensors", revin__bias=torch.tensor(0.5))
    with pytest.raises(CheckpointError, match="not the file that was shipped"):
        load_checkpoint("small-4")


def test_what_cannot_be_loaded_is_not_shipped(saved, shipping):
    folder, ship = shipping
    saved.write_bytes(saved.read_bytes()[:-4])
    with pytest.raises(CheckpointError):
        ship([saved], "small-4", saved, folder)
    assert [path.name for path in folder.iterdir()] == ["registry.json"]
