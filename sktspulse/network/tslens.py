"""TSLens: a pre-trained network whose decoder is fine-tuned under a new task head.

Shapes in the comments: ``B`` windows, ``C`` channels, ``T`` time points, ``K`` tokens, ``D`` width
of a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from .config import TSPulseConfig
from .isolation import NewWeights
from .tspulse import ChannelMixer, TSPulse

__all__ = ["TSLensConfig", "TSLensNetwork"]

_PRETRAINING_HEADS = ("time_head", "frequency_head", "signature_head", "forecast_head")


class TSLensConfig(NamedTuple):
    """Sizes of a TSLens, and which parts of it are trained."""

    n_channels: int
    n_outputs: int
    channel_expansion: int = 1  # virtual copies of every channel for the channel mixers
    head_width: int = 1  # width to which the head reduces a token
    fine_tune_embeddings: bool = False  # train the patch embeddings, too


class TokenHead(nn.Module):
    """Reduce the width of every token, append level and scale, and map all of it linearly."""

    def __init__(self, network_config: TSPulseConfig, config: TSLensConfig) -> None:
        super().__init__()
        n_moments = 2 * config.n_channels
        width = config.n_channels * network_config.n_tokens * config.head_width + n_moments
        self.reduce = nn.Linear(network_config.d_model, config.head_width)
        self.moments = nn.Linear(n_moments, n_moments)
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, config.n_outputs)

    def forward(self, tokens: Tensor, moments: Tensor) -> Tensor:
        """Map ``(K, B, C, D)`` tokens and ``(B, 2C)`` moments to ``(B, n_outputs)``."""
        reduced = self.reduce(tokens).movedim(0, 2).flatten(1)
        joined = torch.cat([reduced, self.moments(moments)], 1)
        return self.linear(nn.functional.gelu(self.norm(joined)))


class TSLensNetwork(nn.Module):
    """A pre-trained network with channel mixers in its decoder and a new head.

    Parameters
    ----------
    network : TSPulse
        The pre-trained network, for one channel. It is copied.
    config : TSLensConfig
        Sizes, and which parts are trained.

    Notes
    -----
    New weights are drawn from torch's global generator, or that of ``NewWeights``.

    References
    ----------
    .. [1] Ekambaram et al., 2025, arXiv:2505.13033, section 3.5 and figure 3.
    """

    def __init__(self, network: TSPulse, config: TSLensConfig) -> None:
        super().__init__()
        self.config = config
        self.network = deepcopy(network).requires_grad_(False)
        for name in _PRETRAINING_HEADS:
            if hasattr(self.network, name):
                delattr(self.network, name)
        if config.n_channels * config.channel_expansion > 1:
            self.network.decoder = self._with_channel_mixers()
        self.head = TokenHead(network.config, config)
        for part in self._trained_parts():
            part.requires_grad_(True)

    @classmethod
    def from_weights(
        cls, network: TSPulse, config: TSLensConfig, weights: Mapping[str, Tensor]
    ) -> Self:
        """Build a trained TSLens from ``trained_weights``, without drawing random numbers."""
        with NewWeights():
            lens = cls(network, config)
        lens.load_state_dict(weights, strict=False, assign=True)
        return lens.eval()

    def _with_channel_mixers(self) -> nn.Sequential:
        sizes = self.network.config
        n_mixed = self.config.n_channels * self.config.channel_expansion
        layers = (
            nn.Sequential(
                ChannelMixer(n_mixed, sizes.d_model, sizes.decoder_gate), *layer.children()
            )
            for layer in self.network.decoder
        )
        return nn.Sequential(*layers)

    def _trained_parts(self) -> list[nn.Module]:
        parts = [self.network.decoder, self.head]
        if self.config.fine_tune_embeddings:
            parts.append(self.network.backbone.time_embedding)
            if self.network.config.dual_space:
                parts.append(self.network.backbone.frequency_embedding)
        return parts

    def trained_weights(self) -> dict[str, Tensor]:
        """Return copies of the trained weights, on the CPU; all others are the network's."""
        weights = self.named_parameters()
        return {name: w.detach().cpu().clone() for name, w in weights if w.requires_grad}

    def forward(self, x: Tensor, observed: Tensor, moments: Tensor) -> Tensor:
        """Map ``(B, C, T)`` values, their mask and ``(B, 2C)`` moments to ``(B, n_outputs)``."""
        tokens = self.network.encode(x, observed).tokens
        # The backbone treats channels independently: copies of its output are as good as
        # outputs of copies.
        mixed = self.network.decoder(tokens.repeat(1, 1, self.config.channel_expansion, 1))
        return self.head(mixed[:, :, : self.config.n_channels], moments)
