"""The graph of a network answers as the network in torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from sktspulse.network import Heads, TSPulse, TSPulseConfig, infer, load_checkpoint
from sktspulse.onnx.graph import GraphBuilder
from sktspulse.onnx.network import output_lengths, write_network

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

SMALL = TSPulseConfig(context_length=64, d_model=8, n_layers=2, n_signature_bins=0, n_registers=3)
CONFIGS = {
    "small": SMALL,
    "sigmoid": replace(SMALL, gate="sigmoid", decoder_gate="sigmoid"),
    "time-only": replace(SMALL, dual_space=False, frequency_head=False),
    "perceptron": replace(SMALL, n_register_layers=0, n_decoder_layers=0),
    "wide-patches": replace(SMALL, context_length=96, patch_length=16, forecast_length=5),
    "bare": replace(SMALL, n_registers=0, forecast_length=0),
}


def network_of(config):
    torch.manual_seed(0)
    network = TSPulse(config).eval()
    with torch.no_grad():
        network.revin.weight.fill_(1.3)
        network.revin.bias.fill_(-0.2)
    return network


def draw_rows(n, length):
    """Draw windows: with gaps, constant, empty, almost empty, and smooth."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, length)).cumsum(1)
    rows = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[0], rows[1], rows[2] = 0.7, np.nan, np.sin(np.arange(length) / 3)
    rows[3, :-2] = np.nan
    return rows.astype(np.float32)


def run(network, outputs, rows):
    graph = GraphBuilder()
    write_network(graph, network, outputs)
    config = network.config
    model = graph.model(config.context_length, output_lengths(config, outputs), {})
    session = runtime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": rows})


def read_tokens(network, x, observed):
    return network.decode(network.encode(x, observed)).tokens[:, :, 0].movedim(0, 1).flatten(1)


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-6 * np.abs(expected).max())


@pytest.mark.parametrize("name", CONFIGS)
def test_tokens_are_those_of_torch(name):
    network, config = network_of(CONFIGS[name]), CONFIGS[name]
    rows = draw_rows(9, config.context_length)
    parts = ["time_tokens", *["frequency_tokens"] * config.dual_space]
    parts += ["semantic_tokens"] * (config.n_registers > 0)
    found = np.concatenate(run(network, parts, rows), axis=1)
    assert_close(found, infer(network, rows, read_tokens, batch_size=9))


@pytest.mark.parametrize("name", CONFIGS)
def test_heads_are_those_of_torch(name):
    network, config = network_of(CONFIGS[name]), CONFIGS[name]
    rows = draw_rows(9, config.context_length)
    heads = ["time", *["frequency"] * config.frequency_head]
    heads += ["forecast"] * (config.forecast_length > 0)
    for head, found in zip(heads, run(network, heads, rows), strict=True):
        assert_close(found, infer(network, rows, Heads((head,)), batch_size=9)[:, 0])


def test_the_shipped_network_answers_to_a_millionth():
    network, rows = load_checkpoint("tspulse-p8"), draw_rows(8, 512)
    found = np.stack(run(network, ["time", "frequency"], rows), 1)
    assert_close(found, infer(network, rows, Heads(("time", "frequency")), batch_size=8))


def test_a_graph_has_no_more_than_its_outputs_need():
    network = network_of(SMALL)
    sizes = []
    for outputs in (["time"], ["time", "frequency", "forecast"], []):
        graph = GraphBuilder()
        write_network(graph, network, outputs)
        lengths = output_lengths(SMALL, outputs)
        sizes.append(graph.model(64, lengths, {}).ByteSize())
    assert sizes[2] < 1000 < sizes[0] < sizes[1]


def test_a_network_that_mixes_channels_is_refused():
    with pytest.raises(ValueError, match="mixes channels"):
        write_network(GraphBuilder(), network_of(replace(SMALL, n_channels=2)), ["time"])
