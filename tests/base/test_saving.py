"""Files of estimators: what is written, and which files are refused."""

from __future__ import annotations

import os
import pickle
import warnings

import numpy as np
import pytest
import torch
from saving.saved_files import KEY, spoil
from sklearn.exceptions import NotFittedError

import sktspulse
from sktspulse import TSPulseConfig, TSPulseTransformer
from sktspulse.base import find_class_name, saving
from sktspulse.network import TSPulse, save_checkpoint
from sktspulse.network.tensor_files import TensorFile

SMALL = TSPulseConfig(
    context_length=64, d_model=4, n_layers=1, n_decoder_layers=1, n_signature_bins=16
)
X = np.random.default_rng(0).normal(size=(4, 100))


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "network.safetensors"
    save_checkpoint(TSPulse(SMALL), path)
    return path


@pytest.fixture
def fitted(checkpoint):
    return TSPulseTransformer(checkpoint=checkpoint).fit(X)


@pytest.fixture
def path(tmp_path, fitted):
    path = tmp_path / "one.safetensors"
    fitted.save(path)
    return path


def test_the_same_file_is_written_again(tmp_path, fitted, path):
    fitted.save(str(tmp_path / "two.safetensors"))
    assert (tmp_path / "two.safetensors").read_bytes() == path.read_bytes()
    with TensorFile.open(path) as file:
        assert find_class_name(file) == "TSPulseTransformer"


def test_a_file_can_be_given_as_text(fitted, path):
    np.testing.assert_array_equal(
        TSPulseTransformer.load(str(path)).transform(X), fitted.transform(X)
    )


def test_an_estimator_that_is_not_fitted_is_not_saved(tmp_path):
    with pytest.raises(NotFittedError):
        TSPulseTransformer().save(tmp_path / "one.safetensors")
    assert not [*tmp_path.iterdir()]


def test_other_endings_are_an_error(tmp_path, fitted):
    with pytest.raises(ValueError, match=r"expected a name that ends in '\.safetensors'"):
        fitted.save(tmp_path / "one.pkl")


def test_invalid_parameters_are_not_saved(tmp_path, fitted):
    with pytest.raises(ValueError, match="The 'batch_size' parameter of TSPulseTransformer must"):
        fitted.set_params(batch_size=0).save(tmp_path / "one.safetensors")
    assert not (tmp_path / "one.safetensors").exists()


def test_what_cannot_be_saved_leaves_the_old_file(fitted, path):
    content = path.read_bytes()
    fitted.more_ = [1, {"b": print}]
    with pytest.raises(ValueError, match=r"more_\.1\.b is a builtin_function"):
        fitted.save(path)
    assert path.read_bytes() == content


def test_a_full_disk_leaves_the_old_file(tmp_path, fitted, path, monkeypatch):
    content, files = path.read_bytes(), {*tmp_path.iterdir()}

    def fail(file):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        fitted.set_params(batch_size=7).save(path)
    assert path.read_bytes() == content
    assert {*tmp_path.iterdir()} == files


# --------------------------------------------------------------------------- the network


def test_another_network_is_refused_and_a_moved_one_found(tmp_path, fitted, checkpoint, path):
    moved = checkpoint.rename(tmp_path / "moved.safetensors")
    with pytest.raises(ValueError, match=r"one\.safetensors cannot .* as checkpoint\.$"):
        TSPulseTransformer.load(path)
    again = TSPulseTransformer.load(path, checkpoint=moved)
    assert again.checkpoint == moved
    expected = fitted.set_params(checkpoint=moved).transform(X)
    np.testing.assert_array_equal(again.transform(X), expected)
    save_checkpoint(TSPulse(SMALL), checkpoint)  # has other weights
    with pytest.raises(ValueError, match="holds other weights than when TSPulseTransformer was"):
        TSPulseTransformer.load(path)


@pytest.mark.parametrize(
    "name", ["someone/network", "//host/network", r"\\host\network.safetensors"]
)
def test_a_file_starts_no_download(path, name):
    def rename(tensors, about):
        about["parameters"]["checkpoint"] = name

    spoil(path, rename)
    with pytest.raises(ValueError, match=r"one\.safetensors cannot .*(on this|on another) machine"):
        TSPulseTransformer.load(path)


def test_the_device_belongs_to_the_machine(fitted, path):
    fitted.set_params(device="cuda:9").save(path)
    assert TSPulseTransformer.load(path).device == "auto"
    assert TSPulseTransformer.load(path, device="cpu").device == "cpu"
    with pytest.raises(ValueError, match="device='gpu' is not available"):
        TSPulseTransformer.load(path, device="gpu")


# --------------------------------------------------------------------------- versions


def test_a_newer_format_is_named(path):
    spoil(path, lambda tensors, about: about.update(format=2, version="3.1.4"))
    message = (
        r"one\.safetensors cannot be loaded as an estimator\. Its format is 2, written by "
        r"sktspulse 3\.1\.4, .* reads format 1\. Install the newest version of sktspulse"
    )
    with pytest.raises(ValueError, match=message):
        TSPulseTransformer.load(path)


@pytest.mark.parametrize(("version", "warns"), [("0.2.9", False), ("0.3.0", True), ("1.0", True)])
def test_another_release_is_warned_of(path, version, warns, monkeypatch):
    monkeypatch.setattr(saving, "_version", lambda: "0.2.0")
    spoil(path, lambda tensors, about: about.update(version=version))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TSPulseTransformer.load(path)
        sktspulse.load(path)
    assert [one.filename for one in caught] == warns * [__file__, __file__]
    assert all(f"saved by sktspulse {version}, but" in str(one.message) for one in caught)


def test_parts_that_another_release_has_changed_are_named(path):
    def date_back(tensors, about):
        about.update(version="0.1.9")
        about["attributes"]["_spec"]["object"][1]["overlap"] = 0.5

    spoil(path, date_back)
    message = r"EmbeddingSpec .* has no \['overlap'\]\. Load it with sktspulse 0\.1\.9, or fit and"
    with pytest.raises(ValueError, match=message):
        TSPulseTransformer.load(path)


def test_parameters_that_were_added_later_have_their_defaults(path):
    spoil(path, lambda tensors, about: about["parameters"].pop("windowing"))
    assert TSPulseTransformer.load(path).windowing == "resample"


# --------------------------------------------------------------------------- other files


def test_a_file_of_another_class_says_so(path):
    class Other(TSPulseTransformer):
        pass

    with pytest.raises(ValueError, match=r"It holds 'TSPulseTransformer' .* sktspulse\.load"):
        Other.load(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", bytes(100), pickle.dumps({"a": 1}), b"\xff" * 99],
    ids=["empty", "text", "zeros", "pickle", "ones"],
)
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.safetensors cannot be loaded as an estimator\."):
        TSPulseTransformer.load(path)


def test_a_network_a_folder_and_nothing_are_no_estimators(tmp_path, checkpoint):
    for path in (checkpoint, tmp_path, tmp_path / "absent.safetensors"):
        with pytest.raises(ValueError, match=rf"{path.name} cannot be loaded as an estimator\."):
            TSPulseTransformer.load(path)


def test_a_pickle_is_never_opened(tmp_path, fitted, monkeypatch):
    path = tmp_path / "one.safetensors"
    path.write_bytes(pickle.dumps(fitted))
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, lambda *args: pytest.fail("a pickle was opened"))
    with pytest.raises(ValueError, match="It is not a safetensors file"):
        TSPulseTransformer.load(path)


def test_any_flipped_bit_is_noticed(path):
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"one\.safetensors cannot be loaded as an estimator"):
            TSPulseTransformer.load(path)


def test_any_truncation_is_noticed(path):
    content = path.read_bytes()
    for end in range(0, len(content), 11):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match=r"one\.safetensors cannot be loaded as an estimator"):
            TSPulseTransformer.load(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda tensors, about: about.pop("format"),
        lambda tensors, about: about.pop("version"),
        lambda tensors, about: about.pop("estimator"),
        lambda tensors, about: about.pop("attributes"),
        lambda tensors, about: about.update(format="1"),
        lambda tensors, about: about.update(version=1),
        lambda tensors, about: about.update(estimator=["TSPulseTransformer"]),
        lambda tensors, about: about.update(parameters=[]),
        lambda tensors, about: about.update(attributes=3),
        lambda tensors, about: about["parameters"].update(batch_size=0),
        lambda tensors, about: about["parameters"].update(size=1),
        lambda tensors, about: about["attributes"].clear(),
        lambda tensors, about: about["attributes"].pop("fingerprint_"),
        lambda tensors, about: about["attributes"].update(fit=1),
        lambda tensors, about: about["attributes"].update(__dict__={"tuple": []}),
        lambda tensors, about: about["attributes"].update(_spec={"object": ["Probe", {}]}),
        lambda tensors, about: tensors.update(more=torch.zeros(3)),
    ],
)
def test_content_that_does_not_belong_there_is_refused(path, damage):
    spoil(path, damage)
    with pytest.raises(
        ValueError, match=r"^[^ ]*one\.safetensors cannot be loaded as an estimator"
    ):
        TSPulseTransformer.load(path)


def test_a_description_without_a_hash_is_refused(path):
    with TensorFile.open(path) as file:
        about = file.describe(KEY)
    text = path.read_bytes().replace(about["sha256"].encode(), b"0" * 64)
    path.write_bytes(text.replace(b'\\"sha256\\"', b'\\"sha257\\"'))
    with pytest.raises(ValueError, match=r"one\.safetensors cannot be loaded as an estimator"):
        TSPulseTransformer.load(path)
