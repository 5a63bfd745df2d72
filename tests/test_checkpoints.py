"""Checkpoints load as what they are, or not at all and with one clear error."""

from __future__ import annotations

import json
import os
import pickle
import runpy
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from reference import cases
from safetensors.torch import load_file, save_file

from sktspulse import _checkpoints
from sktspulse._checkpoints import (
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
    shipped_checkpoints,
    write_atomically,
)
from sktspulse._config import TSPulseConfig
from sktspulse._network import TSPulse
from sktspulse._published import _DEFAULTS, _FIXED, config_of

TINY = cases.FOLDER / "hf_tiny"
SETTINGS = json.loads((TINY / "config.json").read_text())
SMALL = TSPulseConfig(
    context_length=16,
    patch_length=4,
    d_model=3,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=4,
    forecast_length=2,
)
SHIP = Path(__file__).parents[1] / "examples" / "pretraining" / "ship_checkpoint.py"


@pytest.fixture
def network() -> TSPulse:
    return TSPulse(SMALL)


@pytest.fixture
def saved(network, tmp_path) -> Path:
    """Give a checkpoint in our format."""
    save_checkpoint(network, tmp_path / "small.safetensors", {"recipe": "none"})
    return tmp_path / "small.safetensors"


@pytest.fixture
def published(tmp_path) -> Path:
    """Give a checkpoint as the reference library saves it, for a test to damage."""
    return copy_tiny(tmp_path / "published")


def copy_tiny(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((TINY / name).read_bytes())
    return folder


def configure(folder: Path, **changes) -> Path:
    (folder / "config.json").write_text(json.dumps(SETTINGS | changes))
    return folder


def rewrite(path: Path, **changes) -> None:
    """Replace tensors of a file; None removes one. A double underscore stands for a dot."""
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    tensors |= {name.replace("__", "."): tensor for name, tensor in changes.items()}
    save_file({n: t for n, t in tensors.items() if t is not None}, path, metadata)


def write_raw(path: Path, header: bytes, n_bytes: int | None = None) -> None:
    """Write a file whose header need not be one."""
    length = len(header) if n_bytes is None else n_bytes
    path.write_bytes(length.to_bytes(8, "little") + header)


def same_weights(one: TSPulse, other: TSPulse) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(
        torch.equal(tensor, others[name]) for name, tensor in weights.items()
    )


# --- Our format


def test_what_is_saved_is_loaded(network, saved):
    loaded = load_checkpoint(saved)
    assert loaded.config == SMALL
    assert same_weights(loaded, network)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert same_weights(load_checkpoint(str(saved)), network)


def test_the_configuration_is_inside_and_beside(saved):
    with safetensors.safe_open(saved, "pt") as file:
        inside = json.loads(file.metadata()["sktspulse"])
    assert inside == json.loads(saved.with_suffix(".json").read_text())
    assert inside["config"] == asdict(SMALL)
    assert inside["metadata"] == {"recipe": "none"}
    saved.with_suffix(".json").unlink()
    assert load_checkpoint(saved).config == SMALL


def test_files_are_the_same_every_time(network, saved):
    again = saved.with_name("again.safetensors")
    save_checkpoint(network, again, {"recipe": "none"})
    assert again.read_bytes() == saved.read_bytes()
    assert {path.suffix for path in saved.parent.iterdir()} == {".safetensors", ".json"}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_files_are_in_single_precision(network, tmp_path, dtype):
    save_checkpoint(network.to(dtype), tmp_path / "a.safetensors")
    assert {t.dtype for t in load_file(tmp_path / "a.safetensors").values()} == {torch.float32}
    assert same_weights(load_checkpoint(tmp_path / "a.safetensors"), network.float())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_stored_half_precision_becomes_single(published, dtype):
    weights = published / "model.safetensors"
    save_file({name: t.to(dtype) for name, t in load_file(weights).items()}, weights)
    loaded = load_checkpoint(published)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    for name, tensor in load_checkpoint(TINY).state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.to(dtype).float())


def test_a_network_without_registers_is_saved_and_loaded(tmp_path):
    sizes = {"n_registers": 0, "n_register_layers": 0, "n_signature_bins": 0, "forecast_length": 0}
    network = TSPulse(TSPulseConfig.from_dict(asdict(SMALL) | sizes))
    save_checkpoint(network, tmp_path / "a.safetensors")
    assert same_weights(load_checkpoint(tmp_path / "a.safetensors"), network)


@pytest.mark.parametrize("name", ["small", "small.pt", "small.bin"])
def test_other_endings_are_not_saved(network, tmp_path, name):
    with pytest.raises(ValueError, match=r"expected a name that ends in '.safetensors'"):
        save_checkpoint(network, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_diverged_network_is_not_saved(network, tmp_path):
    network.revin.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match=r"NaN or infinite: revin.weight"):
        save_checkpoint(network, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_could_not_be_read_back_are_not_saved(network, tmp_path):
    with pytest.raises(ValueError, match="metadata takes"):
        save_checkpoint(network, tmp_path / "a.safetensors", {"log": "x" * 10**6})
    assert list(tmp_path.iterdir()) == []


def test_a_crash_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def crash(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(saved, b"half of it")
    assert saved.read_bytes() == before
    assert len(list(saved.parent.iterdir())) == 2


# --- Loading


def test_a_checkpoint_is_loaded_once(saved):
    assert load_checkpoint(saved) is load_checkpoint(str(saved), device="cpu")


def test_a_changed_file_is_loaded_again(saved):
    old = load_checkpoint(saved)
    save_checkpoint(TSPulse(TSPulseConfig.from_dict({**asdict(SMALL), "d_model": 5})), saved)
    assert load_checkpoint(saved).config.d_model == 5
    assert old.config.d_model == 3


def test_loading_draws_no_random_numbers(saved, published):
    state = torch.get_rng_state()
    load_checkpoint(saved)
    load_checkpoint(published)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_loaded_during_inference_can_be_trained_through(saved):
    with torch.inference_mode():
        loaded = load_checkpoint(saved)
    x = torch.randn(2, 1, 16, requires_grad=True)
    loaded(x, torch.ones_like(x, dtype=torch.bool)).heads["time"].sum().backward()
    assert x.grad.abs().max() > 0


def test_loading_imports_little(saved):
    code = (
        "import sys; from sktspulse._checkpoints import load_checkpoint;"
        "before = set(sys.modules); [load_checkpoint(path) for path in sys.argv[1:]];"
        "sys.exit(str({'sympy', 'torch._dynamo'} & (set(sys.modules) - before) or ''))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, saved, TINY], check=False, capture_output=True, text=True
    )
    assert run.stderr == "\n"


@pytest.mark.parametrize("name", ["tspulse-p9", "a/b/c", "../x/y", "org/", "folder/.hidden"])
def test_an_unknown_name_is_answered_with_those_known(name, monkeypatch):
    monkeypatch.setattr(_checkpoints, "shipped_checkpoints", lambda: {"b-8": {}, "a-16": {}})
    with pytest.raises(CheckpointError, match=r"There is no checkpoint .* names: a-16, b-8"):
        load_checkpoint(name)


def test_an_error_is_a_value_error():
    assert issubclass(CheckpointError, ValueError)


def test_a_revision_is_for_the_hub(saved):
    with pytest.raises(CheckpointError, match="revision='main' is for models on the hub"):
        load_checkpoint(saved, revision="main")


# --- What is shipped


def test_the_registry_lists_every_file():
    folder = Path(_checkpoints.__file__).with_name("checkpoints")
    files = {path.name for path in folder.glob("*.safetensors")}
    assert {entry["file"] for entry in shipped_checkpoints().values()} == files
    assert all((folder / entry["card"]).is_file() for entry in shipped_checkpoints().values())


@pytest.mark.parametrize("name", sorted(shipped_checkpoints()))
def test_shipped_checkpoints_load(name):
    assert load_checkpoint(name).config.context_length == 512


@pytest.fixture
def shipping(tmp_path, monkeypatch):
    """Give a package folder of its own and the function that ships into it."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "registry.json").write_text("{}")
    monkeypatch.setattr(_checkpoints, "_FOLDER", folder)
    return folder, runpy.run_path(str(SHIP))["ship"]


def test_a_checkpoint_is_shipped_under_a_name(saved, shipping, network):
    folder, ship = shipping
    card = saved.with_name("card.md")
    card.write_text("# Small\n")
    entry = ship(saved, "small-4", card, folder)
    assert shipped_checkpoints() == {"small-4": entry}
    assert same_weights(load_checkpoint("small-4"), network)
    names = {"registry.json", "small-4.json", "small-4.md", "small-4.safetensors"}
    assert {path.name for path in folder.iterdir()} == names


def test_a_shipped_file_is_checked_by_its_hash(saved, shipping):
    folder, ship = shipping
    ship(saved, "small-4", saved, folder)
    rewrite(folder / "small-4.safetensors", revin__bias=torch.tensor(0.5))
    with pytest.raises(CheckpointError, match="not the file that was shipped"):
        load_checkpoint("small-4")


def test_what_cannot_be_loaded_is_not_shipped(saved, shipping):
    folder, ship = shipping
    saved.write_bytes(saved.read_bytes()[:-4])
    with pytest.raises(CheckpointError):
        ship(saved, "small-4", saved, folder)
    assert [path.name for path in folder.iterdir()] == ["registry.json"]


# --- The published format


def test_a_checkpoint_saved_by_the_reference_library_gives_its_answers():
    with np.load(TINY / "answers.npz") as file:
        x, observed = torch.from_numpy(file["x"]), torch.from_numpy(file["observed"])
        expected = cases.outputs_of(file)
    prediction = load_checkpoint(TINY)(x, observed)
    for name in ("time", "frequency", "forecast"):
        error = np.abs(prediction.in_units(name).mT.numpy() - expected[name]).max()
        assert error <= 1e-5 * np.abs(expected[name]).max()
    signature = prediction.heads["signature"].exp().mT.numpy()
    np.testing.assert_allclose(signature, expected["signature"], rtol=1e-5)


def test_settings_become_sizes():
    assert config_of(SETTINGS) == TSPulseConfig(
        context_length=32,
        patch_length=4,
        d_model=6,
        n_layers=2,
        n_decoder_layers=1,
        n_registers=2,
        n_register_layers=1,
        n_signature_bins=16,
        variance_floor=1e-5,
        n_channels=3,
    )
    scales = {"log": "log", "plain": "linear"}
    for mode, scale in scales.items():
        assert config_of(SETTINGS | {"fft_prob_mode": mode}).signature_scale == scale


def test_defaults_are_those_of_the_reference_library():
    settings = cases.read_case("bare").settings  # built with no argument at all
    published = {"model_type", "architectures"}
    for name, value in (_DEFAULTS | _FIXED).items():
        # The library writes one scale for every layer where none was asked for.
        expected = [1, 1, 1] if name.endswith("_layerwise_scale") else value
        assert name in published or settings[name] == expected, name
    assert config_of({"model_type": "tspulse"}) == config_of(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_type", "patchtst"),
        ("model_type", None),
        ("architectures", ["TSPulseForClassification"]),
        ("architectures", ["TSPulseModel"]),
        ("mode", "mix_channel"),
        ("gated_attn", False),
        ("gated_attention_activation", "tanh"),
        ("head_gated_attention_activation", "tanh"),
        ("norm_mlp", "BatchNorm"),
        ("norm_eps", 1e-6),
        ("self_attn", True),
        ("use_positional_encoding", True),
        ("scaling", "std"),
        ("scaling", "mean"),
        ("scaling", None),
        ("revin_affine", False),
        ("reconstruction_type", "full"),
        ("channel_register_tokens", 2),
        ("patch_register_tokens", 1),
        ("register_mixer_layers", 0),
        ("patch_stride", 2),
        ("decoder_d_model", 12),
        ("mask_block_length", 8),
        ("mask_type", "random"),
        ("free_channel_flow", False),
        ("channel_mix_init", "zero"),
        ("num_input_channels", 1),
        ("fft_remove_component", "dc"),
        ("fft_applied_on", "raw_ts"),
        ("fft_time_consistent_masking", False),
        ("fft_mask_ratio", 0.2),
        ("fft_prob_mode", "real"),
        ("num_patches_layerwise_scale", [1, 0.5]),
        ("num_channels_layerwise_scale", [0.5, 1]),
        ("d_model_layerwise_scale", [0.5, 0.5]),
        ("decoder_num_patches_layerwise_scale", [2]),
        ("decoder_num_channels_layerwise_scale", [2]),
        ("decoder_d_model_layerwise_scale", [2]),
        ("categorical_vocab_size_list", [3]),
        ("data_actual_context_length", 20),
        ("rotary_embedding", True),
    ],
)
def test_what_the_network_does_not_have_is_refused_by_name(published, name, value):
    with pytest.raises(CheckpointError, match=rf"\b{name}\b"):
        load_checkpoint(configure(published, **{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("architectures", None),
        ("dropout", 0.9),
        ("loss", "mae"),
        ("mask_ratio", 0.7),
        ("mask_type", "var_hybrid"),
        ("loss_apply_mode", "full"),
        ("init_linear", "normal"),
        ("transformers_version", "4.40.0"),
        ("torch_dtype", "float32"),
        ("fft_mask_ratio", 0),
        ("fft_prob_length", 16),
        ("channel_virtual_expand_scale", None),
        ("d_model_layerwise_scale", None),
        ("_name_or_path", "somewhere"),
        ("a_switch_of_tomorrow", None),
    ],
)
def test_what_changes_no_answer_is_taken(published, name, value):
    extra = {"mask_ratio": 0.5, name: value}
    assert same_weights(load_checkpoint(configure(published, **extra)), load_checkpoint(TINY))
    assert load_checkpoint(published).config == load_checkpoint(TINY).config


def test_a_mask_token_that_was_never_learned_is_zero(published):
    rewrite(published / "model.safetensors", backbone__time_masker__mask_token=None)
    loaded = load_checkpoint(configure(published, mask_type="block", mask_block_length=8))
    assert torch.equal(loaded.mask_token.values, torch.zeros(4))


def test_register_layers_without_a_register_head_do_not_count(tmp_path):
    case = cases.read_case("bare")
    case.settings["register_mixer_layers"] = 40
    assert load_checkpoint(case.write(tmp_path)).config.n_register_layers == 40


# --- Broken and hostile files


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"revin__weight": None}, "missing: revin.weight; not known: none"),
        ({"backdoor": torch.zeros(3)}, "missing: none; not known: backdoor"),
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
    with pytest.raises(CheckpointError, match=r"no configuration. Give the folder"):
        load_checkpoint(published / "model.safetensors")


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
def test_damage_anywhere_is_an_error_or_another_weight(target, place, junk):
    path, content = target
    path.write_bytes(content[:place] + junk + content[place + len(junk) :])
    _checkpoints._load.cache_clear()  # the clock may not tell two writes apart
    try:
        loaded = load_checkpoint(path)
    except CheckpointError:
        return
    assert all(tensor.isfinite().all() for tensor in loaded.state_dict().values())


# --- The hub


def test_a_missing_hub_library_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'sktspulse\[hub\]'"):
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
