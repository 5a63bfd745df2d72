"""What a network is good for as it is: one module a measure, all with the same `rows`.

`rows(data, checkpoints)` takes the folder with the public data and the checkpoints by the name
they have in the table, and yields the rows of that table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Checkpoints = Mapping[str, str]  # name in the table: name, path or hub id


class Row(NamedTuple):
    """One number, measured here or published."""

    measure: str
    protocol: str
    dataset: str  # "" for one number over all data sets
    metric: str
    method: str
    value: float | None = None
    published: float | None = None
