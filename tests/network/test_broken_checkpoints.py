"""Broken and hostile files are one clear error, and nothing in them is executed."""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from network.checkpoint_files import SMALL, configure, rewrite, same_weights, write_raw

from sktspulse.network import checkpoints
from sktspulse.network.checkpoints import (
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
    weight_shapes,
)
from sktspulse.network.tspulse import TSPulse


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"revin__weight": None}, "missing: revin.weight; unknown: none"),
        ({"backdoor": torch.zeros(3)}, "missing: none; unknown: backdoor"),
        ({"mask_token__values": torch.zeros(5)}, r"mask_token.values is F32 \(5,\).*\(4,\)"),
        ({"revin__weight": torch.ones(1)}, r"revin.weight is F32 \(1,\)"),
        ({"revin__weight": torch.tensor(1.0).double()}, "revin.weight is F64"),
        ({"revin__weight": torch.tensor(1)}, "revin.weight is I64"),
        ({"revin__weight": torch.tensor(torch.nan)}, "NaN or infinite: revin.weight"),
        ({"revin__bias": torch.tensor(-torch.inf)}, "NaN or infinite: revin.bias"),
    ],
)
def test_weights_must_be_exactly_those_of_the_network(saved, changes, message):
    rewrite(saved, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder_with_head__head__projection__weight": torch.ones(2)}, "head.projection.weight"),
        ({"backbone__scaler__affine_weight": torch.tensor(1.0)}, r"\(1, 1, 1\)"),
        ({"backbone__base_norm__bias": None}, "missing: backbone.base_norm.bias"),
    ],
)
def test_published_weights_must_be_exactly_those_of_the_network(published, changes, message):
    rewrite(published / "model.safetensors", **changes)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(published)


@pytest.mark.parametrize("n_bytes", [0, 7, 8, 100, -1])
def test_a_truncated_file_is_refused(saved, n_bytes):
    saved.write_bytes(saved.read_bytes()[:n_bytes])
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(saved)


def test_a_file_that_goes_on_is_refused(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(saved)


@pytest.mark.parametrize("n_bytes", [2**21, 2**31, 2**63, 2**64 - 1])
def test_a_huge_header_is_refused(saved, n_bytes):
    write_raw(saved, b"{" + b" " * 2**21, n_bytes)
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(saved)


class Bomb:
    """Go off when unpickled."""

    def __reduce__(self):
        return os.abort, ()


@pytest.mark.parametrize("save", [pickle.dump, torch.save])
def test_a_pickle_is_never_opened(saved, published, save):
    for path in (saved, published / "model.safetensors"):
        with path.open("wb") as file:
            save(Bomb(), file)
    for path in (saved, published):
        with pytest.raises(CheckpointError, match="not a safetensors file"):
            load_checkpoint(path)


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"null",
        b"not json",
        b"\xff\xfe\xfd",
        b"[" * 2**19,
        b'{"a": 1}',
        b'{"__metadata__": 3}',
        b'{"__metadata__": {"sktspulse": "[]"}}',
        b'{"__metadata__": {"sktspulse": "{}"}}',
        b'{"__metadata__": {"sktspulse": "{\\"format\\": 2, \\"config\\": {}}"}}',
        b'{"__metadata__": {"sktspulse": "{\\"format\\": 1, \\"config\\": []}"}}',
        b'{"__metadata__": {"sktspulse": "{\\"format\\": 1, \\"config\\": {\\"depth\\": 1}}"}}',
    ],
)
def test_a_header_of_something_else_is_refused(saved, header):
    write_raw(saved, header)
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_checkpoint(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 10**5, '{"model_type": NaN}', "\0"])
def test_a_configuration_of_something_else_is_refused(published, text):
    (published / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_checkpoint(published)


@pytest.mark.parametrize("value", ["8", 8.5, None, [8], True, {}, 1e400, -8, 0])
@pytest.mark.parametrize("name", ["context_length", "d_model", "num_layers"])
def test_sizes_of_another_kind_are_refused(published, name, value):
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_checkpoint(configure(published, **{name: value}))


@pytest.mark.parametrize("value", ["1", None, [1], {}])
@pytest.mark.parametrize("name", ["fft_weight", "minimum_scale"])
def test_numbers_of_another_kind_are_refused(published, name, value):
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_checkpoint(configure(published, **{name: value}))


@pytest.mark.parametrize(
    "sizes",
    [
        {"num_layers": 10**9},
        {"decoder_num_layers": 10**9},
        {"register_mixer_layers": 10**9},
        {"d_model": 10**9, "decoder_d_model": 10**9},
        {"d_model": 10**19, "decoder_d_model": 10**19},
        {"context_length": 4 * 10**9},
        {"prediction_length": 10**12},
        {"patch_register_tokens": 10**12},
        {"num_input_channels": 10**6},
        {"expansion_factor": 10**10},
    ],
    ids=str,
)
def test_sizes_that_are_not_in_the_file_cost_nothing(published, sizes):
    start = time.perf_counter()
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_checkpoint(configure(published, **sizes))
    assert time.perf_counter() - start < 2


def test_files_that_are_not_there_are_named(tmp_path, published):
    with pytest.raises(CheckpointError, match=r"absent\.safetensors"):
        load_checkpoint(tmp_path / "absent.safetensors")
    (published / "model.safetensors").rename(published / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        load_checkpoint(published)
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load_checkpoint(published / "config.json")
    (published / "config.json").unlink()
    (published / "pytorch_model.bin").rename(published / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load_checkpoint(published)


def test_a_published_file_without_its_folder_is_explained(published):
    with pytest.raises(CheckpointError, match=r"no configuration. Pass the folder"):
        load_checkpoint(published / "model.safetensors")


@pytest.mark.parametrize(
    "name", ["x" * 300, "a\0b", "x" * 300 + ".safetensors", "no\0.safetensors"]
)
def test_names_that_no_file_can_have_are_refused(name):
    with pytest.raises(CheckpointError, match=r"(?i)there is no checkpoint|cannot be loaded"):
        load_checkpoint(name)


def test_a_folder_in_place_of_a_file_is_refused(saved, published):
    for path in (published / "config.json", published / "model.safetensors"):
        content = path.read_bytes()
        path.unlink()
        path.mkdir()
        with pytest.raises(CheckpointError, match=rf"{path.name} cannot be .*not a file"):
            load_checkpoint(published)
        path.rmdir()
        path.write_bytes(content)


def test_an_error_says_what_to_do(saved):
    saved.write_bytes(saved.read_bytes()[:-4])
    with pytest.raises(
        CheckpointError, match=r"small.safetensors .* Copy or download it again, or"
    ):
        load_checkpoint(saved)


def test_more_layers_than_are_supported_are_not_built(saved, published):
    deep = replace(SMALL, n_layers=255)
    with pytest.raises(ValueError, match="has 258 layers, at most 256 are supported"):
        save_checkpoint(TSPulse(deep), saved)
    with pytest.raises(ValueError, match="has 258 layers, at most 256 are supported"):
        weight_shapes(deep)


def test_the_shapes_of_weights_are_those_of_the_network(network):
    expected = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    assert weight_shapes(SMALL) == expected


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(CheckpointError, match="not a file"):
        load_checkpoint(tmp_path / "pipe.safetensors")


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """Give a file and its sound content, to be damaged."""
    path = tmp_path_factory.mktemp("fuzz") / "small.safetensors"
    save_checkpoint(TSPulse(SMALL), path)
    return path, path.read_bytes()


@given(place=st.integers(0, 4000), junk=st.binary(min_size=1, max_size=9))
@example(place=0, junk=b"\xff")
@example(place=8, junk=b"}")
def test_damage_anywhere_is_noticed(target, place, junk):
    path, content = target
    damaged = content[:place] + junk + content[place + len(junk) :]
    path.write_bytes(damaged)
    checkpoints._load.cache_clear()  # the clock may not tell two writes apart
    try:
        loaded = load_checkpoint(path)
    except CheckpointError:
        return
    path.write_bytes(content)
    checkpoints._load.cache_clear()
    assert same_weights(loaded, load_checkpoint(path))  # white space or a name that is not used
