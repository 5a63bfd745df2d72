"""A saved run is read whole, or refused by the name of its file, before anything is trained."""

from __future__ import annotations

import os
import pickle
import re
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.torch import save

from sktspulse import OptimizerOptions, TSPulsePretrainer
from sktspulse.network import TensorFile, dump_tensors, load_checkpoint
from sktspulse.pretraining import run_state
from sktspulse.pretraining.losses import LOSS_WEIGHTS
from sktspulse.pretraining.run_state import check_writable, load_state

KEY = "sktspulse-run"
PANEL = np.random.default_rng(0).standard_normal((6, 150)).cumsum(-1)


def pretrainer(config, path, **changes):
    settings = {"max_epochs": 2, "steps_per_epoch": 3, "batch_size": 8, "random_state": 0}
    settings["optimizer"] = OptimizerOptions(warmup_steps=2, decay_fraction=0.0)
    return TSPulsePretrainer(config, path=path, **settings | changes)


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """Train for two epochs; return the folder."""
    path = tmp_path_factory.mktemp("finished")
    pretrainer(config, path).fit(PANEL)
    return path


@pytest.fixture
def folder(finished, tmp_path):
    """Give a copy of the folder of a run of two epochs."""
    return shutil.copytree(finished, tmp_path, dirs_exist_ok=True)


def parts(folder):
    """Return the description of a state, without its hash, and its tensors."""
    with TensorFile.open(folder / "state.safetensors") as file:
        about = file.describe(KEY)
        return {name: value for name, value in about.items() if name != "sha256"}, file.load()


def rewrite(folder, **changes):
    """Replace parts of a state; None removes one."""
    about, tensors = parts(folder)
    about = {name: value for name, value in {**about, **changes}.items() if value is not None}
    (folder / "state.safetensors").write_bytes(dump_tensors(tensors, KEY, about)[0])


def rewrite_tensors(folder, **changes):
    """Replace tensors of a state, or remove them; a double underscore stands for a dot."""
    about, tensors = parts(folder)
    tensors |= {name.replace("__", "."): tensor for name, tensor in changes.items()}
    kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    (folder / "state.safetensors").write_bytes(dump_tensors(kept, KEY, about)[0])


def load(folder, config, *, resume=True):
    return load_state(folder, config, LOSS_WEIGHTS, resume=resume)


def test_a_folder_without_a_run_has_no_state(config, tmp_path):
    assert load_state(None, config, {}, resume=False) is None
    assert load_state(tmp_path, config, {}, resume=True) is None
    assert load_state(tmp_path / "nowhere", config, {}, resume=False) is None
    assert not (tmp_path / "nowhere").exists()


def test_a_state_holds_all_that_the_next_epoch_depends_on(config, folder):
    state = load(folder, config)
    assert (state.step, state.n_updates) == (6, 6)
    assert [row["n_steps"] for row in state.history] == [3, 6]
    average = load_checkpoint(folder / "checkpoint.safetensors").state_dict()
    assert state.part("average").keys() == state.part("network").keys() == average.keys()
    assert all(tensor.equal(average[name]) for name, tensor in state.part("average").items())
    moments = [state.part(kind).keys() for kind in ("momentum", "mean", "square")]
    assert moments[1] == moments[2]
    assert not moments[0] & moments[1]
    assert moments[0] | moments[1] == average.keys()


def test_another_run_is_refused(config, folder):
    with pytest.raises(ValueError, match=r"holds a run. Set resume=True"):
        load(folder, config, resume=False)
    with pytest.raises(ValueError, match=r"has another config: .*'d_model': 4.* instead of"):
        load(folder, replace(config, d_model=8))
    weights = {**LOSS_WEIGHTS, "time": 2.0}
    with pytest.raises(ValueError, match=re.escape("another loss_weights: {'time': 1.0")):
        load_state(folder, config, weights, resume=True)


def test_resuming_needs_a_folder(config):
    with pytest.raises(ValueError, match="resume=True needs path"):
        load_state(None, config, {}, resume=True)


# ------------------------------------------------------------------------------ damage


def assert_refused(folder, config, message="cannot be loaded"):
    """Check that a fit ends with one error that names the file and the remedy."""
    untouched = pretrainer(config, folder, max_epochs=3, resume=True)
    with pytest.raises(ValueError, match=message) as caught:
        untouched.fit(PANEL)
    text = str(caught.value)
    assert "state.safetensors cannot be loaded as the state of a run" in text
    assert "or start a new run in another folder" in text
    assert not hasattr(untouched, "network_")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: b"",
        lambda content: b"hello" * 20,
        lambda content: pickle.dumps({"step": 1}),
        lambda content: save({"network.revin.bias": torch.zeros(())}),
        lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    ],
    ids=["half", "short", "long", "empty", "text", "pickle", "other", "bit"],
)
def test_a_damaged_file_is_refused(config, folder, damage):
    path = folder / "state.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    assert_refused(folder, config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "in format 1"),
        ({"step": None}, "lacks 'step'"),
        ({"step": -1}, "step is -1, expected a whole number"),
        ({"step": "3"}, "step is '3'"),
        ({"n_updates": 1.5}, "n_updates is 1.5"),
        ({"seed": True}, "seed is True"),
        ({"config": None}, "lacks 'config'"),
        ({"loss_weights": None}, "lacks 'loss_weights'"),
        ({"history": []}, "not one of losses"),
        ({"history": [{"epoch": 1}]}, "not one of losses"),
        ({"history": [{"loss": 1.0}, {"loss": 1.0, "time": 1.0}]}, "not one of losses"),
        ({"history": [{"loss": "low"}]}, "something else than numbers"),
        ({"history": 3}, "cannot be loaded"),
    ],
    ids=str,
)
def test_a_description_of_something_else_is_refused(config, folder, changes, message):
    rewrite(folder, **changes)
    assert_refused(folder, config, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network__revin__bias": None}, "other tensors than the run, such as network.revin.bias"),
        ({"average__revin__bias": torch.zeros(2)}, "such as average.revin.bias"),
        ({"mean__revin__bias": torch.zeros((), dtype=torch.int64)}, "such as mean.revin.bias"),
        ({"mean__nothing": torch.zeros(())}, "such as mean.nothing"),
        ({"network__revin__bias": torch.tensor(torch.nan)}, "network.revin.bias is not finite"),
        ({"square__revin__bias": torch.tensor(torch.inf)}, "square.revin.bias is not finite"),
    ],
    ids=str,
)
def test_other_tensors_are_refused(config, folder, changes, message):
    rewrite_tensors(folder, **changes)
    assert_refused(folder, config, message)


def test_a_folder_in_place_of_the_file_is_refused(config, folder):
    (folder / "state.safetensors").unlink()
    (folder / "state.safetensors").mkdir()
    assert_refused(folder, config, "not a file")


class Bomb:
    """Go off when unpickled."""

    def __reduce__(self):
        return os.abort, ()


@pytest.mark.parametrize("resume", [True, False])
def test_the_pickle_of_an_earlier_version_is_not_opened(config, tmp_path, resume):
    torch.save(Bomb(), tmp_path / "state.pt")
    message = r"state.pt .* start a new run .*checkpoint=" if resume else "holds a run"
    with pytest.raises(ValueError, match=f"(?i){message}"):
        load(tmp_path, config, resume=resume)


# ------------------------------------------------------------------------------ saving


def test_a_run_goes_on_if_the_disk_is_full(config, folder, monkeypatch):
    before = (folder / "state.safetensors").read_bytes()

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sktspulse.network.files.os.fsync", fail)
    longer = pretrainer(config, folder, max_epochs=3, resume=True)
    monkeypatch.setattr(run_state.RunCheckpoint, "_save_for_users", lambda *_: None)
    with pytest.warns(
        RuntimeWarning, match=r"could not be saved .* after 9 steps: .*No space left"
    ):
        longer.fit(PANEL)
    assert longer.n_steps_ == 9
    assert (folder / "state.safetensors").read_bytes() == before
    assert not list(folder.glob(".*"))
    monkeypatch.undo()
    again = pretrainer(config, folder, max_epochs=3, resume=True).fit(PANEL)
    for weight, other in zip(
        longer.network_.parameters(), again.network_.parameters(), strict=True
    ):
        assert weight.equal(other)


def test_files_for_users_follow_the_state_when_a_run_resumes(config, folder):
    expected = {
        name: (folder / name).read_bytes() for name in ("history.csv", "checkpoint.safetensors")
    }
    (folder / "checkpoint.safetensors").unlink()  # as if the run was killed before it was written
    (folder / "history.csv").write_text("old")
    pretrainer(config, folder, resume=True).fit(PANEL)
    assert {name: (folder / name).read_bytes() for name in expected} == expected


def test_weights_that_diverge_in_the_last_step_are_not_saved(config, tmp_path, monkeypatch):
    average = run_state.WeightEMA.on_batch_end

    def poison(self, net, **kwargs):
        average(self, net, **kwargs)
        net.network.revin.bias.data.fill_(torch.nan)

    monkeypatch.setattr(run_state.WeightEMA, "on_batch_end", poison)
    with pytest.raises(FloatingPointError, match="after 1 steps weights are not finite"):
        pretrainer(config, tmp_path, max_epochs=1, steps_per_epoch=1).fit(PANEL)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy_are_saved(config, tmp_path):
    weights = {"time": np.float32(0.1), "forecast": np.int64(2)}
    sizes = asdict(config) | {"d_model": np.int64(4)}
    settings = {"loss_weights": weights, "max_epochs": 1}
    pretrainer(type(config)(**sizes), tmp_path, **settings).fit(PANEL)
    settings["max_epochs"] = 2
    resumed = pretrainer(type(config)(**sizes), tmp_path, resume=True, **settings).fit(PANEL)
    assert resumed.history_["n_steps"] == [3, 6]


def test_a_folder_is_made_and_left_empty(tmp_path):
    check_writable(None)
    check_writable(tmp_path / "new" / "run")
    assert list((tmp_path / "new" / "run").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_is_read_only_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="Change its permissions"):
        check_writable(tmp_path)
