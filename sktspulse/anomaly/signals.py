"""What each head measures at every point of every channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np

from ..network import TSPulseConfig
from ..series import Flags, Floats, Values
from .calibration import usual_range
from .context import ContextCorrection
from .cycle import Cycle, is_level_known
from .head_errors import HeadErrors, network_heads
from .multichannel import ChannelRegression, StateClusters, joint_distance
from .pieces import Piece
from .steps import StepScale

__all__ = [
    "DIRECT_HEADS",
    "JOINT_HEADS",
    "HeadSignals",
    "choose_heads",
    "individual_channels",
]

JOINT_HEADS = ("channels", "states")  # compare all channels with each other
_MIN_CONTEXTS = 8  # of the network in the training recording, of which "coarse" has a quarter
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
        if n_timepoints < _MIN_CONTEXTS * config.context_length:
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


class ChannelSignals(NamedTuple):
    """Signals of the heads that score one channel by itself."""

    cycle: Cycle | None  # None if the level is not predictable
    limits: tuple[float, float]  # of deviations from the cycle that the network is shown
    steps: StepScale
    context: Sequence[ContextCorrection | None]

    @classmethod
    def fit(cls, values: Floats, heads: Sequence[str], errors: HeadErrors) -> Self:
        """Fit to a scaled channel ``(T,)``."""
        cycle = Cycle.fit(values, with_period=not errors.is_causal)
        limits, level = (-np.inf, np.inf), cycle if len(heads) == 1 else None
        deviations = cycle.deviations(values)
        if is_level_known(deviations):
            limits = usual_range(deviations)
            level = cycle
        return cls(level, limits, StepScale.fit(values), errors.fit_context(values))

    def __call__(
        self, values: Floats, errors: HeadErrors, first: int, piece: Piece | None = None
    ) -> dict[str, Floats]:
        """Return the signals from the point ``first`` on."""
        level, shown = np.full(len(values), np.nan), values
        if self.cycle is not None:
            level = self.cycle.deviations(values, piece)
            low, high = self.limits
            # Values that are anomalous anyway would spoil what the network says about others.
            shown = np.where((level < low) | (level > high), np.nan, values)
        signals = {"level": level[first:], "variation": self.steps(values)[first:]}
        return signals | errors(values, shown, self.context)


class HeadSignals(NamedTuple):
    """Signals of the heads at every point of scaled channels."""

    heads: Sequence[str]
    channels: Sequence[ChannelSignals | None]  # (C,), None where only "states" looks at a channel
    regression: ChannelRegression | None
    states: StateClusters | None

    @classmethod
    def fit(
        cls,
        scaled: Floats,
        heads: Sequence[str],
        individual: Flags,
        trailing: bool,
        errors: HeadErrors,
    ) -> Self:
        """Fit to a normal recording ``(C, T)``."""
        channels = [
            ChannelSignals.fit(values, heads, errors) if chosen else None
            for values, chosen in zip(scaled, individual, strict=True)
        ]
        regression = ChannelRegression.fit(scaled) if "channels" in heads else None
        states = StateClusters.fit(scaled, trailing) if "states" in heads else None
        return cls(heads, channels, regression, states)

    @property
    def cycles(self) -> list[Cycle]:
        """Cycles of channels that have one."""
        found = [channel.cycle for channel in self.channels if channel is not None]
        return [cycle for cycle in found if cycle is not None and not cycle.is_constant]

    @property
    def n_joint(self) -> int:
        """Number of blocks for all channels together, ahead of one for each channel."""
        return int(self.states is not None)

    def __call__(
        self, scaled: Floats, errors: HeadErrors, first: int = 0, piece: Piece | None = None
    ) -> Iterator[Floats]:
        """Yield blocks ``(n_heads, n_timepoints - first)``, NaN where a head has no signal.

        With the head "states", the first block is for all channels together. One block for each
        channel follows. The errors of the network start at the point ``first``, too.
        """
        n_points = scaled.shape[1] - first
        distances = regression = np.full(scaled.shape, np.nan)
        if self.states is not None:
            distances = self.states.distances(scaled)
            yield self._block({"states": joint_distance(distances)[first:]}, n_points)
        if self.regression is not None:
            regression = self.regression.errors(scaled)
        for channel, values in enumerate(scaled):
            signals = {"states": distances[channel, first:]}
            one = self.channels[channel]
            if one is not None:
                own = one(values, errors, first, piece)
                signals |= {"channels": regression[channel, first:], **own}
            yield self._block(signals, n_points)

    def training_block(self, number: int, block: Floats, scaled: Floats) -> Floats:
        """Return what a block of the training recording would be if it had not been fitted to."""
        block, heads, channel = block.copy(), list(self.heads), number - self.n_joint
        if channel < 0 and self.states is not None:
            distances = self.states.cross_validated_distances(scaled)
            block[heads.index("states")] = joint_distance(distances)
        one = self.channels[channel] if channel >= 0 else None
        if "level" in heads and one is not None and one.cycle is not None:
            block[heads.index("level")] *= one.cycle.optimism
        return block

    def _block(self, signals: Mapping[str, Floats], n_points: int) -> Floats:
        block = np.full((len(self.heads), n_points), np.nan)
        for row, head in zip(block, self.heads, strict=True):
            row[:] = signals.get(head, np.nan)
        return block
