"""Build an ONNX graph node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["OPSET", "GraphBuilder"]

OPSET = 20  # with Gelu
_IR_VERSION = 9  # which every runtime that knows the operators reads


class GraphBuilder:
    """Nodes and constants of a graph; values are known by their names."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, NDArray[Any]] = {}
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Add a constant, once if several are equal, and return its name."""
        array = np.ascontiguousarray(values, dtype=dtype).reshape(np.shape(values))
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._known:
            self._known[key] = f"c{len(self._known)}"
            self._constants[self._known[key]] = array
        return self._known[key]

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return the name of the output."""
        name = f"v{len(self._nodes)}"
        self._append(operator, inputs, [name], attributes)
        return name

    def split(self, value: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Split a value along an axis."""
        names = [f"v{len(self._nodes)}_{i}" for i in range(len(sizes))]
        self._append("Split", (value, self.constant(sizes, np.int64)), names, {"axis": axis})
        return names

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        """Give a value another shape, where -1 stands for what is left."""
        return self.add("Reshape", value, self.constant(shape, np.int64))

    def output(self, value: str, name: str) -> None:
        """Name a value that the graph returns."""
        self._append("Identity", (value,), [name], {})

    def model(self, input_length: int, outputs: dict[str, int], metadata: dict[str, str]) -> Any:
        """Return the model: ``(n, input_length)`` to outputs ``(n, length)``, both of float32."""
        from onnx import TensorProto, helper, numpy_helper

        def declare(name: str, length: int) -> Any:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", length])

        graph = helper.make_graph(
            self._nodes,
            "sktspulse",
            [declare("x", input_length)],
            [declare(*output) for output in outputs.items()],
            [numpy_helper.from_array(array, name) for name, array in self._constants.items()],
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        helper.set_model_props(model, metadata)
        return model

    def _append(
        self, operator: str, inputs: Sequence[str], outputs: list[str], attributes: dict[str, Any]
    ) -> None:
        from onnx import helper

        self._nodes.append(helper.make_node(operator, list(inputs), outputs, **attributes))
