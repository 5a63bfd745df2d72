"""Types of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flags", "Floats", "Indices", "Integers", "Values"]

Floats = NDArray[np.float64]
Values = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Integers = NDArray[np.integer[Any]]
