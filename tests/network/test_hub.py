"""Files come from the hub when they are not here, and only then."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from network.checkpoint_files import TINY, copy_tiny, same_weights

from sktspulse.network.checkpoints import CheckpointError, load_checkpoint


def test_a_missing_hub_library_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[hub\]'"):
        load_checkpoint("organisation/name")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Stand for huggingface_hub: branches here and there, and what was fetched."""
    state = SimpleNamespace(cache=tmp_path, here={}, there={"main": "new"}, fetched=[])

    def hf_hub_download(repo_id, filename, revision, local_files_only=False):
        branches = state.here if local_files_only else state.there
        commit = branches.get(revision or "main", revision)
        path = tmp_path / str(commit) / filename
        if not local_files_only:
            if commit not in state.there.values():
                raise OSError(f"{repo_id} has no {revision}")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes((TINY / filename).read_bytes())
            state.fetched.append((commit, filename))
        if not path.exists():
            raise FileNotFoundError(path)
        return str(path)

    stub = SimpleNamespace(hf_hub_download=hf_hub_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", stub)
    return state


def test_files_that_are_here_are_not_fetched(hub):
    copy_tiny(hub.cache / "old")
    hub.here["main"] = "old"
    assert same_weights(load_checkpoint("org/name"), load_checkpoint(TINY))
    assert hub.fetched == []


@pytest.mark.parametrize(
    ("name", "revision"), [("org/name", "r1"), ("org/name@r1", None), ("org/name@r0", "r1")]
)
def test_files_that_are_not_here_are_fetched(hub, name, revision):
    hub.there["r1"] = "older"
    assert same_weights(load_checkpoint(name, revision=revision), load_checkpoint(TINY))
    assert hub.fetched == [("older", "config.json"), ("older", "model.safetensors")]


def test_nothing_is_fetched_if_that_is_not_allowed(hub):
    with pytest.raises(CheckpointError, match=r"'org/name', revision 'main', is not on this mach"):
        load_checkpoint("org/name", download=False)
    assert hub.fetched == []
    load_checkpoint("org/name")
    hub.here["main"] = "new"
    assert same_weights(load_checkpoint("org/name", download=False), load_checkpoint(TINY))


def test_both_files_are_of_one_commit(hub):
    copy_tiny(hub.cache / "old")
    (hub.cache / "old" / "model.safetensors").unlink()
    hub.here["main"] = hub.there["r0"] = "old"
    load_checkpoint("org/name")
    assert hub.fetched == [("old", "model.safetensors")]


def test_what_the_hub_does_not_have_is_explained(hub):
    with pytest.raises(CheckpointError, match=r"Could not get 'org/name', revision 'r9'.*OFFLINE"):
        load_checkpoint("org/name", revision="r9")


def test_a_path_comes_before_the_hub(hub, monkeypatch):
    copy_tiny(hub.cache / "org" / "name")
    monkeypatch.chdir(hub.cache)
    load_checkpoint("org/name")
    assert hub.fetched == []


def test_the_real_hub_library_finds_its_files(tmp_path, monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants", reason="the hub extra is absent")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--org--name"
    commit = "0123456789abcdef0123456789abcdef01234567"
    copy_tiny(folder / "snapshots" / commit)
    (folder / "refs").mkdir()
    for branch in ("main", "r1"):
        (folder / "refs" / branch).write_text(commit)
    for revision in (None, "r1", commit):
        loaded = load_checkpoint("org/name", revision=revision)
        assert same_weights(loaded, load_checkpoint(TINY))
    with pytest.raises(CheckpointError, match="Could not get 'org/name', revision 'r2'"):
        load_checkpoint("org/name", revision="r2")
    with pytest.raises(CheckpointError, match="Could not get 'org/other', revision 'main'"):
        load_checkpoint("org/other")
