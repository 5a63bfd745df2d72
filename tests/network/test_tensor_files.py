"""Sound files are read as the library does; others are one error and cost little memory."""

from __future__ import annotations

import json
import os
from threading import Thread

import memory
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import load, save

from sktspulse.network.files import write_atomically
from sktspulse.network.tensor_files import (
    TensorFile,
    check_hash,
    dump_tensors,
    explained,
    stream_tensors,
)

DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int8", "uint8"]


def read(path):
    with TensorFile.open(path) as file:
        return file.load()


def write(path, entries, n_bytes=0, metadata=None):
    """Write a file whose header says anything."""
    header = json.dumps(entries if metadata is None else {"__metadata__": metadata, **entries})
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(n_bytes))
    return path


def entry(start, end, shape, dtype="U8"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3)), max_size=4
    ),
    seed=st.integers(0, 99),
)
def test_tensors_are_those_that_the_library_reads(tmp_path_factory, kinds, seed):
    rng = np.random.default_rng(seed)
    tensors = {
        f"tensor-{i}": torch.from_numpy(np.asarray(rng.normal(size=shape) * 9)).to(
            getattr(torch, dtype)
        )
        for i, (dtype, shape) in enumerate(kinds)
    }
    path = tmp_path_factory.mktemp("tensors") / "a.safetensors"
    content, text = dump_tensors(tensors, "about", {"seed": seed})
    path.write_bytes(content)
    with TensorFile.open(path) as file:
        found, about = file.load(), file.describe("about")
    assert about == json.loads(text)
    streamed = path.with_name("b.safetensors")
    with streamed.open("wb") as stream:
        stream_tensors(stream, tensors, "about", {"seed": seed})
    assert load(streamed.read_bytes()).keys() == tensors.keys()
    with TensorFile.open(streamed) as file:
        again = file.load()
        assert file.describe("about") == about
    assert all(torch.equal(again[name], one) for name, one in tensors.items())
    assert about["seed"] == seed
    check_hash(found, about)
    expected = load(content)
    assert found.keys() == expected.keys() == tensors.keys()
    for name, tensor in found.items():
        assert tensor.dtype == expected[name].dtype
        assert tensor.equal(expected[name])
        assert tensor.equal(tensors[name])


@given(place=st.integers(0, 400), junk=st.binary(min_size=1, max_size=6))
def test_what_the_library_refuses_is_refused(tmp_path_factory, place, junk):
    content = save({"a": torch.arange(4.0), "b": torch.ones(2, 3)}, {"about": "{}"})
    content = content[:place] + junk + content[place + len(junk) :]
    path = tmp_path_factory.mktemp("damage") / "a.safetensors"
    path.write_bytes(content)
    try:
        expected = load(content)
    except (SafetensorError, ValueError):
        with pytest.raises(ValueError, match="cannot be loaded"), explained(path, "", ""):
            read(path)
        return
    try:
        found = read(path)
    except (ValueError, TypeError):
        return  # more is refused than the library does
    assert all(
        np.array_equal(t.numpy(), expected[n].numpy(), equal_nan=True) for n, t in found.items()
    )


def test_any_flipped_bit_is_noticed(tmp_path):
    content, _ = dump_tensors({"a": torch.arange(3.0)}, "about", {"x": 0.001, "y": "text"})
    path = tmp_path / "a.safetensors"
    sound = {"a": [0.0, 1.0, 2.0], "x": 0.001, "y": "text"}
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        try:
            with TensorFile.open(path) as file:
                about, found = file.describe("about"), file.load()
            check_hash(found, about)
        except Exception:  # noqa: S112 (which one is not the question here)
            continue
        # White space, or the name of the description, which is then absent.
        assert (
            about is None or {"a": found["a"].tolist(), "x": about["x"], "y": about["y"]} == sound
        )


@pytest.mark.parametrize(
    ("entries", "n_bytes", "message"),
    [
        ({"a": entry(0, 2**40, [2**40])}, 0, "instead of 1099511627776"),
        ({"a": entry(0, 4, [2**40])}, 4, "size that is not that of its shape"),
        ({"a": entry(0, 4, [1], "F64")}, 4, "size that is not that of its shape"),
        ({"a": entry(0, 0, [0, 2**70])}, 0, "cannot be loaded"),
        ({"a": entry(0, 0, [2**62, 2**62, 0])}, 0, "cannot be loaded"),
        ({"a": entry(0, 1, [-1])}, 1, "size that is not"),
        ({"a": entry(4, 0, [-4])}, 4, "size that is not"),
        ({"a": entry(0, 1, [True])}, 1, "size that is not"),
        ({"a": entry(0.0, 1, [1])}, 1, "size that is not"),
        ({"a": entry(0, 2, "11")}, 2, "size that is not"),
        ({"a": entry(0, 1, [1], "F8")}, 1, "has type 'F8', expected one of F64"),
        ({"a": entry(0, 1, [1], None)}, 1, "has type None"),
        ({"a": entry(0, 1, [1], [])}, 1, "cannot be loaded"),
        ({"a": entry(0, 2, [2]), "b": entry(1, 3, [2])}, 3, "overlap or leave gaps"),
        ({"a": entry(0, 2, [2]), "b": entry(3, 5, [2])}, 5, "overlap or leave gaps"),
        ({"a": entry(0, 2, [2])}, 3, "has 3 bytes of tensors instead of 2"),
        ({"a": {**entry(0, 1, [1]), "more": 1}}, 1, "cannot be loaded"),
        ({"a": {}}, 0, "cannot be loaded"),
        ({"a": 3}, 0, "not that of a safetensors file"),
        ([], 0, "not that of a safetensors file"),
        ("text", 0, "not that of a safetensors file"),
        ({"__metadata__": {"about": 3}}, 0, "metadata are not text"),
        ({"x" * 10**6: entry(0, 1, [2])}, 1, r"x{300,} \[\.\.\.\]"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_headers_that_lie_are_refused_for_little_memory(tmp_path, entries, n_bytes, message):
    path = write(tmp_path / "a.safetensors", entries, n_bytes)
    reading = explained(path, "a file", "Write it again.")
    with memory.at_most(2**24), pytest.raises(ValueError, match=message) as caught, reading:
        read(path)
    assert str(path) in str(caught.value)
    assert "Write it again." in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_large_sparse_file_is_not_read_for_its_header(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes((2**40).to_bytes(8, "little"))
    os.truncate(path, 2**34)
    with pytest.raises(ValueError, match="not a safetensors file"):
        read(path)


def test_a_description_is_an_object(tmp_path):
    path = write(tmp_path / "a.safetensors", {}, metadata={"about": "[1]", "other": "{}"})
    with TensorFile.open(path) as file:
        assert file.describe("nothing") is None
        assert file.describe("other") == {}
        with pytest.raises(TypeError, match="a JSON list"):
            file.describe("about")


def test_a_changed_description_or_tensor_is_noticed(tmp_path):
    tensors = {"a": torch.arange(3.0), "b": torch.zeros(())}
    _, text = dump_tensors(tensors, "about", {"x": 1})
    about = json.loads(text)
    check_hash(tensors, about)
    check_hash(tensors, None)
    check_hash(tensors, {"x": 2})  # written before there was a hash
    swapped = {"a": tensors["a"].reshape(3, 1), "b": tensors["b"]}
    for other, description in [(tensors, {**about, "x": 2}), (swapped, about), ({}, about)]:
        with pytest.raises(ValueError, match="not what was written"):
            check_hash(other, description)


def test_a_file_that_is_cut_while_it_is_open_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(dump_tensors({"a": torch.zeros(10**5)}, "about", {})[0])
    with TensorFile.open(path) as file:
        os.truncate(path, 1000)
        with pytest.raises(ValueError, match="cut while it was read"):
            file.load()


def test_a_file_that_is_replaced_is_read_whole_old_or_new(tmp_path):
    path = tmp_path / "a.safetensors"
    contents = [
        dump_tensors({"a": torch.full((n,), float(n))}, "about", {"n": n})[0] for n in (999, 5000)
    ]
    write_atomically(path, contents[0])
    done = []

    def replace():
        for i in range(150):
            write_atomically(path, contents[i % 2])
        done.append(True)

    writer = Thread(target=replace)
    writer.start()
    seen = set()
    while not done:
        with TensorFile.open(path) as file:
            about, tensors = file.describe("about"), file.load()
        check_hash(tensors, about)
        seen.add(about["n"])
    writer.join()
    assert seen == {999, 5000}


def test_the_cause_of_an_error_is_told_in_words(tmp_path):
    for error, words in [
        (KeyError("step"), "It lacks 'step'. Try again."),
        (MemoryError(), "It does not fit into memory. Try again."),
        (ValueError("It is odd."), "It is odd. Try again."),
        (
            PermissionError(13, "Permission denied"),
            "Permission denied. Check the path and its perm",
        ),
    ]:
        with (
            pytest.raises(ValueError, match=words) as caught,
            explained("f.x", "a y", "Try again."),
        ):
            raise error
        assert str(caught.value).startswith("f.x cannot be loaded as a y. ")
    with pytest.raises(KeyboardInterrupt), explained("f.x", "a y", ""):
        raise KeyboardInterrupt


def test_a_description_that_is_too_long_to_be_read_is_not_written():
    assert dump_tensors({}, "about", {"a": "b" * 2**23})
    with pytest.raises(ValueError, match=r"The description takes .* but at most 16777216 are read"):
        dump_tensors({}, "about", {"a": "b" * 2**24})


def test_a_description_without_indent_is_short_and_the_same(tmp_path):
    about = {"a": [1, {"b": None}]}
    texts = [dump_tensors({}, "about", about, indent=indent)[1] for indent in (2, None)]
    assert json.loads(texts[0]) == json.loads(texts[1])
    assert texts[1].startswith('{"a":[1,{"b":null}],"sha256":"')


def test_mapped_arrays_are_those_that_are_read(tmp_path):
    path = tmp_path / "a.safetensors"
    tensors = {name: torch.arange(6).reshape(2, 3).to(getattr(torch, name)) for name in DTYPES}
    del tensors["bfloat16"]  # which NumPy lacks
    tensors["empty"] = torch.zeros(0, 4)
    path.write_bytes(dump_tensors(tensors, "about", {})[0])
    with TensorFile.open(path) as file:
        found, place = file.map(), file.place("int32")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())
    assert not found["int64"].flags.writeable
    content = path.read_bytes()[place.offset :][:24]
    np.testing.assert_array_equal(np.frombuffer(content, np.int32), np.arange(6))
    place.check()
    write_atomically(path, b"another")
    with pytest.raises(ValueError, match="replaced while it was read"):
        place.check()
    np.testing.assert_array_equal(found["int8"], tensors["int8"].numpy())
