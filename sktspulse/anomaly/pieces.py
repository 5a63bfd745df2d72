"""Pieces of a recording that is too long to be scored at once."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Piece", "Reach"]


class Piece(NamedTuple):
    """The place of consecutive rows in a longer recording."""

    start: int  # of the first row
    total: int  # rows of the recording

    def cuts(self, n_rows: int) -> tuple[bool, bool]:
        """Return whether the recording goes on before and after a piece of so many rows."""
        return self.start > 0, self.start + n_rows < self.total


class Reach(NamedTuple):
    """How far from a point its signals or scores depend on others."""

    before: int  # [time points]
    after: int
    multiple: int  # of time points, where a piece must start so that its windows are the same
