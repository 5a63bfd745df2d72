"""The network as an ONNX graph of one-channel windows, with only what the outputs need.

Tokens are ``(K, B, D)`` as in torch, but seen as matrices: mixing along tokens multiplies
``(K, B * D)`` from the left, mixing along features ``(K * B, D)`` from the right.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from ..embedding import token_slices
from ..network import TSPulseConfig
from ..series import Floats
from .graph import GraphBuilder

__all__ = ["output_lengths", "write_network"]

HEADS = ("time", "frequency", "forecast")
_UNUSED = "unused"  # output of a graph without the network, since a graph has at least one


def output_lengths(config: TSPulseConfig, outputs: Collection[str]) -> dict[str, int]:
    """Return the length of each output: tokens of ``"..._tokens"``, or what a head answers."""
    slices = token_slices(config)
    lengths = {f"{part}_tokens": (s.stop - s.start) * config.d_model for part, s in slices.items()}
    lengths |= dict.fromkeys(HEADS, config.context_length)
    lengths["forecast"] = config.forecast_length
    return {name: lengths[name] for name in outputs} or {_UNUSED: config.context_length}


def write_network(graph: GraphBuilder, network: Any, outputs: Collection[str]) -> None:
    """Write the graph from the input ``"x"``, NaN where missing, to the outputs.

    Parameters
    ----------
    graph : GraphBuilder
        An empty graph.
    network : TSPulse
        The network.
    outputs : collection of str
        Names of parts of the embedding, or of heads, whose answers are in the units of the input.
    """
    if network.config.n_channels * network.config.channel_expansion > 1:
        raise ValueError(
            "The network mixes channels, but only networks that read one channel at a time can be "
            "exported. Choose another checkpoint."
        )
    if outputs:
        _Writer(graph, network).write(outputs)
    else:
        graph.output("x", _UNUSED)


class _Scaled(NamedTuple):
    """A standardised series, and what inverts the scaling."""

    z: str  # (B, T)
    loc: str  # (B, 1)
    scale: str  # (B, 1)


class _Spectrum(NamedTuple):
    values: str  # (B, T), in [-1, 1]
    peaks: str  # (B, 2, 1)
    nyquist: str  # (B, 1)


class _Writer:
    def __init__(self, graph: GraphBuilder, network: Any) -> None:
        self.graph, self.network = graph, network
        self.config: TSPulseConfig = network.config

    def write(self, outputs: Collection[str]) -> None:
        config, network = self.config, self.network
        scaled = self._scale()
        spectrum = self._spectrum(scaled.z) if config.dual_space else None
        tokens = self._embed(scaled.z, spectrum)
        layers = (*network.backbone.layers, *network.decoder)
        tokens = self._mix(tokens, layers, config.n_tokens)
        parts = self._split(tokens)
        for name in outputs:
            if name in HEADS:
                answer = self._head(name, parts, spectrum)
                answer = self._in_units(answer, scaled)
            else:
                answer = self._batch_first(*parts[name.removesuffix("_tokens")])
            self.graph.output(answer, name)

    def _scale(self) -> _Scaled:
        """Standardise the input by its observed values, less one of them, as ``RevIN`` does."""
        add, constant = self.graph.add, self.graph.constant
        axis, zero = constant([-1], np.int64), constant(0.0)
        missing = add("IsNaN", "x")
        x = add("Where", missing, zero, "x")
        observed = add("Sub", constant(1.0), add("Cast", missing, to=1))
        count = add("Max", add("ReduceSum", observed, axis), constant(1.0))
        first = add("ArgMax", observed, axis=-1, keepdims=1)
        pivot = add("GatherElements", x, first, axis=1)
        shifted = add("Mul", add("Sub", x, pivot), observed)
        mean = add("Div", add("ReduceSum", shifted, axis), count)
        deviations = add("Mul", add("Sub", shifted, mean), observed)
        squares = add("ReduceSumSquare", deviations, axis)
        variance = add("Max", add("Div", squares, count), constant(self.config.variance_floor))
        loc, scale = add("Add", pivot, mean), add("Sqrt", variance)
        z = add("Div", add("Sub", x, loc), scale)
        token = np.tile(_values(self.network.mask_token.values), self.config.n_patches)
        z = add("Where", missing, constant(token), z)
        weight, bias = self._affine()
        return _Scaled(add("Add", add("Mul", z, weight), bias), loc, scale)

    def _affine(self) -> tuple[str, str]:
        revin = self.network.revin
        return self.graph.constant(_values(revin.weight)), self.graph.constant(_values(revin.bias))

    def _in_units(self, answer: str, scaled: _Scaled) -> str:
        add, (weight, bias) = self.graph.add, self._affine()
        standardised = add("Div", add("Sub", answer, bias), weight)
        return add("Add", add("Mul", standardised, scaled.scale), scaled.loc)

    def _spectrum(self, z: str) -> _Spectrum:
        """Return the scaled Fourier coefficients, the real parts ahead of the imaginary ones.

        The first value is subtracted, so that a constant window has no rounding error.
        """
        add, constant, length = self.graph.add, self.graph.constant, self.config.context_length
        first = add("Slice", z, *(constant([one], np.int64) for one in (0, 1, 1)))
        constants = np.zeros(length)
        constants[0] = length
        coefficients = add("MatMul", add("Sub", z, first), constant(_fourier(length)))
        coefficients = add("Add", coefficients, add("Mul", first, constant(constants)))
        parts = self.graph.reshape(coefficients, (-1, 2, length // 2))
        peaks = add("ReduceMax", add("Abs", parts), constant([-1], np.int64))
        peaks = add("Add", peaks, constant(self.config.variance_floor))
        values = self.graph.reshape(add("Div", parts, peaks), (-1, length))
        nyquist = add("MatMul", z, constant(_alternating(length)[:, None]))
        return _Spectrum(values, peaks, nyquist)

    def _series(self, values: str, spectrum: _Spectrum) -> str:
        """Return the series of a reconstructed spectrum."""
        add, constant, length = self.graph.add, self.graph.constant, self.config.context_length
        parts = self.graph.reshape(values, (-1, 2, length // 2))
        coefficients = self.graph.reshape(add("Mul", parts, spectrum.peaks), (-1, length))
        series = add("MatMul", coefficients, constant(_inverse_fourier(length)))
        fastest = add("Mul", spectrum.nyquist, constant(_alternating(length) / length))
        return add("Add", series, fastest)

    def _embed(self, z: str, spectrum: _Spectrum | None) -> str:
        """Return the normalised tokens before any mixing, ``(K * B, D)``."""
        graph, config, backbone = self.graph, self.config, self.network.backbone
        parts = [self._embed_patches(z, backbone.time_embedding)]
        if spectrum is not None:
            parts.append(self._embed_patches(spectrum.values, backbone.frequency_embedding))
        if config.n_registers:
            size = graph.constant([config.n_registers, config.d_model], np.int64)
            shape = graph.add("Concat", graph.add("Shape", "x", start=0, end=1), size, axis=0)
            registers = graph.constant(_values(backbone.registers)[None])
            parts.append(graph.add("Expand", registers, shape))
        tokens = graph.add("Concat", *parts, axis=1)
        normal = self._normalise(tokens, backbone.norm, (config.n_tokens, config.d_model), axis=1)
        return graph.reshape(graph.add("Transpose", normal, perm=[1, 0, 2]), (-1, config.d_model))

    def _embed_patches(self, series: str, embedding: Any) -> str:
        config = self.config
        patches = self.graph.reshape(series, (-1, config.patch_length))
        tokens = self._linear(patches, embedding.linear)
        return self.graph.reshape(tokens, (-1, config.n_patches, config.d_model))

    def _mix(self, tokens: str, layers: Any, n_tokens: int) -> str:
        """Apply the mixers of layers to tokens ``(K * B, D)``."""
        graph, d_model = self.graph, self.config.d_model
        for mixer in (mixer for layer in layers for mixer in layer):
            along_tokens = mixer.mlp.fc1.axis == 0
            u = self._normalise(tokens, mixer.norm, (d_model,), axis=-1)
            linear = self._linear
            if along_tokens:
                u, linear = graph.reshape(u, (n_tokens, -1)), self._linear_from_left
            u = linear(graph.add("Gelu", linear(u, mixer.mlp.fc1)), mixer.mlp.fc2)
            gate = self._gate(linear(u, mixer.gate.linear), mixer.gate.activation, along_tokens)
            u = graph.add("Mul", u, gate)
            tokens = graph.add("Add", tokens, graph.reshape(u, (-1, d_model)))
        return tokens

    def _gate(self, logits: str, activation: str, along_tokens: bool) -> str:
        if activation == "sigmoid":
            return self.graph.add("Sigmoid", logits)
        return self.graph.add("Softmax", logits, axis=0 if along_tokens else -1)

    def _split(self, tokens: str) -> dict[str, tuple[str, int]]:
        """Return the tokens ``(K_i, B, D)`` of each part, and how many they are."""
        config = self.config
        whole = self.graph.reshape(tokens, (config.n_tokens, -1, config.d_model))
        slices = token_slices(config)
        sizes = {part: one.stop - one.start for part, one in slices.items()}
        kept = {part: size for part, size in sizes.items() if size}
        parts = self.graph.split(whole, list(kept.values()), axis=0)
        return dict(zip(kept, zip(parts, kept.values(), strict=True), strict=True))

    def _batch_first(self, tokens: str, count: int) -> str:
        """Turn ``(K, B, D)`` into ``(B, K * D)``."""
        turned = self.graph.add("Transpose", tokens, perm=[1, 0, 2])
        return self.graph.reshape(turned, (-1, count * self.config.d_model))

    def _head(
        self, name: str, parts: dict[str, tuple[str, int]], spectrum: _Spectrum | None
    ) -> str:
        if name == "forecast":
            return self._forecast(*parts["semantic"])
        answer = self._read(*parts[name], getattr(self.network, f"{name}_head"))
        return answer if name == "time" or spectrum is None else self._series(answer, spectrum)

    def _read(self, tokens: str, count: int, readout: Any) -> str:
        patches = self.graph.reshape(self._batch_first(tokens, count), (-1, self.config.d_model))
        answer = self._linear(patches, readout.linear)
        return self.graph.reshape(answer, (-1, self.config.context_length))

    def _forecast(self, registers: str, count: int) -> str:
        head, d_model = self.network.forecast_head, self.config.d_model
        flat = self._mix(self.graph.reshape(registers, (-1, d_model)), head.layers, count)
        mixed = self._batch_first(self.graph.reshape(flat, (count, -1, d_model)), count)
        normal = self._normalise(mixed, head.norm, (count * d_model,), axis=-1)
        if not len(head.layers):  # a perceptron
            normal = self.graph.add("Gelu", self._linear(normal, head.linear.fc1))
            return self._linear(normal, head.linear.fc2)
        return self._linear(normal, head.linear)

    def _normalise(self, value: str, norm: Any, shape: tuple[int, ...], axis: int) -> str:
        weights = [self.graph.constant(_values(one).reshape(shape)) for one in norm.parameters()]
        return self.graph.add("LayerNormalization", value, *weights, axis=axis, epsilon=norm.eps)

    def _linear(self, value: str, linear: Any) -> str:
        """Map the rows of a matrix."""
        weights = self.graph.constant(_values(linear.weight)), self._bias(linear)
        return self.graph.add("Gemm", value, *weights, transB=1)

    def _linear_from_left(self, value: str, linear: Any) -> str:
        """Map the columns of a matrix."""
        bias = self.graph.constant(_values(linear.bias)[:, None])
        return self.graph.add("Gemm", self.graph.constant(_values(linear.weight)), value, bias)

    def _bias(self, linear: Any) -> str:
        return self.graph.constant(_values(linear.bias))


def _values(parameter: Any) -> Floats:
    return np.asarray(parameter.detach().float().cpu().numpy())


def _angles(length: int) -> Floats:
    """Return the angle of each time point and each frequency below the highest."""
    turns = np.outer(np.arange(length), np.arange(length // 2)) % length  # exact
    return 2 * np.pi * turns / length


def _fourier(length: int) -> Floats:
    """Return the matrix from a series to its real and imaginary coefficients."""
    return np.hstack([np.cos(_angles(length)), -np.sin(_angles(length))])


def _inverse_fourier(length: int) -> Floats:
    """Return the matrix back, without the highest frequency."""
    weights = np.full(length // 2, 2 / length)
    weights[0] /= 2
    angles = _angles(length).T
    return np.vstack([weights[:, None] * np.cos(angles), -weights[:, None] * np.sin(angles)])


def _alternating(length: int) -> Floats:
    return np.where(np.arange(length) % 2, -1.0, 1.0)
