"""Index files: what comes back, and what is refused."""

from __future__ import annotations

import json
import os
import pickle

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from retrieval.retrieval_cases import assert_same, draw_panel, places

from sktspulse import TSPulseRetriever
from sktspulse.network.checkpoints import load_checkpoint, save_checkpoint
from sktspulse.network.config import TSPulseConfig
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
    assert_same(places(again.partial_fit(X[:1])), places(retriever.partial_fit(X[:1])))
    assert_same(again.kneighbors(), retriever.kneighbors())


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


def test_a_truncated_file_is_refused(tmp_path, fitted):
    path = tmp_path / "one.safetensors"
    fitted.save(path)
    content = path.read_bytes()
    for n_bytes in (0, 7, 8, 100, 600, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:n_bytes])
        with pytest.raises(ValueError, match=r"one.safetensors cannot be loaded as an index"):
            TSPulseRetriever.load(path)


def test_files_of_others_are_refused(tmp_path, fitted):
    path = tmp_path / "one.safetensors"
    save_checkpoint(load_checkpoint("tspulse-p8"), path)
    with pytest.raises(ValueError, match=r"not written by TSPulseRetriever\.save"):
        TSPulseRetriever.load(path)
    path.write_bytes(pickle.dumps(fitted))
    with pytest.raises(ValueError, match="cannot be loaded as an index"):
        TSPulseRetriever.load(path)
    with pytest.raises(ValueError, match=r"absent.safetensors cannot be loaded as an index"):
        TSPulseRetriever.load(tmp_path / "absent.safetensors")


def test_an_index_of_another_network_is_refused(tmp_path):
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


def spoil_centre(arrays, about):
    arrays["centre"][0] = np.nan


def widen(arrays, about):
    arrays["vectors"] = arrays["vectors"][:, :-1].copy()
    arrays["centre"] = arrays["centre"][:-1].copy()


def shorten(arrays, about):
    arrays["vectors"] = arrays["vectors"][:-1].copy()


def retype(arrays, about):
    arrays["series"] = arrays["series"].astype(np.float32)


DAMAGE = {
    "ids": swap_ids,
    "centre": spoil_centre,
    "width": widen,
    "length": shorten,
    "type": retype,
    "unknown type": lambda arrays, about: arrays.update(ids=arrays["ids"].astype(np.uint8)),
    "lost": lambda arrays, about: arrays.pop("starts"),
    "scales": lambda arrays, about: arrays.update(scales=np.ones(50, np.float32)),
    "format": lambda arrays, about: about.update(format=2),
    "metric": lambda arrays, about: about.update(metric="cityblock"),
    "store": lambda arrays, about: about.update(store="int8"),
    "parameter": lambda arrays, about: about["parameters"].update(n_neighbors=-1),
    "option": lambda arrays, about: about["parameters"].update(colour="red"),
    "channels": lambda arrays, about: about["seen"].update(n_channels_in_=2),
    "seen": lambda arrays, about: about.pop("seen"),
    "n_ids": lambda arrays, about: about.update(n_ids=3),
    "window": lambda arrays, about: about.update(window=1),
    "index": lambda arrays, about: about.update(index="tree"),
    "no levels": lambda arrays, about: about["parameters"].update(normalize=False),
}
LEVELS = {
    "lost": lambda arrays: arrays.pop("levels"),
    "type": lambda arrays: arrays.update(levels=arrays["levels"].astype(np.float32)),
    "number": lambda arrays: arrays.update(levels=arrays["levels"][:, :1].copy()),
    "infinite": lambda arrays: arrays["levels"].__setitem__((0, 0), np.inf),
}


def spoil(path, damage):
    """Write a file again that differs, as a valid file of its format."""
    with safetensors.safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()["sktspulse-index"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    damage(arrays, about)
    safetensors.numpy.save_file(arrays, path, {"sktspulse-index": json.dumps(about)})


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_seen(tmp_path, fitted, damage):
    path = tmp_path / "one.safetensors"
    fitted.save(path)
    spoil(path, DAMAGE[damage])
    with pytest.raises(ValueError, match=r"one.safetensors cannot be loaded as an index"):
        TSPulseRetriever.load(path)


@pytest.mark.parametrize("damage", LEVELS)
def test_damaged_levels_are_seen(tmp_path, damage):
    path = tmp_path / "one.safetensors"
    TSPulseRetriever(normalize=False).fit(draw_panel()).save(path)
    spoil(path, lambda arrays, about: LEVELS[damage](arrays))
    with pytest.raises(ValueError, match=r"one.safetensors cannot be loaded as an index"):
        TSPulseRetriever.load(path)


def test_saving_is_whole_or_not_at_all(tmp_path, fitted, monkeypatch):
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


def test_other_endings_are_refused(tmp_path, fitted):
    with pytest.raises(ValueError, match=r"expected a name that ends in '\.safetensors'"):
        fitted.save(tmp_path / "one.pkl")
