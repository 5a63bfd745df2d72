"""Files are opened, or refused with the reason."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from estimator_cases import CASES

import sktspulse
from sktspulse.network import Heads
from sktspulse.onnx.session import FACTS_KEY, StoredModel

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    case = CASES["imputer-network"]
    path = tmp_path_factory.mktemp("exported") / "imputer.onnx"
    sktspulse.export_onnx(case.fit(case.data()), path)
    return path


def rewritten(path, folder, change):
    """Copy a file with other metadata."""
    model = onnx.load(path)
    stored = {one.key: one.value for one in model.metadata_props}
    change(stored)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, stored)
    copy = folder / "copy.onnx"
    onnx.save(model, copy)
    return copy


def test_an_answer_does_not_depend_on_the_batch(path):
    network = StoredModel.open(path, 1).network
    rows = np.random.default_rng(0).normal(size=(7, 64))
    rows[2, 5:9] = np.nan
    read = Heads(("time", "frequency", "time"))
    whole = network.read_rows(rows, read, 32)
    assert whole.shape == (7, 3, 64)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole[:, 0], whole[:, 2])
    for batch_size in (1, 3):
        parts = network.read_rows(rows, read, batch_size)
        np.testing.assert_allclose(parts, whole, atol=1e-6 * np.abs(whole).max())


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"There is no file '.*none\.onnx'"):
        sktspulse.onnx.load(tmp_path / "none.onnx")


@pytest.mark.parametrize("n_bytes", [0, 10, 2000])
def test_a_damaged_file_is_refused(path, tmp_path, n_bytes):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match=r"damaged\.onnx' (cannot be read|is an ONNX model, but)"):
        sktspulse.onnx.load(damaged)


def test_other_models_are_refused(path, tmp_path):
    other = rewritten(path, tmp_path, dict.clear)
    with pytest.raises(ValueError, match=r"none that sktspulse\.export_onnx wrote"):
        sktspulse.onnx.load(other)


def test_a_newer_format_names_the_version(path, tmp_path):
    def change(stored):
        stored[FACTS_KEY] = json.dumps({"format": 99, "version": "9.1.0"})

    with pytest.raises(ValueError, match=r"written by sktspulse 9\.1\.0, in a format newer"):
        sktspulse.onnx.load(rewritten(path, tmp_path, change))


def test_without_onnxruntime_the_error_says_what_to_install(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[onnx\]'"):
        sktspulse.onnx.load(path)
