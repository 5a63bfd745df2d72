"""TSLens: a pre-trained network that is trained on for one task, under a head of its own.

Shapes in the comments are those of the network: ``B`` windows, ``C`` channels, ``K``
tokens, ``D`` width of a token.
"""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .config import TSPulseConfig
from .tspulse import ChannelMixer, TSPulse

__all__ = ["LensSizes", "TSLens"]

_HEADS = ("time_head", "frequency_head", "signature_head", "forecast_head")


class LensSizes(NamedTuple):
    """What the shape of a TSLens depends on, beside the network under it."""

    n_channels: int
    n_outputs: int
    channel_expansion: int = 1  # virtual copies of every channel given to the channel mixers
    head_width: int = 1  # numbers that a token is reduced to


class TokenHead(nn.Module):
    """Reduce every token to few numbers, join level and scale, and map all of it linearly."""

    def __init__(self, config: TSPulseConfig, sizes: LensSizes) -> None:
        super().__init__()
        n_moments = 2 * sizes.n_channels
        width = sizes.n_channels * config.n_tokens * sizes.head_width + n_moments
        self.reduce = nn.Linear(config.d_model, sizes.head_width)
        self.moments = nn.Linear(n_moments, n_moments)
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, sizes.n_outputs)

    def forward(self, tokens: Tensor, moments: Tensor) -> Tensor:
        """Answer from ``(K, B, C, D)`` tokens and ``(B, 2C)`` moments: ``(B, n_outputs)``."""
        reduced = self.reduce(tokens).movedim(0, 2).flatten(1)
        joined = torch.cat([reduced, self.moments(moments)], 1)
        return self.linear(nn.functional.gelu(self.norm(joined)))


class TSLens(nn.Module):
    """A pre-trained network whose decoder mixes channels, under a head for one task.

    Parameters
    ----------
    network : TSPulse
        The pre-trained network, for one channel. It is copied.
    sizes : LensSizes
        Channels, outputs and widths.
    tune_embeddings : bool
        Whether the patch embeddings are trained, too, beside decoder and head. If not,
        ``encode`` gives the same tokens before and after, and they may be kept.

    Notes
    -----
    What is new is drawn from torch's global generator.

    References
    ----------
    .. [1] Ekambaram et al., 2025, arXiv:2505.13033, section 3.5 and figure 3.
    """

    def __init__(self, network: TSPulse, sizes: LensSizes, *, tune_embeddings: bool) -> None:
        super().__init__()
        self.sizes = sizes
        self.tune_embeddings = tune_embeddings
        self.network = deepcopy(network).requires_grad_(False)
        for name in _HEADS:
            if hasattr(self.network, name):
                delattr(self.network, name)
        if sizes.n_channels * sizes.channel_expansion > 1:
            self.network.decoder = self._with_channel_mixers()
        self.head = TokenHead(network.config, sizes)
        for part in self._trained_parts():
            part.requires_grad_(True)

    def _with_channel_mixers(self) -> nn.Sequential:
        config = self.network.config
        n_mixed = self.sizes.n_channels * self.sizes.channel_expansion
        layers = (
            nn.Sequential(
                ChannelMixer(n_mixed, config.d_model, config.decoder_gate), *layer.children()
            )
            for layer in self.network.decoder
        )
        return nn.Sequential(*layers)

    def _trained_parts(self) -> list[nn.Module]:
        parts = [self.network.decoder, self.head]
        if self.tune_embeddings:
            parts.append(self.network.backbone.time_embedding)
            if self.network.config.dual_space:
                parts.append(self.network.backbone.frequency_embedding)
        return parts

    def trained_state(self) -> dict[str, Tensor]:
        """Return copies of the weights that are trained, by name; the others stay as they came."""
        weights = self.named_parameters()
        return {name: w.detach().cpu().clone() for name, w in weights if w.requires_grad}

    def encode(self, x: Tensor, observed: Tensor) -> Tensor:
        """Turn ``(B, C, T)`` values and a mask, True where known, into ``(K, B, C, D)`` tokens."""
        return self.network.encode(x, observed).tokens

    def read(self, tokens: Tensor, moments: Tensor) -> Tensor:
        """Answer from the tokens of ``encode`` and ``(B, 2C)`` moments: ``(B, n_outputs)``."""
        # The backbone knows no neighbours, so its copies of a channel would all be the same.
        mixed = self.network.decoder(tokens.repeat(1, 1, self.sizes.channel_expansion, 1))
        return self.head(mixed[:, :, : self.sizes.n_channels], moments)

    def forward(self, moments: Tensor, tokens: Tensor | None = None, **windows: Tensor) -> Tensor:
        """Answer from moments and ``(B, K, C, D)`` tokens, or else ``x`` and ``observed``."""
        if tokens is None:
            return self.read(self.encode(**windows), moments)
        return self.read(tokens.movedim(1, 0), moments)
