"""Arrays are those that were saved; archives that lie are one error and cost little memory."""

from __future__ import annotations

import io
import zipfile

import memory
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.pretraining.npz_files import read_arrays

KINDS = {"values": "fiu", "source": "iu"}


def sound():
    return {"values": np.arange(30, dtype=np.float32), "source": np.arange(4)}


def npy(array):
    """Return the content of a ``.npy`` file."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def write(path, members, **settings):
    """Write an archive with any content."""
    with zipfile.ZipFile(path, "w", **settings) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def claim(dtype="<f4", shape=(30,), n_bytes=120, version=1):
    """Return a ``.npy`` file whose header says anything."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0, len(header), 0]) + header + bytes(n_bytes)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", "<i2", ">u4", "u1"])
@given(n=st.integers(0, 300), seed=st.integers(0, 9))
def test_arrays_are_those_that_numpy_reads(tmp_path_factory, save, dtype, n, seed):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    values = np.random.default_rng(seed).integers(0, 99, n).astype(dtype)
    save(path, values=values, source=np.arange(3, dtype=">i4"), other=np.array("name"))
    found, source = read_arrays(path, KINDS)
    np.testing.assert_array_equal(found, values)
    assert found.dtype == (values.dtype if values.dtype.kind == "f" else np.int64)
    assert source.dtype == np.int64
    assert source.tolist() == [0, 1, 2]


def test_large_arrays_are_read_in_chunks(tmp_path):
    values = np.random.default_rng(0).normal(size=10**6)
    np.savez_compressed(tmp_path / "a.npz", values=values, source=[0])
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.npz", KINDS)[0], values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values.npy": None}, "must hold the arrays"),
        ({"values.npy": b""}, "EOF"),
        ({"values.npy": b"no array at all"}, "magic string"),
        ({"values.npy": claim(version=3)}, "version"),
        ({"values.npy": claim(shape=(2**40,))}, "size of values is not that of its shape"),
        ({"values.npy": claim(shape=(31,))}, "size of values is not that of its shape"),
        ({"values.npy": claim(shape=(29,))}, "size of values is not that of its shape"),
        ({"values.npy": claim(shape=(-30,))}, "size of values is not that of its shape"),
        ({"values.npy": claim(shape=(5, 6))}, r"shape \(5, 6\), expected one axis of numbers"),
        ({"values.npy": claim(shape=())}, r"shape \(\), expected one axis of numbers"),
        ({"values.npy": claim("|O")}, "type object and shape"),
        ({"values.npy": claim("<c8")}, "type complex64"),
        ({"values.npy": claim("<U1")}, "type <U1"),
        ({"values.npy": claim([("a", "<f4")])}, "type .*'a'"),
        ({"source.npy": npy(np.array([0.5]))}, "source has type float64 .* of whole numbers"),
    ],
    ids=range(15),
)
def test_members_that_lie_are_refused_for_little_memory(tmp_path, changes, message):
    members = {f"{name}.npy": npy(array) for name, array in sound().items()} | changes
    kept = {name: content for name, content in members.items() if content is not None}
    path = write(tmp_path / "a.npz", kept)
    with memory.at_most(2**24), pytest.raises(ValueError, match=message):
        read_arrays(path, KINDS)


def test_a_pickle_is_not_opened(tmp_path):
    np.savez(tmp_path / "a.npz", values=np.array([print], dtype=object), source=[0])
    with pytest.raises(ValueError, match="type object"):
        read_arrays(tmp_path / "a.npz", KINDS)


def test_a_bomb_is_not_decompressed(tmp_path):
    content = claim(shape=(2**27,), n_bytes=2**29)
    members = {"values.npy": content, "source.npy": npy(np.arange(1))}
    path = write(tmp_path / "a.npz", members, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**20
    del content, members
    with (
        memory.at_most(2**22),
        pytest.raises(ValueError, match=r"claim to hold 536871.*, more than 100 times as many"),
    ):
        read_arrays(path, KINDS)


def test_a_bomb_that_says_it_is_small_is_decompressed_only_so_far(tmp_path):
    bomb = write(
        tmp_path / "a.npz", {"values.npy": claim(shape=(2**24,), n_bytes=2**26)}, compression=8
    )
    content = bytearray(bomb.read_bytes())
    small = len(claim(shape=(2**24,), n_bytes=0)) + 120
    for place in (22, content.rfind(b"PK\x01\x02") + 24):  # sizes in both headers of the member
        content[place : place + 4] = small.to_bytes(4, "little")
    bomb.write_bytes(content)
    with zipfile.ZipFile(bomb, "a") as archive:
        archive.writestr("source.npy", npy(np.arange(1)))
    with memory.at_most(2**24), pytest.raises(zipfile.BadZipFile, match="CRC"):
        read_arrays(bomb, KINDS)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused(tmp_path, compression):
    members = {f"{name}.npy": npy(array) for name, array in sound().items()}
    path = write(tmp_path / "a.npz", members, compression=compression)
    with pytest.raises(ValueError, match=r"in a way that numpy.savez does not use"):
        read_arrays(path, KINDS)


def test_flipped_bits_are_noticed(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, **sound())
    content = path.read_bytes()
    start = content.find(b"\n", content.find(b"NUMPY")) + 1
    for place in range(start, start + 120, 7):
        damaged = bytearray(content)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        with pytest.raises(zipfile.BadZipFile, match="CRC"):
            read_arrays(path, KINDS)
