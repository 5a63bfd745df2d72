"""Damage files at random and load them: ``mutations.py FOLDER N_MUTATIONS SEED``.

Prints JSON: how many were loaded, and each answer that is neither a sound object nor one short
``ValueError`` that names the file. Run it in a process of its own, since it limits its memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import zipfile
from pathlib import Path

import numpy as np

import sktspulse
from sktspulse import (
    OptimizerOptions,
    TSPulseAnomalyDetector,
    TSPulseClassifier,
    TSPulseConfig,
    TSPulsePretrainer,
)
from sktspulse.network import TensorFile, dump_tensors, load_checkpoint
from sktspulse.pretraining import Corpus
from sktspulse.pretraining.losses import LOSS_WEIGHTS
from sktspulse.pretraining.run_state import load_state

MAX_MEMORY = 2**31  # bytes, beside what imports map: some builds of torch map as much
MAX_SECONDS = 5  # for one file
SMALL = TSPulseConfig(
    context_length=32, d_model=3, n_layers=1, n_decoder_layers=1, n_registers=2, n_signature_bins=8
)
NUMBERS = [-1, 0, 1, 7, 255, 2**15, 2**31, 2**40, 2**62, 2**63, 2**64, 10**30, 1e308, 0.5]
ESTIMATOR_KEY = "sktspulse-estimator"
JUNK = [*NUMBERS, None, True, "", "x" * 999, [], {}, [[]], float("nan"), [2**40], "F64", "1"]


# ------------------------------------------------------------------------------ bytes


def flip(content, rng):
    for place in rng.integers(len(content), size=rng.integers(1, 9)):
        content[place] ^= 1 << rng.integers(8)


def cut(content, rng):
    del content[rng.integers(len(content)) :]


def extend(content, rng):
    content += rng.bytes(rng.integers(1, 99))


def remove(content, rng):
    start = rng.integers(len(content))
    del content[start : start + rng.integers(1, 99)]


def insert(content, rng):
    start = rng.integers(len(content))
    content[start:start] = rng.bytes(rng.integers(1, 99))


def repeat(content, rng):
    start = rng.integers(len(content))
    content[start:start] = content[start : start + rng.integers(1, 999)]


def erase(content, rng):
    start, n = rng.integers(len(content)), rng.integers(1, 999)
    content[start : start + n] = bytes([rng.choice([0, 255])]) * len(content[start : start + n])


def count(content, rng):
    """Write a number into any eight bytes, as sizes in headers are."""
    start, number = rng.integers(len(content)), int(rng.choice([0, 1, 255, 2**31, 2**40, 2**63]))
    content[start : start + 8] = number.to_bytes(8, "little")


def digits(content, rng):
    """Change digits in the text of headers."""
    places = [i for i, byte in enumerate(content[:9000]) if chr(byte).isdigit()]
    for place in rng.choice(places, 2) if places else ():
        content[place : place + 1] = str(rng.choice([9, 10**3, 10**9, 10**18])).encode()


BYTES = [flip, cut, extend, remove, insert, repeat, erase, count, digits]


# ------------------------------------------------------------------------------ structure


def change_json(value, rng):
    """Replace, remove or double a random part of a JSON value."""
    if isinstance(value, str) and value.startswith("{") and rng.random() < 0.9:
        return json.dumps(change_json(json.loads(value), rng))
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return JUNK[rng.integers(len(JUNK))]
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = keys[rng.integers(len(keys))]
    changed = value.copy()
    if rng.random() < 0.1:
        del changed[key]
    elif rng.random() < 0.1 and isinstance(value, dict):
        changed["more"] = changed[key]
    else:
        changed[key] = change_json(value[key], rng)
    return changed


def change_header(content, rng):
    """Change the header of a safetensors file, or the description in it."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(change_json(json.loads(content[8:end]), rng)).encode()
    content[:end] = len(header).to_bytes(8, "little") + header


def forge(path):
    """Give the file of an estimator a hash that fits, if it can be read."""
    try:
        with TensorFile.open(path) as file:
            about, tensors = file.describe(ESTIMATOR_KEY), file.load()
        about.pop("sha256", None)
        path.write_bytes(dump_tensors(tensors, ESTIMATOR_KEY, about)[0])
    except (AttributeError, TypeError, ValueError):
        return


def change_arrays(path, rng):
    """Change the arrays of a corpus."""
    with np.load(path) as file:
        arrays = dict(file)
    name = [*arrays][rng.integers(len(arrays))]
    array = arrays[name]
    odd = rng.choice([np.nan, np.inf, -1, 2.0**40, 1e300, 0.5])
    changes = [
        lambda: array.astype(
            rng.choice(["f2", "f8", ">f8", "i1", "u8", "c16", "U3", "O", "M8[s]", "?"])
        ),
        lambda: np.where(rng.random(array.shape) < 0.1, odd, array),
        lambda: array[: rng.integers(len(array))],
        lambda: array[None],
        lambda: np.repeat(array, 2),
        lambda: array[::-1],
        lambda: np.zeros(2**25, array.dtype),
        lambda: np.array(odd),
    ]
    try:
        arrays[name] = changes[rng.integers(len(changes))]()
    except (TypeError, ValueError):
        del arrays[name]
    (np.savez_compressed if rng.random() < 0.5 else np.savez)(path, **arrays)


def change_archive(path, rng):
    """Write the members of a corpus again: compressed in other ways, renamed or doubled."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    method = int(rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, member in members.items():
            content = bytearray(member)
            if rng.random() < 0.5:
                BYTES[rng.integers(len(BYTES))](content, rng)
            archive.writestr(name, bytes(content))


# ------------------------------------------------------------------------------ loading


def make_files(folder):
    """Write a sound file of each kind; return how each is loaded, by path."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=300).astype("f4")
    np.savez(folder / "corpus.npz", values=values, offsets=[0, 120, 300], source=[0, 2])
    TSPulsePretrainer(
        SMALL,
        max_epochs=1,
        steps_per_epoch=2,
        batch_size=4,
        optimizer=OptimizerOptions(warmup_steps=0),
        path=folder,
        random_state=0,
    ).fit(folder / "corpus.npz")
    checkpoint = folder / "network.safetensors"
    checkpoint.write_bytes((folder / "checkpoint.safetensors").read_bytes())
    X = rng.normal(size=(64, 2)).cumsum(axis=0)
    TSPulseAnomalyDetector(checkpoint=checkpoint).fit(X).save(folder / "detector.safetensors")
    classifier = TSPulseClassifier(checkpoint=checkpoint).fit(X.reshape(8, 16), np.arange(8) % 2)
    classifier.save(folder / "classifier.safetensors")
    return {
        folder / "detector.safetensors": sktspulse.load,
        folder / "classifier.safetensors": sktspulse.load,
        folder / "checkpoint.safetensors": load_checkpoint,
        folder / "state.safetensors": lambda path: load_state(
            path.parent, SMALL, LOSS_WEIGHTS, resume=True
        ),
        folder / "corpus.npz": lambda path: Corpus.from_files([path]),
    }


def damage(path, content, rng):
    path.write_bytes(content)
    if path.suffix == ".npz" and rng.random() < 0.4:
        (change_arrays if rng.random() < 0.6 else change_archive)(path, rng)
        return
    damaged = bytearray(content)
    if path.suffix != ".npz" and rng.random() < 0.5:
        change_header(damaged, rng)
    else:
        BYTES[rng.integers(len(BYTES))](damaged, rng)
    path.write_bytes(damaged)
    if path.stem in ("detector", "classifier") and rng.random() < 0.5:
        forge(path)


def fault(path, load):
    """Load a file; return whether it was, and what is wrong with the answer, if anything."""
    start, loaded = time.perf_counter(), False
    try:
        load(path)
        loaded = True
    except ValueError as error:
        text = str(error)
        if str(path) not in text and f"path={str(path.parent)!r}" not in text:
            return loaded, f"does not name the file: {text}"
        if len(text) > 1000:
            return loaded, f"is long: {text[:300]}"
    except BaseException as error:  # that is what is looked for
        return loaded, f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - start
    return loaded, f"took {seconds:.1f} s" if seconds > MAX_SECONDS else None


def main(folder, n_mutations, seed):
    loaders = make_files(folder)
    sound = {path: path.read_bytes() for path in loaders}
    for path, load in loaders.items():
        load(path)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MAX_MEMORY, mapped + MAX_MEMORY))
    n_loaded, faults = 0, []
    for number in range(n_mutations):
        rng = np.random.default_rng([seed, number])
        path = [*loaders][number % len(loaders)]
        damage(path, sound[path], rng)
        loaded, wrong = fault(path, loaders[path])
        n_loaded += loaded
        if wrong:
            faults.append(f"mutation {number} of {path.name}: {wrong}")
    sys.stdout.write(json.dumps({"n_loaded": n_loaded, "faults": faults}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
