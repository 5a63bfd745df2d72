"""From the outputs of a model to labels, probabilities and targets."""

from __future__ import annotations

import numpy as np

from ..series import Floats, Indices, Integers

__all__ = ["class_codes", "class_decisions", "class_probabilities", "in_target_units"]


def class_decisions(outputs: Floats) -> Floats:
    """Return log-odds ``(n_series,)`` of two classes, else a logit for each class."""
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs


def class_codes(decisions: Floats) -> Indices:
    """Return the places of the most probable classes."""
    codes = decisions > 0 if decisions.ndim == 1 else decisions.argmax(1)
    return codes.astype(np.intp)


def class_probabilities(decisions: Floats) -> Floats:
    """Return probabilities ``(n_series, n_classes)``."""
    if decisions.ndim == 1:
        decisions = np.column_stack([np.zeros_like(decisions), decisions])
    shares = np.exp(decisions - decisions.max(1, keepdims=True))
    return np.asarray(shares / shares.sum(1, keepdims=True))


def in_target_units(outputs: Floats, exponents: Integers, is_flat: bool) -> Floats:
    """Undo the scaling of targets by powers of two, and the axis added to them."""
    largest = np.ldexp(np.finfo(np.float64).max, -exponents.clip(0))
    outputs = np.ldexp(outputs.clip(-largest, largest), exponents)
    return outputs[:, 0] if is_flat else outputs
