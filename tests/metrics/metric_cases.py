"""Labels with scores, which the tests of several metrics share."""

from __future__ import annotations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st


def recording(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw up to four anomalies, and scores of which some are equal."""
    rng = np.random.default_rng(seed)
    y = np.zeros(n, dtype=int)
    for start in rng.integers(0, n, 4):
        y[start : start + rng.integers(1, n // 8)] = 1
    return y, (rng.standard_normal(n) + y).round(2)


@st.composite
def cases(draw):
    """Labels of both kinds and scores, few or many of them equal."""
    n = draw(st.integers(2, 30))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    assume(0 < sum(y) < n)
    highest = draw(st.sampled_from([1, 3, 1000]))
    scores = draw(st.lists(st.integers(0, highest), min_size=n, max_size=n))
    return np.array(y), np.array(scores, dtype=float)
