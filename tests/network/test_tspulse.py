"""The network answers as the published implementation does, and as an obvious twin does.

``reference/`` holds what the published implementation answered, and the script that asked it.
"""

from __future__ import annotations

import copy
import csv
import re
import runpy
from pathlib import Path

import naive
import numpy as np
import pytest
import torch
from reference import cases

from sktspulse.network import tspulse
from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.granite import granite_layout
from sktspulse.network.tspulse import (
    ChannelMixer,
    Mixer,
    RevIN,
    SpectralSignature,
    Spectrum,
    TSPulse,
)

SMALL = TSPulseConfig(
    context_length=32,
    patch_length=4,
    d_model=6,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=9,
    forecast_length=3,
)
PUBLISHED = {
    "p8_hybrid_allhead_main": (TSPulseConfig(), 1_084_330),
    "p8_hybrid_dualhead": (TSPulseConfig(frequency_head=False, forecast_length=0), 1_068_958),
    "p16_block_dualhead": (
        TSPulseConfig(
            patch_length=16, d_model=48, n_registers=5, frequency_head=False, forecast_length=0
        ),
        467_471,
    ),
}


def build(config: TSPulseConfig = SMALL, **changes) -> TSPulse:
    """Build a network in double precision in which no weight is zero or one."""
    config = TSPulseConfig.from_dict({**vars(config), **changes})
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = TSPulse(config).double()
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network.eval().requires_grad_(False)


def windows(n_windows=3, n_channels=2, n_timepoints=32):
    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, (n_windows, n_channels, n_timepoints))
    observed = rng.uniform(size=x.shape) > 0.3
    return torch.from_numpy(x), torch.from_numpy(observed)


def answers(network: TSPulse, x: torch.Tensor, observed: torch.Tensor) -> dict[str, np.ndarray]:
    """Collect every output in the layout of the published implementation."""
    encoding = network.encode(x, observed)
    decoded = network.decode(encoding)
    prediction = network.predict(decoded)
    found = {
        name: prediction.in_units(name)
        for name in ("time", "frequency", "forecast")
        if name in prediction.heads
    }
    found |= {"loc": encoding.loc, "scale": encoding.scale}
    if "spectrum" in prediction.heads:
        found["spectrum"] = prediction.heads["spectrum"]
    if "signature" in prediction.heads:
        found["signature"] = prediction.heads["signature"].exp()
    found = {name: tensor.mT for name, tensor in found.items()}
    for name, tokens in (("backbone", encoding.tokens), ("decoder", decoded.tokens)):
        found[name] = tokens.permute(1, 2, 0, 3).flatten(2)
    return {name: tensor.numpy() for name, tensor in found.items()}


def assert_near(found, expected, tolerance):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def assert_same(found: dict, expected: dict, tolerance: float) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert_near(found[name], value, tolerance)


# --- Beside the published implementation


@pytest.mark.parametrize("name", cases.NAMES)
def test_every_output_equals_the_published_implementation(name, tmp_path):
    case = cases.read_case(name)
    expected = {k: v for k, v in case.outputs.items() if not k.startswith("target")}
    network = load_checkpoint(case.write(tmp_path))
    x, observed = torch.from_numpy(case.x), torch.from_numpy(case.observed)
    assert_same(answers(network, x, observed), expected, 1e-5)
    # Were there a difference in meaning, double precision would not make it smaller.
    double = copy.deepcopy(network).double()
    assert_same(answers(double, x.double(), observed), expected, 2e-7)


def test_the_cases_cover_what_was_promised():
    found = [cases.read_case(name) for name in cases.NAMES]
    settings = [case.settings for case in found]
    assert {s["fft_prob_mode"] for s in settings} == {"log", "plain"}
    assert {s["num_input_channels"] for s in settings} >= {1, 3}
    assert any(s["channel_virtual_expand_scale"] == 2 for s in settings)
    assert any(not s["fuse_fft"] for s in settings)
    assert any(case.observed.all() for case in found)
    assert any(not case.observed.any(-1).all() for case in found)
    assert any((np.ptp(case.x, -1) == 0).any() for case in found)


@pytest.mark.parametrize(
    "name", [name for name in cases.NAMES if "target_spectrum" in cases.read_case(name).outputs]
)
def test_targets_equal_the_published_implementation(name):
    case = cases.read_case(name)
    x, floor = torch.from_numpy(case.x).double(), case.settings["minimum_scale"]
    z = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + floor).sqrt()
    spectrum, _, _ = Spectrum(floor)(z)
    assert_near(spectrum.mT, case.outputs["target_spectrum"], 2e-7)
    target = case.outputs["target_signature"]
    scale = {"log": "log", "plain": "linear"}[case.settings["fft_prob_mode"]]
    assert_near(SpectralSignature(target.shape[1], scale)(z).mT, target, 2e-7)


@pytest.mark.parametrize("name", PUBLISHED)
def test_weights_are_those_of_the_released_files(name):
    config, n_parameters = PUBLISHED[name]
    network = TSPulse(config)
    assert sum(parameter.numel() for parameter in network.parameters()) == n_parameters
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    with (cases.FOLDER / f"state_dict_{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    expected = {row["name"]: tuple(map(int, row["shape"].split("x"))) for row in rows}
    assert dict(granite_layout(shapes, config, {"mask_type": "user"}).values()) == expected


# --- Beside the twin


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gate": "sigmoid", "decoder_gate": "sigmoid", "n_register_layers": 0},
        {"n_channels": 2, "decoder_gate": "sigmoid"},
        {"n_channels": 2, "channel_expansion": 2, "expansion_factor": 3},
    ],
    ids=str,
)
def test_network_equals_its_twin(changes):
    network = build(**changes)
    x, observed = windows(n_windows=2)
    observed[1, 1] = False
    found = answers(network, x, observed)
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    for i in range(len(x)):
        twin = naive.network(weights, network.config, x[i].tolist(), observed[i].tolist())
        for name in ("time", "frequency", "spectrum", "signature", "forecast"):
            assert_near(found[name][i].T, twin[name], 1e-10)
        for name in ("backbone", "decoder"):
            assert_near(found[name][i], twin[name].reshape(len(twin[name]), -1), 1e-10)


def test_statistics_equal_their_twin():
    x, observed = windows()
    loc, scale = RevIN(1e-3).statistics(x, observed)
    for i, j in np.ndindex(x.shape[:2]):
        mean, deviation = naive.statistics(x[i, j].tolist(), observed[i, j].tolist(), 1e-3)
        np.testing.assert_allclose([loc[i, j, 0], scale[i, j, 0]], [mean, deviation])


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_signature_equals_its_twin(scale):
    x, _ = windows()
    found = SpectralSignature(7, scale)(x)
    np.testing.assert_allclose(found[1, 0], naive.signature(x[1, 0].tolist(), 7, scale))


# --- Scaling


def test_statistics_of_a_constant_are_exact():
    x = torch.full((1, 1, 500), 3.7)
    x[..., 7:9] = 1e6
    loc, scale = RevIN(1e-3).statistics(x, x < 4)
    assert loc.item() == x[0, 0, 0]
    assert scale.item() == torch.tensor(1e-3).sqrt()


def test_statistics_of_a_small_change_on_a_high_level_are_exact_enough():
    x = torch.linspace(0, 1, 512)[None, None] + 4096
    loc, scale = RevIN(1e-6).statistics(x, torch.ones_like(x, dtype=torch.bool))
    assert loc.item() == pytest.approx(x.double().mean().item(), rel=1e-7)
    assert scale.item() == pytest.approx(x.double().std(correction=0).item(), rel=1e-5)


def test_statistics_of_nothing_are_zero_and_the_floor():
    x, observed = torch.full((1, 1, 8), np.nan), torch.zeros(1, 1, 8, dtype=torch.bool)
    loc, scale = RevIN(0.25).statistics(x, observed)
    assert (loc.item(), scale.item()) == (0.0, 0.5)


def test_the_affine_map_is_undone():
    revin = RevIN(1e-3).requires_grad_(False)
    revin.weight.fill_(1.7)
    revin.bias.fill_(-0.4)
    x, _ = windows()
    torch.testing.assert_close(revin.inverse(revin(x)), x)


def test_a_series_comes_back_from_its_spectrum():
    x, _ = windows(n_timepoints=30)
    spectrum = Spectrum(1e-3)
    parts, peak, nyquist = spectrum(x)
    assert parts.shape == x.shape
    assert parts.abs().max() <= 1
    torch.testing.assert_close(spectrum.inverse(parts, peak, nyquist), x)


def test_the_signature_is_a_share_of_each_frequency():
    t = torch.arange(64) / 64
    z = torch.sin(2 * torch.pi * 5 * t) * 2**0.5
    shares = SpectralSignature(32, "linear")(z)
    assert shares.sum().item() == pytest.approx(1)
    assert shares.argmax() == 4  # the constant is left out


# --- Invariants of the whole


@pytest.mark.parametrize("value", [0.0, -1e30, np.nan, np.inf])
def test_hidden_values_are_never_read(value):
    network = build(n_channels=2)
    x, observed = windows()
    observed[1, 0] = False
    expected = answers(network, torch.where(observed, x, 0.5), observed)
    found = answers(network, torch.where(observed, x, value), observed)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_a_window_of_which_nothing_is_known_has_an_answer():
    x, observed = windows()
    found = answers(build(), x * np.nan, observed & False)
    assert all(np.isfinite(array).all() for array in found.values())


@pytest.mark.parametrize(("factor", "offset"), [(7.0, 0.0), (1.0, -30.0), (250.0, 1e4)])
def test_answers_follow_units(factor, offset):
    network = build(n_channels=2, variance_floor=1e-9)
    x, observed = windows()
    base = network(x, observed)
    moved = network(factor * x + offset, observed)
    for name in ("time", "frequency", "forecast"):
        assert_near(moved.in_units(name), factor * base.in_units(name) + offset, 1e-9)
    for name in ("spectrum", "signature"):
        assert_near(moved.heads[name], base.heads[name], 1e-9)


def test_windows_do_not_know_their_neighbours():
    network = build(n_channels=2)
    x, observed = windows(5)
    whole = answers(network, x, observed)
    order = [3, 0, 4, 1, 2]
    assert_same(
        answers(network, x[order], observed[order]), {k: v[order] for k, v in whole.items()}, 1e-12
    )
    alone = answers(network, x[3:4], observed[3:4])
    assert_same(alone, {name: array[3:4] for name, array in whole.items()}, 1e-12)


def test_channels_are_independent_until_they_are_mixed():
    x, observed = windows(n_channels=3)
    apart = answers(build(), x, observed)
    alone = answers(build(), x[:, 1:2], observed[:, 1:2])
    assert_near(apart["backbone"][:, 1:2], alone["backbone"], 1e-12)
    assert_near(apart["time"][..., 1:2], alone["time"], 1e-12)

    mixed = build(n_channels=3)
    together = answers(mixed, x, observed)
    x[:, 0] += torch.arange(32)
    changed = answers(mixed, x, observed)
    assert_near(changed["backbone"][:, 1:], together["backbone"][:, 1:], 1e-12)
    assert np.abs(changed["time"] - together["time"])[..., 1:].max() > 1e-6


def test_virtual_channels_end_in_the_decoder():
    network = build(n_channels=2, channel_expansion=3)
    x, observed = windows()
    encoding = network.encode(x, observed)
    assert encoding.tokens.shape == (18, 3, 6, 6)
    torch.testing.assert_close(encoding.tokens[:, :, :2], encoding.tokens[:, :, 4:])
    assert network.decode(encoding).tokens.shape == (18, 3, 2, 6)


@pytest.mark.parametrize(
    ("changes", "heads"),
    [
        ({}, {"time", "spectrum", "frequency", "signature", "forecast"}),
        ({"frequency_head": False, "forecast_length": 0}, {"time", "signature"}),
        (
            {"dual_space": False, "frequency_head": False, "n_signature_bins": 0},
            {"time", "forecast"},
        ),
    ],
)
def test_a_prediction_holds_the_heads_there_are(changes, heads):
    network = build(**changes)
    x, observed = windows()
    assert set(network(x, observed).heads) == heads


@pytest.mark.parametrize("axis", [0, 2, 3])
def test_a_mixer_mixes_along_its_axis_only(axis):
    shape = (5, 2, 3, 4)
    torch.manual_seed(0)
    if axis == 2:
        mixer = ChannelMixer(3, 4, "sigmoid").double()
        mixer.mlp.fc1.weight.data.normal_()
    else:
        mixer = Mixer(axis, shape[axis], 4, 2, "softmax").double()
    h = torch.randn(shape, dtype=torch.float64)
    changed = h.clone()
    changed[1, 0, 1, 2] += 1
    moved = (mixer(changed) - mixer(h)).abs() > 1e-9
    # The norm spreads a change over the features, then the mixer along its axis.
    expected = torch.zeros(shape, dtype=torch.bool)
    expected[tuple(slice(None) if i in (axis, 3) else k for i, k in enumerate((1, 0, 1, 2)))] = True
    assert not (moved & ~expected).any()
    assert moved.sum() > expected.sum() / 2


# --- Start of training


def test_channel_mixers_start_as_almost_the_identity():
    mixer = ChannelMixer(4, 6, "softmax")
    h = torch.randn(5, 2, 4, 6)
    normed = torch.nn.functional.layer_norm(h, (6,))
    gated = normed / 4  # uniform at first
    torch.testing.assert_close(mixer(h), h + 0.5 * torch.nn.functional.gelu(0.5 * gated))
    assert (mixer(h) - h).abs().max() < 0.2 * h.abs().max()


def test_every_weight_learns():
    torch.manual_seed(0)
    network = TSPulse(TSPulseConfig.from_dict({**vars(SMALL), "n_channels": 2}))
    x, observed = windows()
    heads = network(x.float(), observed).heads
    total = sum((head * torch.randn_like(head)).sum() for head in heads.values())
    total.backward()
    idle = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 0
    ]
    assert idle == []


def test_nan_at_hidden_points_does_not_reach_the_gradients():
    network = TSPulse(SMALL)
    x, observed = windows()
    network(torch.where(observed, x, np.nan).float(), observed).heads["frequency"].sum().backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_the_page_on_theory_names_classes_of_the_network():
    page = (Path(__file__).parents[2] / "docs" / "theory.md").read_text()
    names = set(re.findall(r"`([A-Z][a-z]\w+|TSPulse\w*|RevIN|MLP)(?:\.\w+)?`", page))
    assert len(names) > 8
    assert {name for name in names if not hasattr(tspulse, name)} == set()


def test_the_drawing_of_the_network_is_current_and_its_links_lead_somewhere():
    docs = Path(__file__).parents[2] / "docs"
    drawing = runpy.run_path(str(docs / "figures" / "make_network.py"))["draw"]()
    assert (docs / "figures" / "network.svg").read_text("utf-8") == drawing
    page = (docs / "theory.md").read_text("utf-8")
    sections = {name.lower().replace(" ", "-") for name in re.findall(r"^## (.+)", page, re.M)}
    equations = {f"equation-{name}" for name in re.findall(r"\((eq-\w+)\)", page)}
    assert set(re.findall(r'href="#([\w-]+)"', drawing)) <= sections | equations
    classes = set(re.findall(r'<tspan class="code">(\w+)</tspan>', drawing)) - {"LayerNorm"}
    assert len(classes) == 10
    assert {name for name in classes if not hasattr(tspulse, name)} == set()
