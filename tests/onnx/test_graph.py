"""Graphs are built node by node."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.onnx.graph import GraphBuilder

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def run(graph, outputs, x, metadata=None):
    model = graph.model(x.shape[1], outputs, metadata or {})
    onnx.checker.check_model(model, full_check=True)
    session = runtime.InferenceSession(model.SerializeToString())
    return session.run(list(outputs), {"x": x}), session


def test_nodes_are_connected_by_names():
    graph = GraphBuilder()
    first, second = graph.split(graph.reshape("x", (-1, 2, 2)), (1, 1), axis=1)
    graph.output(graph.reshape(graph.add("Add", first, second), (-1, 2)), "sums")
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    (found,), _ = run(graph, {"sums": 2}, x)
    np.testing.assert_array_equal(found, x[:, :2] + x[:, 2:])


def test_any_number_of_rows_will_do():
    graph = GraphBuilder()
    graph.output(graph.add("Mul", "x", graph.constant(2.0)), "twice")
    for n in (1, 5):
        (found,), _ = run(graph, {"twice": 3}, np.ones((n, 3), np.float32))
        assert found.shape == (n, 3)


def test_equal_constants_are_stored_once():
    graph = GraphBuilder()
    assert graph.constant([1, 2]) == graph.constant(np.array([1.0, 2.0]))
    assert graph.constant([1, 2]) != graph.constant([1, 2], np.int64)
    assert graph.constant([[1, 2]]) != graph.constant([1, 2])
    assert graph.constant(0.0) != graph.constant([0.0])


def test_metadata_are_kept():
    graph = GraphBuilder()
    graph.output("x", "same")
    _, session = run(graph, {"same": 3}, np.ones((1, 3), np.float32), {"note": "é"})
    assert session.get_modelmeta().custom_metadata_map == {"note": "é"}
