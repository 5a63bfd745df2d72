"""The TSPulse network, in the order data flows through it.

A window is scaled and masked, cut into patches of its values and of its spectrum, mixed,
decoded, and mapped to predictions by up to four heads. Shapes in the comments use

- ``B`` windows, ``C`` channels, ``T`` time steps,
- ``N`` patches, ``R`` registers, ``K`` tokens (``2N + R``), ``D`` width of a token.

Series are ``(B, C, T)``. Tokens are ``(K, B, C, D)``: with the token axis first and the
width last, mixing along either is one matrix product without a copy.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from .config import Gate, TSPulseConfig

__all__ = ["ChannelMixer", "Encoding", "Prediction", "SpectralSignature", "Spectrum", "TSPulse"]

HEADS = ("time", "spectrum", "frequency", "signature", "forecast")


class MaskToken(nn.Module):
    """Replace the values that are not observed by one learned patch, repeated."""

    def __init__(self, patch_length: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(patch_length))

    def forward(self, x: Tensor, observed: Tensor) -> Tensor:  # (B, C, T)
        token = self.values.repeat(x.shape[-1] // self.values.numel())
        return torch.where(observed, x, token)


class RevIN(nn.Module):
    """Standardise each window by its observed values, then apply a learned affine map.

    The floor bounds the variance, not the deviation, as in the released networks.
    """

    def __init__(self, variance_floor: float) -> None:
        super().__init__()
        self.variance_floor = variance_floor
        self.weight = nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(()))

    def statistics(self, x: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and deviation of the observed values, each ``(B, C, 1)``.

        One observed value is subtracted first, so that a constant window has no rounding
        error, which the scaling of the spectrum would amplify.
        """
        count = observed.sum(-1, keepdim=True).clamp(min=1)
        first = observed.int().argmax(-1, keepdim=True)
        pivot = torch.where(observed, x, 0).gather(-1, first)
        shifted = torch.where(observed, x - pivot, 0)
        mean = shifted.sum(-1, keepdim=True) / count
        variance = torch.where(observed, shifted - mean, 0).square().sum(-1, keepdim=True) / count
        return pivot + mean, variance.clamp(min=self.variance_floor).sqrt()

    def forward(self, z: Tensor) -> Tensor:
        return z * self.weight + self.bias

    def inverse(self, y: Tensor) -> Tensor:
        return (y - self.bias) / self.weight


class Spectrum(nn.Module):
    """Map a series to its Fourier coefficients, scaled to [-1, 1], and back.

    The Nyquist coefficient is kept apart, so that real and imaginary parts together are
    as long as the series.
    """

    def __init__(self, floor: float) -> None:
        super().__init__()
        self.floor = floor

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = torch.view_as_real(torch.fft.rfft(z))  # (B, C, T/2 + 1, 2)
        parts, nyquist = parts[..., :-1, :], parts[..., -1:, :]
        peak = parts.abs().amax(-2, keepdim=True) + self.floor
        return (parts / peak).transpose(-1, -2).flatten(-2), peak, nyquist  # (B, C, T)

    def inverse(self, spectrum: Tensor, peak: Tensor, nyquist: Tensor) -> Tensor:
        parts = spectrum.unflatten(-1, (2, -1)).transpose(-1, -2) * peak
        coefficients = torch.view_as_complex(torch.cat([parts, nyquist], -2).contiguous())
        return torch.fft.irfft(coefficients, n=spectrum.shape[-1])


class SpectralSignature(nn.Module):
    """Softmax of the magnitudes of a standardised series, without the constant."""

    def __init__(self, n_bins: int, scale: str) -> None:
        super().__init__()
        self.n_bins = n_bins
        self.scale = scale

    def forward(self, z: Tensor) -> Tensor:  # (B, C, T) -> (B, C, n_bins)
        magnitude = torch.fft.rfft(z).abs()[..., 1 : self.n_bins + 1]
        return torch.softmax(magnitude.log1p() if self.scale == "log" else magnitude, -1)


class PatchEmbedding(nn.Module):
    """Map each patch of a series to a token."""

    def __init__(self, patch_length: int, d_model: int) -> None:
        super().__init__()
        self.patch_length = patch_length
        self.linear = nn.Linear(patch_length, d_model)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, T) -> (N, B, C, D)
        patches = x.unflatten(-1, (-1, self.patch_length)).movedim(-2, 0)
        return self.linear(patches)


class PatchReadout(nn.Module):
    """Map each token to the values of its patch."""

    def __init__(self, d_model: int, patch_length: int) -> None:
        super().__init__()
        self.linear = nn.Linear(d_model, patch_length)

    def forward(self, tokens: Tensor) -> Tensor:  # (N, B, C, D) -> (B, C, T)
        return self.linear(tokens).movedim(0, -2).flatten(-2)


class Linear(nn.Linear):
    """Linear map along one axis; along the first, without moving data."""

    def __init__(self, n_in: int, n_out: int, axis: int = -1) -> None:
        super().__init__(n_in, n_out)
        self.axis = axis

    def forward(self, u: Tensor) -> Tensor:
        if self.axis == 0:
            mapped = torch.addmm(self.bias[:, None], self.weight, u.flatten(1))
            return mapped.unflatten(1, u.shape[1:])
        return super().forward(u.movedim(self.axis, -1)).movedim(-1, self.axis)


class MLP(nn.Module):
    """Two linear maps around a GELU."""

    def __init__(self, n_in: int, n_hidden: int, n_out: int, axis: int = -1) -> None:
        super().__init__()
        self.fc1 = Linear(n_in, n_hidden, axis)
        self.fc2 = Linear(n_hidden, n_out, axis)

    def forward(self, u: Tensor) -> Tensor:
        return self.fc2(nn.functional.gelu(self.fc1(u)))


class GatedAttention(nn.Module):
    """Multiply the entries along one axis by a gate computed from all of them."""

    def __init__(self, length: int, activation: Gate, axis: int) -> None:
        super().__init__()
        self.activation = activation
        self.linear = Linear(length, length, axis)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.gate(u)

    def gate(self, u: Tensor) -> Tensor:
        """Return the factors of the entries."""
        logits, axis = self.linear(u), self.linear.axis
        return logits.softmax(axis) if self.activation == "softmax" else logits.sigmoid()


class Mixer(nn.Module):
    """Mix tokens along one axis of ``(K, B, C, D)``: norm, perceptron, gate, residual."""

    def __init__(self, axis: int, length: int, d_model: int, expansion: int, gate: Gate) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.mlp = MLP(length, length * expansion, length, axis)
        self.gate = GatedAttention(length, gate, axis)

    def forward(self, h: Tensor) -> Tensor:
        u = self.mlp(self.norm(h))
        return torch.addcmul(h, u, self.gate.gate(u))


class ChannelMixer(Mixer):
    """Mix tokens across channels, gate first; nearly the identity at the start."""

    def __init__(self, n_channels: int, d_model: int, gate: Gate) -> None:
        super().__init__(2, n_channels, d_model, 1, gate)
        for parameter in (*self.mlp.parameters(), *self.gate.parameters()):
            nn.init.zeros_(parameter)
        for linear in (self.mlp.fc1, self.mlp.fc2):
            linear.weight.data.fill_diagonal_(0.5)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.mlp(self.gate(self.norm(h)))


def mixer_layer(config: TSPulseConfig, n_tokens: int, gate: Gate, n_channels: int) -> nn.Sequential:
    """Stack the mixers of one layer: channels (if any), tokens, features."""
    d_model, expansion = config.d_model, config.expansion_factor
    channels = [ChannelMixer(n_channels, d_model, gate)] if n_channels > 1 else []
    tokens = Mixer(0, n_tokens, d_model, expansion, gate)
    features = Mixer(3, d_model, d_model, expansion, gate)
    return nn.Sequential(*channels, tokens, features)


class Backbone(nn.Module):
    """Embed a scaled series and its spectrum, add the registers, and mix."""

    def __init__(self, config: TSPulseConfig) -> None:
        super().__init__()
        self.config = config
        self.time_embedding = PatchEmbedding(config.patch_length, config.d_model)
        if config.dual_space:
            self.frequency_embedding = PatchEmbedding(config.patch_length, config.d_model)
        self.registers = nn.Parameter(torch.randn(config.n_registers, config.d_model))
        self.norm = nn.LayerNorm(config.n_tokens * config.d_model)
        self.layers = nn.Sequential(
            *(mixer_layer(config, config.n_tokens, config.gate, 1) for _ in range(config.n_layers))
        )

    def forward(self, z: Tensor, spectrum: Tensor | None) -> Tensor:  # -> (K, B, C, D)
        copies = self.config.channel_expansion
        parts = [self.time_embedding(z.repeat(1, copies, 1))]
        if spectrum is not None:
            parts.append(self.frequency_embedding(spectrum.repeat(1, copies, 1)))
        parts.append(self.registers[:, None, None].expand(-1, *parts[0].shape[1:3], -1))
        return self.layers(self._normalise(torch.cat(parts)))

    def _normalise(self, tokens: Tensor) -> Tensor:
        """Normalise all tokens of a channel together; its weights also encode positions."""
        variance, mean = torch.var_mean(tokens, (0, 3), correction=0, keepdim=True)
        weight, bias = (
            p.view(tokens.shape[0], 1, 1, -1) for p in (self.norm.weight, self.norm.bias)
        )
        return (tokens - mean) * (variance + self.norm.eps).rsqrt() * weight + bias


class RegisterHead(nn.Module):
    """Predict one vector per channel from the registers."""

    def __init__(self, config: TSPulseConfig, n_out: int) -> None:
        super().__init__()
        width = config.n_registers * config.d_model
        arguments = (config, config.n_registers, config.decoder_gate, config.n_channels)
        layers = [mixer_layer(*arguments) for _ in range(config.n_register_layers)]
        self.layers = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(width)
        hidden = width * config.expansion_factor
        self.linear = nn.Linear(width, n_out) if layers else MLP(width, hidden, n_out)

    def forward(self, registers: Tensor) -> Tensor:  # (R, B, C, D) -> (B, C, n_out)
        return self.linear(self.norm(self.layers(registers).movedim(0, -2).flatten(-2)))


@dataclass(frozen=True)
class Encoding:
    """Tokens of a batch, and what inverts the scaling."""

    tokens: Tensor  # (K, B, C, D)
    loc: Tensor  # (B, C, 1)
    scale: Tensor  # (B, C, 1)
    peak: Tensor | None  # (B, C, 1, 2), largest real and imaginary coefficient
    nyquist: Tensor | None  # (B, C, 1, 2)


@dataclass(frozen=True)
class Prediction:
    """Outputs of the heads for a batch; ``heads`` holds those that the network has.

    ``"time"``, ``"frequency"`` ``(B, C, T)`` and ``"forecast"`` ``(B, C, H)`` are in
    standardised units, so ``value * scale + loc`` is in the input's; ``"spectrum"``
    ``(B, C, T)`` is in the units of the input's spectrum over its peaks;
    ``"signature"`` ``(B, C, F)`` holds log-probabilities.
    """

    heads: dict[str, Tensor]
    encoding: Encoding  # decoded tokens, and the scaling

    def in_units(self, name: str) -> Tensor:
        """Return one reconstruction or the forecast in the input's units."""
        return self.heads[name] * self.encoding.scale + self.encoding.loc


class TSPulse(nn.Module):
    """TSPulse: a masked, dual-space, multi-head time-series mixer.

    Parameters
    ----------
    config : TSPulseConfig
        The sizes.

    References
    ----------
    .. [1] Ekambaram et al., 2025, arXiv:2505.13033, figure 2.
    """

    def __init__(self, config: TSPulseConfig) -> None:
        super().__init__()
        self.config = config
        self.mask_token = MaskToken(config.patch_length)
        self.revin = RevIN(config.variance_floor)
        self.spectrum = Spectrum(config.variance_floor)
        self.backbone = Backbone(config)
        width = config.n_channels * config.channel_expansion
        arguments = (config, config.n_tokens, config.decoder_gate, width)
        self.decoder = nn.Sequential(
            *(mixer_layer(*arguments) for _ in range(config.n_decoder_layers))
        )
        self.time_head = PatchReadout(config.d_model, config.patch_length)
        if config.frequency_head:
            self.frequency_head = PatchReadout(config.d_model, config.patch_length)
        if config.n_signature_bins:
            self.signature_head = RegisterHead(config, config.n_signature_bins)
        if config.forecast_length:
            self.forecast_head = RegisterHead(config, config.forecast_length)

    def encode(self, x: Tensor, observed: Tensor) -> Encoding:
        """Run the backbone on ``(B, C, T)``; values that are not observed are ignored."""
        loc, scale = self.revin.statistics(x, observed)
        z = self.revin(self.mask_token((x - loc) / scale, observed))
        spectrum = peak = nyquist = None
        if self.config.dual_space:
            spectrum, peak, nyquist = self.spectrum(z)
        return Encoding(self.backbone(z, spectrum), loc, scale, peak, nyquist)

    def decode(self, encoding: Encoding) -> Encoding:
        """Run the mini-decoder, and drop the virtual channels."""
        tokens = self.decoder(encoding.tokens)[:, :, : encoding.loc.shape[1]]
        return replace(encoding, tokens=tokens)

    def predict(self, decoded: Encoding, wanted: Collection[str] = HEADS) -> Prediction:
        """Run the wanted heads that the network has on the decoded tokens."""
        config, tokens = self.config, decoded.tokens
        patches, bins, registers = tokens.tensor_split((config.n_patches, config.n_register_start))
        heads = {}
        if "time" in wanted:
            heads["time"] = self.revin.inverse(self.time_head(patches))
        if config.frequency_head and not {"spectrum", "frequency"}.isdisjoint(wanted):
            heads["spectrum"] = self.frequency_head(bins)
        if "spectrum" in heads and decoded.peak is not None and decoded.nyquist is not None:
            series = self.spectrum.inverse(heads["spectrum"], decoded.peak, decoded.nyquist)
            heads["frequency"] = self.revin.inverse(series)
        if config.n_signature_bins and "signature" in wanted:
            heads["signature"] = self.signature_head(registers).log_softmax(-1)
        if config.forecast_length and "forecast" in wanted:
            heads["forecast"] = self.revin.inverse(self.forecast_head(registers))
        return Prediction(heads, decoded)

    def forward(self, x: Tensor, observed: Tensor, wanted: Collection[str] = HEADS) -> Prediction:
        """Predict from ``(B, C, T)`` values and a boolean mask, True where known."""
        return self.predict(self.decode(self.encode(x, observed)), wanted)
