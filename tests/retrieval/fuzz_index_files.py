"""Damage and forge index files at random, in a process of its own whose memory is limited.

    python tests/retrieval/fuzz_index_files.py FOLDER N_FILES SEED

Each file must load and answer as before, or give a ValueError that names it and a remedy. One that
is forged, with a right hash, may also hold another index; then its answers are finite. The last
line printed is the peak of memory [MB].
"""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from sktspulse import TSPulseRetriever
from sktspulse.network.tensor_files import TensorFile, _digest

KEY = "sktspulse-index"
LIMIT = 2 * 2**30  # bytes, beside what imports map
QUERIES = np.random.default_rng(1).normal(size=(2, 1, 60)).cumsum(-1)
REMEDIES = ("Copy it again", "Pass the path or the name of its network", "Check the path")
KINDS = (
    {"n_neighbors": 2},
    {"n_neighbors": 2, "store": "int8", "normalize": False, "channels": "mean"},
    {"n_neighbors": 2, "store": "float16", "window": 20, "metric": "cosine"},
)
if importlib.util.find_spec("faiss"):
    KINDS += ({"n_neighbors": 2, "index": "faiss"},)
ODD = [
    *(
        -1,
        0,
        1,
        2,
        3,
        7,
        10**6,
        10**9,
        2**53,
        2**63,
        2**64,
        10**300,
        -(10**18),
        1e308,
        float("nan"),
    ),
    *(None, True, False, "", "x" * 10**5, "int8", "mean", "float64", "evil/model", "//evil/share"),
    *("/dev/zero", "/proc/self/mem", "..", [], {}, [[]], {"a": 1}, [1, 2], float("inf")),
]


# --- Damage without a right hash. ----------------------------------------------------------------


def flip_bits(content, rng):
    content = bytearray(content)
    for place in rng.integers(0, len(content), rng.choice([1, 1, 3, 30])):
        content[place] ^= 1 << int(rng.integers(8))
    return bytes(content)


def flip_in_header(content, rng):
    length = 8 + int.from_bytes(content[:8], "little")
    return flip_bits(content[:length], rng) + content[length:]


def truncate(content, rng):
    return content[: rng.integers(len(content))]


def append(content, rng):
    return content + rng.bytes(rng.integers(1, 100))


def overwrite(content, rng):
    start, length = rng.integers(len(content)), rng.integers(1, 200)
    filling = [bytes(length), b"\xff" * length, rng.bytes(length)][rng.integers(3)]
    return (content[:start] + filling + content[start + length :])[: len(content)]


def swap(content, rng):
    a, b, c = sorted(rng.integers(0, len(content), 3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def change_length(content, rng):
    length = int(rng.choice([0, 1, 2**20, 2**24, 2**31, 2**40, 2**63 - 1]))
    return length.to_bytes(8, "little") + content[8:]


def repeat_a_key(content, rng):
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length]
    name = ["vectors", "ids", "__metadata__"][rng.integers(3)]
    offsets = [0, int(rng.choice([8, 2**40]))]
    twin = json.dumps({name: {"dtype": "U8", "shape": [8], "data_offsets": offsets}})[1:-1]
    return sealed(header.rstrip()[:-1] + b"," + twin.encode() + b"}", content[8 + length :])


def rewrite_header(content, rng):
    """Change the type, a size or a place of one array in the header."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    name = rng.choice(sorted(header.keys() - {"__metadata__"}))
    field = rng.choice(["dtype", "shape", "data_offsets", "name", "all"])
    if field == "name":
        header["other"] = header.pop(name)
    elif field == "all":
        header[name] = odd(rng)
    elif field == "dtype":
        header[name][field] = rng.choice(["F64", "F32", "I8", "U8", "F8_E4M3", "BOOL", "", "I64"])
    else:
        place = rng.integers(len(header[name][field]))
        header[name][field][place] = odd(rng)
    return sealed(json.dumps(header).encode(), content[8 + length :])


def nest_deeply(content, rng):
    length = int.from_bytes(content[:8], "little")
    deep = b"[" * 10**5 if rng.random() < 0.5 else b'{"a":' * 10**5
    return sealed(deep, content[8 + length :])


def sealed(header, rest):
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + rest


# --- Forgery: what is written has a right hash. --------------------------------------------------


def odd(rng):
    return ODD[rng.integers(len(ODD))]


def forge_description(about, tensors, rng):
    """Change, remove, or add one value."""
    group = about[rng.choice(["parameters", "seen"])] if rng.random() < 0.6 else about
    name = str(rng.choice(sorted(group)))
    if rng.random() < 0.15:
        name = str(rng.choice(["batch_size", "device", "verbose", "colour", "network_"]))
    if rng.random() < 0.1:
        group.pop(name, None)
    else:
        group[name] = odd(rng)


def forge_arrays(about, tensors, rng):
    """Change values, the type, or the shape of one array."""
    name = str(rng.choice(sorted(tensors)))
    array = tensors[name].numpy().copy()
    kind = rng.integers(4)
    if kind == 0 and array.dtype.kind == "f":
        array.flat[rng.integers(array.size)] = rng.choice([np.nan, np.inf, -np.inf])
    elif kind == 0:
        info = np.iinfo(array.dtype)
        array.flat[rng.integers(array.size)] = rng.choice([info.min, -1, info.max])
    elif kind == 1:
        array = array.astype(rng.choice([np.float64, np.float32, np.int64, np.int8]))
    elif kind == 2:
        array = array[: rng.integers(len(array))]
    else:
        array = array[None]
    tensors[name] = torch.from_numpy(np.ascontiguousarray(array))


def forge(path, rng):
    with TensorFile.open(path) as file:
        about, tensors = file.describe(KEY), file.load()
    about.pop("sha256")
    change = forge_description if rng.random() < 0.7 else forge_arrays
    change(about, tensors, rng)
    text = json.dumps(about | {"sha256": _digest(tensors, about)})
    return safetensors.torch.save(tensors, {KEY: text})


# --- The drill. ----------------------------------------------------------------------------------

DAMAGE = (
    *(flip_bits, flip_in_header, truncate, append, overwrite, swap),
    *(change_length, repeat_a_key, rewrite_header, nest_deeply),
)


def check(path, expected, forged):
    """Load a file; return whether that was possible."""
    try:
        retriever = TSPulseRetriever.load(path, device="cpu")
    except ValueError as error:
        check_message(str(error), path)
        return False
    if not forged:
        answer = retriever.kneighbors(QUERIES)
        assert all(map(np.array_equal, answer, expected)), "other answers"
        return True
    with suppress(ValueError):  # another number of channels, or no entries
        assert not np.isnan(retriever.kneighbors(QUERIES)[0]).any()
    return True


def check_message(message, path):
    assert message.startswith(f"{path} cannot be loaded as an index."), message
    assert any(remedy in message for remedy in REMEDIES), message
    assert len(message) < 2000, message[:2000]


def main(folder, n_files, seed):
    warnings.simplefilter("error")
    rng = np.random.default_rng(seed)
    X = np.random.default_rng(0).normal(size=(5, 1, 60)).cumsum(-1)
    path = Path(folder) / "index.safetensors"
    whole = []
    for parameters in KINDS:
        retriever = TSPulseRetriever(**parameters).fit(X)
        retriever.save(path)
        whole.append((path.read_bytes(), retriever.kneighbors(QUERIES)))
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + LIMIT, mapped + LIMIT))
    n_loaded = 0
    for i in range(n_files):
        content, expected = whole[rng.integers(len(whole))]
        path.write_bytes(content)
        damage = forge if i % 2 else DAMAGE[rng.integers(len(DAMAGE))]
        spoiled = forge(path, rng) if damage is forge else damage(content, rng)
        path.write_bytes(spoiled)
        try:
            n_loaded += check(path, expected, damage is forge)
        except BaseException:
            path.with_name("failed.safetensors").write_bytes(spoiled)
            sys.stderr.write(f"file {i}, made by {damage.__name__}, is failed.safetensors\n")
            raise
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(f"{n_loaded} of {n_files} loaded\n{peak}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
