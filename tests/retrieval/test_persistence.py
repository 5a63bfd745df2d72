"""Index files: a loaded index is the one saved, and damaged files are an error."""

from __future__ import annotations

import json
import os
import pickle
import sys
import tracemalloc
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import torch
from retrieval.retrieval_cases import assert_same, draw_panel, positions_of

from sktspulse import TSPulseRetriever
from sktspulse.base import estimator
from sktspulse.network.checkpoints import load_checkpoint, save_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tensor_files import TensorFile, dump_tensors
from sktspulse.network.tspulse import TSPulse

STORES = ("float32", "float16", "int8")


@pytest.fixture(scope="module")
def fitted():
    return TSPulseRetriever(3).fit(draw_panel(50))


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("normalize", [True, False])
def test_a_saved_index_answers_as_before(tmp_path, store, metric, normalize):
    X, queries = draw_panel(9, 2), draw_panel(3, 2, seed=1)
    parameters = {"window": np.int64(20), "channels": "mean", "radius": np.inf}
    parameters["normalize"] = normalize
    retriever = TSPulseRetriever(2, store=store, metric=metric, **parameters).fit(X)
    retriever.remove([2, 3]).save(tmp_path / "one.safetensors")
    again = TSPulseRetriever.load(tmp_path / "one.safetensors", device="cpu")
    assert_same(again.kneighbors(queries), retriever.kneighbors(queries))
    assert again.get_params() == retriever.get_params() | {"device": "cpu", "stride": 10}
    assert_same(positions_of(again.partial_fit(X[:1])), positions_of(retriever.partial_fit(X[:1])))
    assert_same(again.kneighbors(), retriever.kneighbors())


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("normalize", [True, False])
def test_a_mapped_index_answers_as_before(tmp_path, store, normalize):
    X, queries = draw_panel(9, 2), draw_panel(3, 2, seed=1)
    path = tmp_path / "one.safetensors"
    retriever = TSPulseRetriever(2, store=store, normalize=normalize, window=20).fit(X)
    retriever.save(path)
    mapped = TSPulseRetriever.load(path, mmap_mode="r")
    TSPulseRetriever().fit(X[:2]).save(path)  # another file in its place
    assert_same(mapped.kneighbors(queries), retriever.kneighbors(queries))
    assert_same(mapped.radius_neighbors(queries, 9)[0], retriever.radius_neighbors(queries, 9)[0])
    assert_same(mapped.kneighbors(), retriever.kneighbors())
    mapped.save(path)
    again = TSPulseRetriever.load(path).remove([1]).partial_fit(X[:1])
    changed = mapped.remove([1]).partial_fit(X[:1])
    assert_same(again.kneighbors(queries), changed.kneighbors(queries))
    with pytest.raises(ValueError, match="mmap_mode is 'w', expected 'r' or None"):
        TSPulseRetriever.load(path, mmap_mode="w")


def test_a_saved_index_knows_its_columns(tmp_path):
    X = pd.DataFrame(draw_panel()[:, 0]).rename(columns="t{}".format)
    retriever = TSPulseRetriever().fit(X)
    retriever.save(tmp_path / "one.safetensors")
    again = TSPulseRetriever.load(tmp_path / "one.safetensors")
    assert list(again.feature_names_in_) == list(X.columns)
    assert again.n_features_in_ == 60
    with pytest.raises(ValueError, match="feature names should match"):
        again.kneighbors(X.rename(columns=str.upper))


def test_pickles_hold_the_index_and_no_network(fitted):
    X = draw_panel(3, seed=1)
    content = pickle.dumps(fitted)
    assert len(content) < 50 * 240 * 4 + 20_000
    assert_same(pickle.loads(content).kneighbors(X), fitted.kneighbors(X))


def test_a_truncated_file_is_an_error(tmp_path, fitted):
    path = tmp_path / "one.safetensors"
    fitted.save(path)
    content = path.read_bytes()
    for n_bytes in (0, 7, 8, 100, 600, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:n_bytes])
        with pytest.raises(ValueError, match=r"one.safetensors cannot be loaded as an index"):
            TSPulseRetriever.load(path)


def test_other_files_are_an_error(tmp_path, fitted):
    path = tmp_path / "one.safetensors"
    save_checkpoint(load_checkpoint("tspulse-p8"), path)
    with pytest.raises(ValueError, match=r"not written by TSPulseRetriever\.save"):
        TSPulseRetriever.load(path)
    path.write_bytes(pickle.dumps(fitted))
    with pytest.raises(ValueError, match="cannot be loaded as an index"):
        TSPulseRetriever.load(path)
    with pytest.raises(ValueError, match=r"absent.safetensors cannot be loaded as an index"):
        TSPulseRetriever.load(tmp_path / "absent.safetensors")


def test_an_index_of_another_network_is_an_error(tmp_path):
    networks = [tmp_path / f"{name}.safetensors" for name in ("small", "other")]
    for path in networks:
        save_checkpoint(TSPulse(TSPulseConfig(n_layers=1)), path)
    retriever = TSPulseRetriever(1, checkpoint=networks[0]).fit(draw_panel())
    retriever.save(tmp_path / "one.safetensors")
    with pytest.raises(ValueError, match="holds other weights than when"):
        TSPulseRetriever.load(tmp_path / "one.safetensors", checkpoint=networks[1])
    moved = networks[0].rename(tmp_path / "moved.safetensors")
    with pytest.raises(ValueError, match="cannot be loaded"):
        TSPulseRetriever.load(tmp_path / "one.safetensors")
    again = TSPulseRetriever.load(tmp_path / "one.safetensors", checkpoint=moved)
    assert_same(again.kneighbors(), retriever.kneighbors())
    networks[1].replace(moved)
    with pytest.raises(ValueError, match="holds other weights than when"):
        again.kneighbors(draw_panel())


def swap_ids(arrays, about):
    arrays["ids"][:2] = arrays["ids"][1::-1]


def spoil_vectors(arrays, about):
    arrays["vectors"][0, 0] = np.nan


def narrow(arrays, about):
    arrays["vectors"] = arrays["vectors"][:, :-1].copy()


def shorten(arrays, about):
    arrays["vectors"] = arrays["vectors"][:-1].copy()


def retype(arrays, about):
    arrays["series"] = arrays["series"].astype(np.float32)


DAMAGE = {
    "ids": swap_ids,
    "infinite": spoil_vectors,
    "width": narrow,
    "length": shorten,
    "type": retype,
    "unknown type": lambda arrays, about: arrays.update(ids=arrays["ids"].astype(np.uint8)),
    "lost": lambda arrays, about: arrays.pop("starts"),
    "no vectors": lambda arrays, about: arrays.pop("vectors"),
    "centre": lambda arrays, about: arrays.update(centre=np.zeros(240, np.float32)),
    "scales": lambda arrays, about: arrays.update(scales=np.ones(50, np.float32)),
    "format": lambda arrays, about: about.update(format=5),
    "format of another type": lambda arrays, about: about.update(format=[]),
    "no format": lambda arrays, about: about.pop("format"),
    "metric": lambda arrays, about: about.update(metric="cityblock"),
    "store": lambda arrays, about: about.update(store="int8"),
    "parameter": lambda arrays, about: about["parameters"].update(n_neighbors=-1),
    "option": lambda arrays, about: about["parameters"].update(colour="red"),
    "channels": lambda arrays, about: about["seen"].update(n_channels_in_=2),
    "seen": lambda arrays, about: about.pop("seen"),
    "no channels": lambda arrays, about: about["seen"].update(n_channels_in_=0),
    "true": lambda arrays, about: about["seen"].update(n_channels_in_=True),
    "huge integer": lambda arrays, about: about["parameters"].update(n_neighbors=10**30),
    "radius": lambda arrays, about: about["parameters"].update(radius="nan"),
    "radius in words": lambda arrays, about: about["parameters"].update(radius="wide"),
    "device": lambda arrays, about: about["parameters"].update(device="cuda"),
    "batch_size": lambda arrays, about: about["parameters"].update(batch_size=10**9),
    "verbose": lambda arrays, about: about["parameters"].update(verbose=1),
    "unknown entry": lambda arrays, about: about.update(colour="red"),
    "names": lambda arrays, about: about.update(names=["a", "b"]),
    "numbers as names": lambda arrays, about: about.update(names=list(range(60))),
    "stride": lambda arrays, about: about.update(stride=3),
    "window without stride": lambda arrays, about: about.update(window=20),
    "negative count": lambda arrays, about: about.update(n_series=-1),
    "first id": lambda arrays, about: arrays["ids"].__setitem__(0, -1),
    "last id": lambda arrays, about: arrays["ids"].__setitem__(-1, 2**62),
    "overflowing ids": lambda arrays, about: arrays["ids"].__setitem__(
        slice(2, 4), [2**63 - 1, -(2**63)]
    ),
    "series": lambda arrays, about: arrays["series"].__setitem__(0, 60),
    "start": lambda arrays, about: arrays["starts"].__setitem__(0, -1),
    "n_ids": lambda arrays, about: about.update(n_ids=3),
    "window": lambda arrays, about: about.update(window=1),
    "index": lambda arrays, about: about.update(index="tree"),
    "no levels": lambda arrays, about: about["parameters"].update(normalize=False),
}
LEVELS = {
    "lost": lambda arrays, about: arrays.pop("levels"),
    "type": lambda arrays, about: arrays.update(levels=arrays["levels"].astype(np.float32)),
    "number": lambda arrays, about: arrays.update(levels=arrays["levels"][:, :1].copy()),
    "infinite": lambda arrays, about: arrays["levels"].__setitem__((0, 0), np.inf),
}
INT8 = {
    "lost scales": lambda arrays, about: arrays.pop("scales"),
    "lost centre": lambda arrays, about: arrays.pop("centre"),
    "type": lambda arrays, about: arrays.update(centre=arrays["centre"].astype(np.float16)),
    "number": lambda arrays, about: arrays.update(scales=arrays["scales"][1:].copy()),
    "infinite": lambda arrays, about: arrays["centre"].__setitem__(0, np.inf),
    "store": lambda arrays, about: about.update(store="float32"),
}


def spoil(path, damage):
    """Write a file again that differs, as a valid file of its format with a right hash."""
    with TensorFile.open(path) as file:
        about = file.describe("sktspulse-index")
        arrays = {name: tensor.numpy().copy() for name, tensor in file.load().items()}
    about.pop("sha256", None)
    damage(arrays, about)
    if about.get("format") in (1, 2):  # they had none
        safetensors.numpy.save_file(arrays, path, {"sktspulse-index": json.dumps(about)})
    else:
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        path.write_bytes(dump_tensors(tensors, "sktspulse-index", about)[0])


@pytest.mark.parametrize(
    ("damage", "parameters"),
    [(damage, {}) for damage in DAMAGE.values()]
    + [(damage, {"normalize": False}) for damage in LEVELS.values()]
    + [(damage, {"store": "int8"}) for damage in INT8.values()],
    ids=[*DAMAGE, *(f"levels: {name}" for name in LEVELS), *(f"int8: {name}" for name in INT8)],
)
def test_damage_is_detected(tmp_path, damage, parameters):
    path = tmp_path / "one.safetensors"
    TSPulseRetriever(**parameters).fit(draw_panel()).save(path)
    TSPulseRetriever.load(path)
    spoil(path, damage)
    message = r"one.safetensors cannot be loaded as an index\..*(fit and save a new|its network)"
    with pytest.raises(ValueError, match=message):
        TSPulseRetriever.load(path)


def test_shapes_are_checked_before_arrays_are_read(tmp_path, fitted, monkeypatch):
    path = tmp_path / "one.safetensors"
    fitted.save(path)
    spoil(path, retype)
    monkeypatch.setattr(TensorFile, "load", lambda self: pytest.fail("arrays were read"))
    with pytest.raises(ValueError, match=r"series is \('F32', \(50,\)\), expected \('I64'"):
        TSPulseRetriever.load(path)


@pytest.mark.parametrize("channels", ["concatenate", "mean"])
@pytest.mark.parametrize("is_empty", [False, True])
def test_memory_does_not_depend_on_numbers_in_a_file(tmp_path, channels, is_empty):
    path = tmp_path / "one.safetensors"
    retriever = TSPulseRetriever(channels=channels).fit(draw_panel())
    retriever.remove(retriever.ids_ if is_empty else []).save(path)

    def claim(arrays, about):
        about["seen"].update(n_channels_in_=2**50, n_features_in_=2**50)
        about.update(n_ids=2**50, n_series=2**50)

    spoil(path, claim)
    tracemalloc.start()
    with suppress(ValueError):
        TSPulseRetriever.load(path)
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["evil/model", "evil/model@main", "//evil/share", r"\\evil\share"])
def test_a_file_starts_no_download(tmp_path, fitted, monkeypatch, name):
    asked = []

    def hf_hub_download(**arguments):
        asked.append(arguments["local_files_only"])
        raise FileNotFoundError("not downloaded")

    hub = SimpleNamespace(hf_hub_download=hf_hub_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    path = tmp_path / "one.safetensors"
    fitted.save(path)
    spoil(path, lambda arrays, about: about["parameters"].update(checkpoint=name))
    with pytest.raises(
        ValueError, match=r"one\.safetensors cannot be .* (on this|on another) mach"
    ):
        TSPulseRetriever.load(path)
    assert all(asked)
    assert len(TSPulseRetriever.load(path, checkpoint="tspulse-p16").ids_) == 50


def test_only_the_network_that_a_file_names_must_be_here(tmp_path, fitted, monkeypatch):
    path = tmp_path / "one.safetensors"
    fitted.save(path)
    names, load = [], estimator.load_checkpoint

    def recorded(name, *, download=True, device="cpu"):
        names.append((name, download))
        return load(name, download=download, device=device)

    monkeypatch.setattr(estimator, "load_checkpoint", recorded)
    TSPulseRetriever.load(path)
    assert names[0] == ("tspulse-p16", False)
    names.clear()
    TSPulseRetriever.load(path, checkpoint="tspulse-p16")
    assert set(names) == {("tspulse-p16", True)}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_files_of_the_first_format_still_load(tmp_path, store, metric):
    path = tmp_path / "one.safetensors"
    retriever = TSPulseRetriever(3, store=store, metric=metric).fit(draw_panel())
    retriever.save(path)

    def date_back(arrays, about):
        about.update(format=1)
        arrays.setdefault("centre", np.ones(240, np.float32))

    spoil(path, date_back)
    assert_same(TSPulseRetriever.load(path).kneighbors(), retriever.kneighbors())


def test_a_failed_save_leaves_the_old_file(tmp_path, fitted, monkeypatch):
    path = tmp_path / "one.safetensors"
    fitted.save(path)
    content = path.read_bytes()

    def fail(file):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        TSPulseRetriever().fit(draw_panel(3)).save(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_other_file_endings_are_an_error(tmp_path, fitted):
    with pytest.raises(ValueError, match=r"expected a name that ends in '\.safetensors'"):
        fitted.save(tmp_path / "one.pkl")
