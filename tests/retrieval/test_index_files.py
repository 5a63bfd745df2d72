"""Index files in real hands: damaged, forged, replaced while read, half written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from retrieval.retrieval_cases import draw_panel, positions_of

from sktspulse import TSPulseRetriever

resource = pytest.importorskip("resource")  # as on Windows

FUZZER = Path(__file__).with_name("fuzz_index_files.py")
MAX_MEGABYTES = 2048
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.mark.parametrize("n_files", [60, pytest.param(2000, marks=pytest.mark.nightly)])
def test_damaged_and_forged_files_are_one_error_or_answer_as_before(tmp_path, n_files):
    command = [sys.executable, str(FUZZER), str(tmp_path), str(n_files), "0"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr[-2000:]
    assert int(process.stdout.split()[-1]) < MAX_MEGABYTES


@pytest.fixture(scope="module")
def two():
    return [TSPulseRetriever().fit(draw_panel(n, seed=n)) for n in (20, 60)]


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of newer versions of Python, for fork
@pytest.mark.parametrize("n_kills", [3, pytest.param(20, marks=pytest.mark.nightly)])
def test_a_kill_while_saving_leaves_a_whole_file(tmp_path, two, n_kills):
    path, rng = tmp_path / "one.safetensors", np.random.default_rng(0)
    two[0].save(path)
    for _ in range(n_kills):
        child = os.fork()
        if not child:
            while True:
                for retriever in two:
                    retriever.save(path)
        time.sleep(rng.uniform(0.01, 0.1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        again = TSPulseRetriever.load(path)
        expected = two[len(again.ids_) == 60]
        assert all(map(np.array_equal, positions_of(again), positions_of(expected)))
    two[0].save(path)
    assert list(tmp_path.iterdir()) == [path]  # no drafts


def read_while(path, change, seconds=1.0):
    """Load a file again and again while another thread changes it; return what was read."""
    end, found = time.monotonic() + seconds, []

    def repeat():
        while time.monotonic() < end:
            change()

    thread = threading.Thread(target=repeat)
    thread.start()
    while time.monotonic() < end:
        try:
            found.append(len(TSPulseRetriever.load(path).ids_))
        except ValueError as error:
            found.append(str(error))
    thread.join()
    return found


def test_a_file_that_is_replaced_is_read_whole(tmp_path, two):
    path = tmp_path / "one.safetensors"
    two[0].save(path)
    found = read_while(path, lambda: [retriever.save(path) for retriever in two])
    assert set(found) == {20, 60}


def test_a_file_that_others_overwrite_is_whole_or_an_error(tmp_path, two):
    paths = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for retriever, path in zip([two[0], *two], paths, strict=True):
        retriever.save(path)
    found = read_while(paths[0], lambda: [shutil.copyfile(one, paths[0]) for one in paths[1:]])
    errors = [text for text in found if isinstance(text, str)]
    assert set(found) - set(errors) <= {20, 60}
    assert all("0.safetensors cannot be loaded as an index" in text for text in errors)


def test_several_threads_save_to_one_name(tmp_path, two):
    path = tmp_path / "one.safetensors"
    two[0].save(path)

    def save_both():
        threads = [threading.Thread(target=one.save, args=(path,)) for one in two]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    found = read_while(path, save_both)
    assert set(found) <= {20, 60}
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path, two):
    path = tmp_path / "one.safetensors"
    two[0].save(path)
    content = path.read_bytes()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) + 1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            two[1].save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_leaves_the_old_file(tmp_path, two, monkeypatch):
    path = tmp_path / "one.safetensors"
    two[0].save(path)
    content = path.read_bytes()

    def refuse(self, mode="r", **settings):
        raise PermissionError(f"{self} is read-only")

    with monkeypatch.context() as context:  # a folder's rights do not bind root
        context.setattr(Path, "open", refuse)
        with pytest.raises(OSError, match="read-only"):
            two[1].save(path)
    assert path.read_bytes() == content
    with pytest.raises(FileNotFoundError):
        two[1].save(tmp_path / "absent" / "one.safetensors")


def test_a_pipe_is_an_error_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "one.safetensors")
    for path in (tmp_path / "one.safetensors", tmp_path):
        with pytest.raises(ValueError, match=r"cannot be loaded as an index\..* not a file"):
            TSPulseRetriever.load(path)
