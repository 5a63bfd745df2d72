"""A file is replaced as a whole, and what a failed or killed writer leaves does no harm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

import sktspulse
from sktspulse.network import files
from sktspulse.network.files import open_file, replaced, write_atomically, write_together

needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="this system has no file locks")


def test_content_replaces_what_was_there(tmp_path):
    path = tmp_path / "file.bin"
    for content in (b"first", b"second, longer", b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_the_system_permits_can_be_written(tmp_path):
    path = tmp_path / ("n" * 255)
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"


# Says when its draft is written, and waits for its end.
STOP = """
import os, sys
from pathlib import Path
from sktspulse.network import files
def stop(_):
    print("written", flush=True)
    sys.stdin.read()
files.os.fsync = stop
files.write_atomically(Path(sys.argv[1]), b"from the other process")
"""


@pytest.fixture
def writer(tmp_path):
    """Start a process that stops while it writes ``file.bin``."""
    home = {"PYTHONPATH": str(Path(sktspulse.__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", STOP, str(tmp_path / "file.bin")],
        env=os.environ | home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"written\n"
    yield process
    process.kill()
    process.communicate()


@needs_locks
def test_the_draft_of_a_killed_writer_is_removed_by_the_next(tmp_path, writer):
    assert len(list(tmp_path.iterdir())) == 1
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(list(tmp_path.iterdir())) == 1
    write_atomically(tmp_path / "other.bin", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["other.bin"]


@needs_locks
def test_the_draft_of_a_living_writer_stays(tmp_path, writer):
    for i in range(3):
        write_atomically(tmp_path / f"{i}.bin", b"")
    writer.communicate(b"")
    assert writer.returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == b"from the other process"
    assert len(list(tmp_path.iterdir())) == 4


@needs_locks
def test_a_draft_removed_before_it_is_locked_is_written_again(tmp_path, monkeypatch):
    lock, locked = files._lock, []

    def remove_first(number, *, wait):
        if not locked:
            for draft in tmp_path.iterdir():
                draft.unlink()
        locked.append(number)
        lock(number, wait=wait)

    monkeypatch.setattr(files, "_lock", remove_first)
    write_atomically(tmp_path / "file.bin", b"content")
    assert len(locked) == 3  # two drafts and the folder
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"content"]


def test_without_locks_files_are_written_and_no_draft_is_removed(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("no locks available")

    monkeypatch.setattr(files, "_lock", fail)
    draft = tmp_path / ".sktspulse-0.draft"
    draft.touch()
    write_atomically(tmp_path / "file.bin", b"content")
    assert {path.name for path in tmp_path.iterdir()} == {draft.name, "file.bin"}


def test_other_files_of_the_folder_are_left_alone(tmp_path):
    others = {".sktspulse-x", "mine.draft", ".file.bin.0123"}
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / ".sktspulse-folder.draft").mkdir()
    (tmp_path / ".sktspulse-link.draft").symlink_to(tmp_path / "mine.draft")
    before = {path.name for path in tmp_path.iterdir()}
    write_atomically(tmp_path / "file.bin", b"content")
    assert {path.name for path in tmp_path.iterdir()} == before | {"file.bin"}


def test_many_writers_in_one_folder_do_not_disturb_each_other(tmp_path):
    errors = []

    def write(number):
        try:
            for i in range(40):
                write_atomically(tmp_path / f"{i % 3}.bin", bytes([number]) * 5000)
        except OSError as error:
            errors.append(error)

    threads = [Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert {path.name for path in tmp_path.iterdir()} == {"0.bin", "1.bin", "2.bin"}
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert content == content[:1] * 5000


# ------------------------------------------------------------------------------ pairs


def write_pair(folder, content):
    write_together({folder / "file.bin": content, folder / "about.txt": content})


@pytest.mark.parametrize("step", ["replace", "unlink"])
@pytest.mark.parametrize("n_before", range(4))
def test_an_interrupted_pair_never_disagrees(tmp_path, monkeypatch, step, n_before):
    write_pair(tmp_path, b"old")
    act, left = getattr(Path, step), [n_before]

    def fail(*arguments, **settings):
        left[0] -= 1
        if left[0] < 0:
            raise OSError("the power failed")
        return act(*arguments, **settings)

    monkeypatch.setattr(Path, step, fail)
    with suppress(OSError):
        write_pair(tmp_path, b"new")
    monkeypatch.undo()
    content = (tmp_path / "file.bin").read_bytes()
    assert content in (b"old", b"new")
    about = tmp_path / "about.txt"
    assert not about.exists() or about.read_bytes() == content


def test_a_pair_that_does_not_fit_on_the_disk_changes_nothing(tmp_path, monkeypatch):
    write_pair(tmp_path, b"old")
    sync, calls = os.fsync, []

    def fail_later(file):
        calls.append(file)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        sync(file)

    monkeypatch.setattr(files.os, "fsync", fail_later)
    with pytest.raises(OSError, match="No space left"):
        write_pair(tmp_path, b"new")
    assert [(tmp_path / name).read_bytes() for name in ("file.bin", "about.txt")] == [b"old"] * 2
    assert len(list(tmp_path.iterdir())) == 2


@needs_locks
def test_writers_of_a_pair_take_turns(tmp_path):
    def write(number):
        for _ in range(60):
            write_pair(tmp_path, bytes([number]))

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file.bin").read_bytes() == (tmp_path / "about.txt").read_bytes()


# ------------------------------------------------------------------------------ opening


def test_only_files_are_opened(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    with open_file(tmp_path / "file") as file:
        assert file.read() == b"content"
    with pytest.raises(ValueError, match="not a file"):
        open_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "absent")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ValueError, match="not a file"):
            open_file(tmp_path / "pipe")


def test_a_file_written_in_pieces_takes_the_place_of_another(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with replaced(path) as file:
        file.write(b"new ")
        file.write(b"content")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new content"
    assert [*tmp_path.iterdir()] == [path]


def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail():
        with replaced(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]
