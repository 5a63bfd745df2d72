"""The pre-trainer learns, repeats itself, survives being killed, and refuses what it cannot use."""

from __future__ import annotations

import csv
import errno
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone

import sktspulse
from sktspulse import OptimizerOptions, TSPulseConfig, TSPulsePretrainer, WindowSampling
from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.pretraining.callbacks import HistoryLog

SIZES = {
    "context_length": 64,
    "d_model": 4,
    "n_layers": 1,
    "n_decoder_layers": 1,
    "n_registers": 2,
    "n_register_layers": 1,
    "n_signature_bins": 16,
    "forecast_length": 4,
}
CONFIG = TSPulseConfig(**SIZES)
PAIRS = {"agreement", "alignment"}
LOSSES = {"time", "frequency", "spectrum", "signature", "forecast", "loss"} | PAIRS


@pytest.fixture
def panel():
    return np.random.default_rng(0).standard_normal((6, 2, 150)).cumsum(-1)


def pretrainer(**changes):
    settings = {
        "config": CONFIG,
        "max_epochs": 2,
        "steps_per_epoch": 3,
        "batch_size": 8,
        "optimizer": OptimizerOptions(warmup_steps=2),
        "random_state": 0,
    }
    return TSPulsePretrainer(**{**settings, **changes})


def without_decay():
    return OptimizerOptions(warmup_steps=2, decay_fraction=0.0)


def assert_same(first, second):
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(p.equal(q) for p, q in pairs)


def losses(history):
    return {name: values for name, values in history.items() if name in LOSSES}


def test_the_loss_falls():
    turns = np.arange(400) / 8
    waves = [np.sin(turns + phase) for phase in range(8)]
    fitted = pretrainer(
        max_epochs=4,
        steps_per_epoch=25,
        batch_size=16,
        lr=0.01,
        windows=WindowSampling(synthetic_fraction=0.0, resolutions=(1,)),
        optimizer=OptimizerOptions(warmup_steps=2, ema_decay=0.9),
    ).fit(waves)
    assert all(b < a for a, b in pairwise(fitted.history_["time"]))
    assert fitted.history_["time"][-1] < 0.6 * fitted.history_["time"][0]


def test_fitted_attributes(panel):
    fitted = pretrainer().fit(panel)
    assert fitted.history_["epoch"] == [1, 2]
    assert fitted.history_["n_steps"] == [3, 6]
    assert set(fitted.history_) == {
        *("epoch", "n_steps", "lr", "seconds", "windows_per_second"),
        *LOSSES,
    }
    assert fitted.n_steps_ == 6
    assert fitted.n_channels_in_ == 2
    assert fitted.network_.config == CONFIG
    assert not fitted.network_.training


def test_the_same_seed_gives_the_same_network(panel):
    first, second, other = (pretrainer(random_state=seed).fit(panel) for seed in (1, 1, 2))
    assert_same(first.network_, second.network_)
    assert losses(first.history_) == losses(second.history_)
    assert losses(first.history_) != losses(other.history_)


def test_global_generators_and_input_are_left_alone(panel):
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    copy = panel.copy()
    pretrainer(num_workers=1).fit(panel)
    assert torch.random.get_rng_state().equal(before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    np.testing.assert_array_equal(panel, copy)


def test_all_input_types_give_the_same_result(panel, tmp_path):
    flat = panel.reshape(12, 150)
    scaled = (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)
    file = tmp_path / "corpus.npz"
    offsets = np.arange(0, 1801, 150)
    np.savez(file, values=scaled.astype("f4").ravel(), offsets=offsets, source=np.zeros(12, int))
    inputs = [flat, panel, list(flat), list(panel), (series for series in flat), file, [str(file)]]
    expected, *others = (losses(pretrainer().fit(one).history_) for one in inputs)
    for other in others:
        assert other == {name: pytest.approx(values) for name, values in expected.items()}


def test_series_may_differ_in_length_and_have_gaps(panel):
    series = [row[: 20 + 13 * i] for i, row in enumerate(panel[:, 0])]
    series[5][30:60] = np.nan
    fitted = pretrainer().fit(series)
    assert np.isfinite(fitted.history_["loss"]).all()


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.full((2, 9), np.inf), ValueError, "inf"),
        (np.full((2, 9), np.nan), ValueError, "none of which has a known value"),
        (np.zeros(9), ValueError, "Reshape your data"),
        (np.zeros((0, 9)), ValueError, "0 sample"),
        ([], ValueError, "0 sample"),
        ([np.zeros(9), np.array([1.0, np.inf])], ValueError, "inf"),
        ("nowhere.npz", FileNotFoundError, "nowhere.npz"),
    ],
)
def test_bad_series_are_refused_and_nothing_is_fitted(X, error, message):
    untouched = pretrainer()
    with pytest.raises(error, match=message):
        untouched.fit(X)
    assert not hasattr(untouched, "network_")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_epochs": 0}, "'max_epochs' parameter .* must be an int in the range .1, inf.*Got 0"),
        ({"batch_size": 2.5}, "'batch_size' parameter .* must be an int .* Got 2.5"),
        ({"lr": -1.0}, "'lr' parameter .* must be a float in the range .*0"),
        ({"num_workers": -1}, "'num_workers' parameter .* must be an int in the range .0, inf"),
        ({"compile": "yes"}, "'compile' parameter .* must be"),
        ({"precision": "half"}, "'precision' parameter .* must be a str among .* Got 'half'"),
        ({"windows": 3}, "'windows' parameter .* must be an instance of .*WindowSampling"),
        ({"windows": WindowSampling(mask_fraction=(0.5, 0.2))}, "two numbers in .*, the lower"),
        ({"optimizer": OptimizerOptions(decay_fraction=1.5)}, "'decay_fraction' parameter"),
        ({"loss_weights": {"tme": 1.0}}, "loss_weights has \\['tme'\\]"),
        ({"config": TSPulseConfig(n_channels=2)}, "config has 2 channels"),
        ({"batch_size": 7}, "batch_size is 7, but must be even"),
        ({"checkpoint": "tspulse-p8"}, "config differs from that of checkpoint='tspulse-p8'"),
        ({"config": 8}, "'config' parameter .* must be an instance of .*TSPulseConfig"),
        ({"resume": True}, "resume=True needs path"),
    ],
)
def test_bad_parameters_are_refused(panel, changes, message):
    with pytest.raises(ValueError, match=message):
        pretrainer(**changes).fit(panel)


def test_loss_weights_change_what_is_given(panel):
    parts = pretrainer(loss_weights={"forecast": 3.0}, max_epochs=1).fit(panel).history_
    expected = (
        parts["time"][0]
        + parts["frequency"][0]
        + 0.3 * parts["spectrum"][0]
        + parts["signature"][0]
        + 3 * parts["forecast"][0]
        + 0.25 * parts["agreement"][0]
        + 0.25 * parts["alignment"][0]
    )
    assert parts["loss"][0] == pytest.approx(expected)


def test_windows_come_one_by_one_where_nothing_is_asked_of_pairs(panel):
    alone = pretrainer(loss_weights=dict.fromkeys(PAIRS, 0.0), batch_size=7).fit(panel)
    assert set(alone.history_) & LOSSES == LOSSES - PAIRS
    paired = pretrainer(loss_weights={"agreement": 0.0}).fit(panel)
    assert set(paired.history_) & LOSSES == LOSSES


def test_a_network_without_registers_is_trained_without_pairs(panel):
    bare = TSPulseConfig(**{**SIZES, "n_registers": 0, "n_signature_bins": 0, "forecast_length": 0})
    fitted = pretrainer(config=bare, batch_size=7).fit(panel)
    assert set(fitted.history_) & LOSSES == {"time", "frequency", "spectrum", "loss"}


def test_training_continues_from_a_checkpoint(panel, tmp_path):
    first = pretrainer().fit(panel)
    first.save(tmp_path / "first.safetensors")
    settings = {"config": None, "checkpoint": tmp_path / "first.safetensors"}
    still = pretrainer(**settings, lr=0.0).fit(panel)
    assert_same(still.network_, first.network_)
    further = pretrainer(**settings).fit(panel)
    assert further.history_["loss"][0] < first.history_["loss"][0]


def test_agreement_separates_series():
    turns = np.arange(300) / 4
    waves = [np.sin(turns * (1 + 0.3 * k)) + np.sin(2 * turns * (1 + 0.3 * k)) for k in range(8)]
    settings = {"batch_size": 16, "lr": 0.02}
    windows = WindowSampling(synthetic_fraction=0.0, augment=False)
    fitted = pretrainer(max_epochs=4, steps_per_epoch=40, windows=windows, **settings).fit(waves)
    assert fitted.history_["agreement"][-1] < 0.8 * fitted.history_["agreement"][0]


def test_a_diverging_run_raises_and_damages_no_file(panel, tmp_path):
    with pytest.raises(FloatingPointError, match="Lower lr"):
        pretrainer(
            lr=1e30, optimizer=OptimizerOptions(warmup_steps=0), path=tmp_path, max_epochs=9
        ).fit(panel)
    for file in tmp_path.glob("*.safetensors"):
        load_checkpoint(file)


def test_a_failed_fit_leaves_the_estimator_as_it_was(panel):
    fitted = pretrainer().fit(panel)
    before = dict(vars(fitted))
    fitted.set_params(lr=1e30, optimizer=OptimizerOptions(warmup_steps=0), max_epochs=9)
    with pytest.raises(FloatingPointError, match="Lower lr"):
        fitted.fit(panel[:, 0])  # has one channel, and as many features as time points
    after = dict(vars(fitted))
    changed = {name for name in after if after[name] is not before.get(name)}
    assert changed == {"lr", "optimizer", "max_epochs"}
    assert set(after) == set(before)


def test_a_checkpoint_holds_the_network(panel, tmp_path):
    fitted = pretrainer(path=tmp_path / "run").fit(panel)
    fitted.save(tmp_path / "mine.safetensors")
    assert_same(load_checkpoint(tmp_path / "mine.safetensors"), fitted.network_)
    assert_same(load_checkpoint(tmp_path / "run" / "checkpoint.safetensors"), fitted.network_)


def test_the_history_is_a_table_beside_the_state(panel, tmp_path):
    fitted = pretrainer(path=tmp_path).fit(panel)
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == fitted.history_["loss"]
    files = {path.name for path in tmp_path.iterdir()}
    own = {"state.safetensors", "history.csv"}
    assert files == own | {"checkpoint.json", "checkpoint.safetensors"}


@pytest.mark.parametrize("name", ["file", "file/run", "n" * 300])
def test_a_path_that_cannot_be_written_is_refused_before_training(panel, tmp_path, name):
    (tmp_path / "file").write_text("not a folder")
    untouched = pretrainer(path=tmp_path / name, max_epochs=10**6)
    with pytest.raises(ValueError, match="is not a folder in which files can be created"):
        untouched.fit(panel)
    assert not hasattr(untouched, "network_")


@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:99", "", None, 0.5, ["cpu"]])
def test_a_device_that_is_not_there_is_refused(panel, device):
    with pytest.raises(ValueError, match=r"device=.* is not available .*'cpu'.*'auto'"):
        pretrainer(device=device).fit(panel)


def test_a_run_is_not_overwritten(panel, tmp_path):
    pretrainer(path=tmp_path).fit(panel)
    with pytest.raises(ValueError, match="holds a run"):
        pretrainer(path=tmp_path).fit(panel)
    with pytest.raises(ValueError, match="another config"):
        pretrainer(path=tmp_path, resume=True, config=None).fit(panel)
    with pytest.raises(ValueError, match="another loss_weights"):
        pretrainer(path=tmp_path, resume=True, loss_weights={"time": 0}).fit(panel)


def test_a_finished_run_resumes_to_itself_and_a_longer_one_goes_on(panel, tmp_path):
    settings = {"optimizer": without_decay(), "path": tmp_path, "resume": True}
    first = pretrainer(**settings).fit(panel)
    again = pretrainer(**settings, random_state=5).fit(panel)
    assert_same(first.network_, again.network_)
    assert again.history_ == first.history_
    longer = pretrainer(**settings, max_epochs=4).fit(panel)
    whole = pretrainer(optimizer=without_decay(), max_epochs=4).fit(panel)
    assert losses(longer.history_) == losses(whole.history_)
    assert_same(longer.network_, whole.network_)


CODE = f"""
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from sktspulse import OptimizerOptions, TSPulseConfig, TSPulsePretrainer
torch = sys.modules["torch"]
torch.set_num_threads(1)
panel = np.random.default_rng(0).standard_normal((6, 150)).cumsum(-1)
settings = dict(
    config=TSPulseConfig(**{SIZES}), steps_per_epoch=3, batch_size=8, random_state=0,
    optimizer=OptimizerOptions(warmup_steps=2, decay_fraction=0.0),
)
"""


def start(code, **environment):
    root = str(Path(sktspulse.__file__).parents[1])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-c", CODE + code],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def train_until_killed(path, panel):
    """Start a process that trains without end; return its number."""
    child = os.fork()
    if not child:
        try:
            warnings.simplefilter("ignore")
            settings = {"max_epochs": 10**6, "optimizer": without_decay()}
            pretrainer(**settings, path=path, resume=True).fit(panel)
        finally:
            os._exit(1)
    return child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of newer versions of Python, for fork
@pytest.mark.parametrize("n_kills", [3, pytest.param(20, marks=pytest.mark.nightly)])
def test_a_run_killed_at_random_moments_resumes_exactly(tmp_path, n_kills):
    panel = np.random.default_rng(0).standard_normal((6, 150)).cumsum(-1)
    path, rng = tmp_path / "run", np.random.default_rng(0)
    for _ in range(n_kills):
        n_before = len(saved(path))
        endless = train_until_killed(path, panel)
        try:
            while len(saved(path)) < n_before + 1:
                assert os.waitpid(endless, os.WNOHANG) == (0, 0)
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.1))
        finally:
            os.kill(endless, signal.SIGKILL)
            os.waitpid(endless, 0)
    settings = {"max_epochs": len(saved(path)) + 2, "optimizer": without_decay()}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        resumed = pretrainer(**settings, path=path, resume=True).fit(panel)
        whole = pretrainer(**settings).fit(panel)
    finally:
        torch.set_num_threads(threads)
    assert losses(resumed.history_) == losses(whole.history_)
    assert_same(resumed.network_, whole.network_)
    assert_same(load_checkpoint(path / "checkpoint.safetensors"), whole.network_)
    assert len(list(path.iterdir())) == 4  # no drafts


def saved(path):
    """Return the rows of the history so far."""
    table = path / "history.csv"
    return table.read_text().splitlines()[1:] if table.exists() else []


TOGETHER = """
import json
from accelerate import Accelerator
def train(folder, n_epochs):
    fitted = TSPulsePretrainer(
        max_epochs=n_epochs, path=folder, resume=True, accelerator=Accelerator(cpu=True), **settings
    ).fit(panel)
    weights = [p.double().sum().item() for p in fitted.network_.parameters()]
    return fitted.history_["loss"], weights
"""


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    whole, halved = str(tmp_path / "whole"), str(tmp_path / "halved")
    runs = f"[train({whole!r}, 3), train({halved!r}, 2), train({halved!r}, 3)]"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    ranks = [
        start(f"{TOGETHER}print(json.dumps({runs}))", RANK=rank, LOCAL_RANK=rank, **shared)
        for rank in "01"
    ]
    first, second = (json.loads(process.communicate()[0]) for process in ranks)
    assert first == second
    assert first[2] == first[0]
    assert len(saved(tmp_path / "whole")) == 3
    panel = np.random.default_rng(0).standard_normal((6, 150)).cumsum(-1)
    alone = pretrainer(max_epochs=3, optimizer=without_decay(), batch_size=16).fit(panel)
    assert first[0][0] == pytest.approx(alone.history_["loss"], rel=0.08)
    assert first[0][0] != alone.history_["loss"]


def test_records_of_single_batches_do_not_accumulate(panel, monkeypatch):
    sizes, act = [], HistoryLog.on_batch_end

    def spy(self, net, **kwargs):
        sizes.append(len(net.history[-1]["batches"]))
        act(self, net, **kwargs)

    monkeypatch.setattr(HistoryLog, "on_batch_end", spy)
    pretrainer(steps_per_epoch=10).fit(panel)
    assert sizes == [1] * 20


def test_a_fitted_pretrainer_is_pickled_and_cloned(panel):
    fitted = pretrainer().fit(panel)
    assert_same(pickle.loads(pickle.dumps(fitted)).network_, fitted.network_)
    assert not hasattr(clone(fitted), "network_")


def test_the_bar_shows_every_loss_and_the_speed(panel, capsys):
    pretrainer(verbose=1, steps_per_epoch=20, max_epochs=1, batch_size=2).fit(panel)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.search(r"40\.0/40\.0.* windows/s", shown.err)
    assert all(f"{name}=" in shown.err for name in LOSSES)


def test_nothing_is_printed_by_default(panel, capsys):
    pretrainer().fit(panel)
    shown = capsys.readouterr()
    assert shown.out == shown.err == ""


def test_an_interrupted_run_keeps_what_it_has(panel, monkeypatch):
    whole_epoch = HistoryLog.on_epoch_begin

    def interrupt(self, net, **kwargs):
        whole_epoch(self, net, **kwargs)
        if len(net.history) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(HistoryLog, "on_epoch_begin", interrupt)
    with pytest.warns(UserWarning, match="interrupted after 3 of 15 steps") as told:
        fitted = pretrainer(max_epochs=5).fit(panel)
    assert told[0].filename == __file__
    assert fitted.history_["epoch"] == [1]
    assert fitted.n_steps_ == 3


def test_a_full_disk_is_noticed_before_training(panel, tmp_path, monkeypatch):
    def fail(**settings):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sktspulse.pretraining.run_state.tempfile.TemporaryFile", fail)
    with pytest.raises(ValueError, match="No space left on device"):
        pretrainer(path=tmp_path, max_epochs=10**6).fit(panel)


def test_an_interrupt_before_the_first_step_is_not_swallowed(panel, monkeypatch):
    def interrupt(self, net, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(HistoryLog, "on_epoch_begin", interrupt)
    untrained = pretrainer()
    with pytest.raises(KeyboardInterrupt):
        untrained.fit(panel)
    assert not hasattr(untrained, "network_")
