"""Weights that need no storing: a tensor's name decides its numbers.

Shared by the script that ran the published implementation and by the tests that read what it
wrote, so that both fill their network alike. Needs NumPy only.
"""

from __future__ import annotations

import math
import zlib

import numpy as np


def random_weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw one tensor: matrices by fan-in, other weights around one, the rest around zero.

    Nothing is exactly zero or one, so that no term of the network can be lost unnoticed.
    """
    values = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    if not name.endswith("weight"):
        values *= 0.5
    elif len(shape) == 2:
        values /= math.sqrt(shape[1])
    else:
        values = 1 + 0.25 * values
    return values.astype(np.float32)


def random_weights(shapes: dict[str, list[int]]) -> dict[str, np.ndarray]:
    return {name: random_weight(name, tuple(shape)) for name, shape in shapes.items()}
