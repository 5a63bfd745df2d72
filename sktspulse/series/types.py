"""Types of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flags", "Floats", "Indices", "Integers", "Panel", "Values"]

Floats = NDArray[np.float64]  # double precision, as computed
Values = NDArray[np.floating[Any]]  # any precision, as given; NaN is missing
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]  # positions in an array
Integers = NDArray[np.integer[Any]]  # any integer type
Panel = Values | list[Values]  # (n_series, n_channels, n_timepoints), or series of unequal length
