"""Sizes of a TSPulse network."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

__all__ = ["Gate", "TSPulseConfig"]

Gate = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class TSPulseConfig:
    """Sizes of a TSPulse network.

    The defaults are those of the released all-head network for patches of 8
    steps: 1,084,330 parameters.

    Parameters
    ----------
    context_length : int, default=512
        Length of the window the network reads [time steps].
    patch_length : int, default=8
        Length of one non-overlapping patch [time steps]; also the length of the
        mask token. Divides ``context_length``.
    d_model : int, default=24
        Width of a token.
    n_layers : int, default=8
        Mixer layers of the backbone.
    n_decoder_layers : int, default=2
        Mixer layers of the mini-decoder.
    n_registers : int, default=10
        Learned tokens that carry the semantic embedding.
    n_register_layers : int, default=3
        Mixer layers over the registers inside the signature and forecast heads;
        0 replaces them by a two-layer perceptron.
    expansion_factor : int, default=2
        Hidden width of every mixer's perceptron over its input width.
    gate, decoder_gate : {"softmax", "sigmoid"}, default="softmax"
        Activation of the gates in the backbone, and in the decoder and heads.
    dual_space : bool, default=True
        Whether the network reads patches of the spectrum, too.
    n_signature_bins : int, default=256
        Frequencies of the spectral signature; 0 for no signature head.
    signature_scale : {"log", "linear"}, default="log"
        Magnitudes in the softmax of the signature: ``log(1 + |X|)`` or ``|X|``.
    frequency_head : bool, default=True
        Whether a head reconstructs the spectrum, and from it the series.
    forecast_length : int, default=16
        Steps that are forecast after the window; 0 for no forecast head.
    variance_floor : float, default=1e-3
        Lower bound of the variance that windows are scaled by [squared input units].
    n_channels : int, default=1
        Channels mixed by the decoder; 1 keeps the channels independent.
    channel_expansion : int, default=1
        Virtual copies of every channel given to the channel mixers.

    Raises
    ------
    ValueError
        If a size is out of range or ``patch_length`` does not divide
        ``context_length``.

    See Also
    --------
    TSPulsePretrainer : Trains a network of these sizes.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033,
       section 3.

    Examples
    --------
    >>> from sktspulse import TSPulseConfig
    >>> config = TSPulseConfig(patch_length=16, d_model=48, n_registers=5)
    >>> config.n_patches, config.n_tokens
    (32, 69)
    """

    context_length: int = 512
    patch_length: int = 8
    d_model: int = 24
    n_layers: int = 8
    n_decoder_layers: int = 2
    n_registers: int = 10
    n_register_layers: int = 3
    expansion_factor: int = 2
    gate: Gate = "softmax"
    decoder_gate: Gate = "softmax"
    dual_space: bool = True
    n_signature_bins: int = 256
    signature_scale: Literal["log", "linear"] = "log"
    frequency_head: bool = True
    forecast_length: int = 16
    variance_floor: float = 1e-3
    n_channels: int = 1
    channel_expansion: int = 1

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            self._check(name, 0 < getattr(self, name) < math.inf, "be positive")
        for name in _NON_NEGATIVE:
            self._check(name, getattr(self, name) >= 0, "not be negative")
        divides = self.context_length % self.patch_length == 0
        self._check("patch_length", divides, f"divide context_length={self.context_length}")
        even = self.context_length % 2 == 0 or not self.dual_space
        self._check("context_length", even, "be even when dual_space=True")
        spectral = self.dual_space or not self.frequency_head
        self._check("frequency_head", spectral, "be False without dual_space")
        enough = self.n_signature_bins <= self.context_length // 2
        self._check("n_signature_bins", enough, "not exceed half of context_length")
        registers = self.n_registers > 0 or not (self.n_signature_bins or self.forecast_length)
        self._check("n_registers", registers, "be positive for a signature or forecast head")
        for name in ("gate", "decoder_gate"):
            self._check(
                name, getattr(self, name) in ("softmax", "sigmoid"), "be softmax or sigmoid"
            )
        scales = ("log", "linear")
        self._check("signature_scale", self.signature_scale in scales, "be log or linear")

    def _check(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise ValueError(
                f"TSPulseConfig got {name}={getattr(self, name)!r}, which must {rule}."
            )

    @property
    def n_patches(self) -> int:
        """Number of patches of the window."""
        return self.context_length // self.patch_length

    @property
    def n_register_start(self) -> int:
        """Index of the first register among the tokens."""
        return self.n_patches * (2 if self.dual_space else 1)

    @property
    def n_tokens(self) -> int:
        """Number of tokens: time patches, frequency patches, registers."""
        return self.n_register_start + self.n_registers

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TSPulseConfig:
        """Build from a mapping with exactly these fields; defaults fill the missing ones.

        Parameters
        ----------
        values : dict
            Field names and values.

        Returns
        -------
        TSPulseConfig
            The configuration.

        Raises
        ------
        ValueError
            If a name is not a field, or a value is not of its type or out of range.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"TSPulseConfig has no {unknown}. Remove them.")
        defaults = {field.name: field.default for field in fields(cls)}
        return cls(**{name: _typed(name, value, defaults[name]) for name, value in values.items()})


def _typed(name: str, value: Any, default: Any) -> Any:
    """Return the value in the type of the default; JSON may hold a float as an integer."""
    accepted = (float, int) if isinstance(default, float) else (type(default),)
    if type(value) not in accepted:
        kind = accepted[0].__name__
        raise ValueError(f"TSPulseConfig got {name}={value!r}, which must be of type {kind}.")
    return type(default)(value)


_POSITIVE = (
    "context_length",
    "patch_length",
    "d_model",
    "expansion_factor",
    "variance_floor",
    "n_channels",
    "channel_expansion",
)
_NON_NEGATIVE = (
    "n_layers",
    "n_decoder_layers",
    "n_registers",
    "n_register_layers",
    "n_signature_bins",
    "forecast_length",
)
