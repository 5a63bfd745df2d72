"""One anomaly score from the scores of the heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from ..series import Flags, Floats
from .calibration import TailProbability, log_compress
from .signals import JOINT_HEADS

__all__ = ["HeadCombiner"]


class HeadCombiner(NamedTuple):
    """Combination of heads by a rule: "auto", "max" or "mean".

    "auto" averages the maximum and the mean of the heads that score channels individually, as they
    can confirm each other. Joint heads count alone, compressed, where they are higher.
    """

    rule: str
    individual: Flags  # (n_heads, 1), which heads score channels individually
    tail: TailProbability | None  # of their average; None for one head, whose scores are calibrated

    @classmethod
    def fit(cls, rule: str, heads: Sequence[str], scores: Floats) -> Self:
        """Fit to the head scores ``(n_heads, n_timepoints)`` of a normal recording."""
        individual = ~np.isin(heads, JOINT_HEADS)[:, None]
        several = rule == "auto" and individual.sum() > 1
        tail = TailProbability.fit(_max_and_mean(scores, individual)) if several else None
        return cls(rule, individual, tail)

    def __call__(self, scores: Floats) -> Floats:
        """Combine head scores ``(n_heads, n_timepoints)``, high where anomalous."""
        if self.rule != "auto":
            return scores.max(0) if self.rule == "max" else scores.mean(0)
        if not self.individual.any():
            return scores.max(0)
        combined = _max_and_mean(scores, self.individual)
        if self.tail is not None:
            combined = self.tail(combined)
        if self.individual.all():
            return combined
        return np.maximum(combined, log_compress(scores.max(0, where=~self.individual, initial=0)))


def _max_and_mean(scores: Floats, chosen: Flags) -> Floats:
    """Average the maximum and the mean over the chosen heads; scores are not negative."""
    return (scores.max(0, where=chosen, initial=0) + scores.mean(0, where=chosen)) / 2
