"""The time that may be spent."""

from __future__ import annotations

import math
import time

__all__ = ["Clock"]


class Clock:
    """Time that may be spent.

    Parameters
    ----------
    seconds : float
        How much, from now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begun = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds that have gone."""
        return time.monotonic() - self.begun

    @property
    def left(self) -> float:
        """Seconds that are left; below 0 if there are none."""
        return self.seconds - self.spent

    @property
    def share(self) -> float:
        """Share of the time that has gone."""
        return self.spent / self.seconds if self.seconds > 0 else math.inf
