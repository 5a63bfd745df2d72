"""What each head measures at every point of every channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np

from ..network import TSPulseConfig
from ..series import Flags, Floats, Values
from .head_errors import network_heads
from .multichannel import ChannelRegression, StateClusters, joint_distance

__all__ = [
    "DIRECT_HEADS",
    "JOINT_HEADS",
    "ComputeErrors",
    "HeadSignals",
    "choose_heads",
    "individual_channels",
]

ComputeErrors = Callable[[Floats], Mapping[str, Floats]]  # scaled channel -> squared errors

JOINT_HEADS = ("channels", "states")  # compare all channels with each other
DIRECT_HEADS = ("level", "variation", *JOINT_HEADS)  # need no network


def choose_heads(
    heads: str | Sequence[str],
    config: TSPulseConfig,
    shape: tuple[int, int],
    checkpoint: object,
    causal: bool,
) -> tuple[str, ...]:
    """Return the heads that were asked for, or a ValueError that lists the available ones.

    The shape is that of the training recording, ``(n_timepoints, n_channels)``.
    """
    n_timepoints, n_channels = shape
    direct = [name for name in DIRECT_HEADS if n_channels > 1 or name not in JOINT_HEADS]
    available = [*network_heads(config, causal=causal), *direct]
    if isinstance(heads, str) and heads == "auto":
        unused = {"forecast"}
        if n_timepoints < config.context_length:
            unused |= {"coarse"}  # too few windows to calibrate it
        if n_channels > 1:
            unused |= {"coarse", "level"}  # "states" sees levels
        return tuple(name for name in available if name not in unused)
    chosen = (heads,) if isinstance(heads, str) else tuple(heads)
    unknown = [name for name in chosen if name not in available]
    if unknown or not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"heads is {heads!r}, expected 'auto' or some of {available}, each once: these are "
            f"available with checkpoint {checkpoint!r}, {n_channels} channels and causal={causal}. "
            "Choose among them."
        )
    return chosen


def individual_channels(values: Values) -> Flags:
    """Return which channels ``(C,)`` of a recording ``(T, C)`` are scored individually.

    Those with more than two values are, or all if there are none. The times at which a command
    switches are unpredictable, so by itself it has no anomalies.
    """
    individual = np.array([not _is_switch(column) for column in values.T])
    return individual if individual.any() else ~individual


def _is_switch(column: Values) -> bool:
    known = column[np.isfinite(column)]
    return not len(known) or bool(((known == known.min()) | (known == known.max())).all())


class HeadSignals(NamedTuple):
    """Signals of the heads at every point of scaled channels."""

    heads: Sequence[str]
    individual: Flags  # (C,), channels that heads other than "states" look at
    regression: ChannelRegression | None
    states: StateClusters | None

    @classmethod
    def fit(cls, scaled: Floats, heads: Sequence[str], individual: Flags, trailing: bool) -> Self:
        """Fit the heads that compare channels to a normal recording ``(C, T)``."""
        regression = ChannelRegression.fit(scaled) if "channels" in heads else None
        states = StateClusters.fit(scaled, trailing) if "states" in heads else None
        return cls(heads, individual, regression, states)

    @property
    def n_joint(self) -> int:
        """Number of blocks for all channels together, ahead of one for each channel."""
        return int(self.states is not None)

    def __call__(
        self, scaled: Floats, compute_errors: ComputeErrors, first: int = 0
    ) -> Iterator[Floats]:
        """Yield blocks ``(n_heads, n_timepoints - first)``, NaN where a head has no signal.

        With the head "states", the first block is for all channels together. One block for each
        channel follows. Computed errors start at the point ``first``, too.
        """
        distances = np.full((len(scaled), 1), np.nan)
        if self.states is not None:
            distances = self.states.distances(scaled)[:, first:]
            yield self._block({"states": joint_distance(distances)}, scaled.shape[1] - first)
        for channel, distance in enumerate(distances):
            signals = {"states": distance}
            if self.individual[channel]:
                signals |= self._channel_signals(channel, scaled, compute_errors, first)
            yield self._block(signals, scaled.shape[1] - first)

    def _channel_signals(
        self, channel: int, scaled: Floats, compute_errors: ComputeErrors, first: int
    ) -> dict[str, Floats]:
        values = scaled[channel]
        squared_steps = np.square(np.diff(values, prepend=np.nan))
        signals = {"level": values[first:], "variation": squared_steps[first:]}
        if self.regression is not None:
            signals["channels"] = self.regression.errors(channel, scaled)[first:]
        return signals | dict(compute_errors(values))

    def _block(self, signals: Mapping[str, Floats], n_points: int) -> Floats:
        block = np.full((len(self.heads), n_points), np.nan)
        for row, head in zip(block, self.heads, strict=True):
            row[:] = signals.get(head, np.nan)
        return block
