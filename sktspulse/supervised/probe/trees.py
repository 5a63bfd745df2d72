"""Extremely randomised trees on quantiles of intervals (QUANT)."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from ...network import side_by_side
from ...series import Flags, Floats, Panel, Values
from ..samples import Samples, moments
from .forest import Forest
from .quantiles import QuantileBank
from .shapes import standard_shapes

__all__ = ["Trees"]

_MAX_TREES = 200
_MIN_TREES = 50
_MAX_BYTES = 1 << 28  # of all trees together
_NODE_BYTES = 64  # and 8 more for each output
_SHARE = 0.8  # of the samples, which a tree learns from
_MAX_VALUES = 4_000_000  # samples times features that a tree learns from
_MAX_FEATURES = 0.1  # share of the features that a split tries
_DECIMALS = 6  # of a target in units of their deviation
_DOUBT = 0.5  # votes that are spread evenly over the classes


class Trees(NamedTuple):
    """Trees that learn from parts of the samples.

    Their answer is a row of numbers for each series: the mean prediction of each target or, of
    classes, logits: that of the second class alone if there are two.
    """

    bank: QuantileBank
    forest: Forest
    is_classifier: bool
    loc: Values  # of targets: (n_outputs,)
    scale: Values

    @classmethod
    def fit(cls, samples: Samples, levels: Values) -> tuple[Self, Floats]:
        """Grow trees, and return the answer to each series of those that have not seen it."""
        shapes = standard_shapes(samples.X)
        bank = QuantileBank.fit(shapes)
        X = np.hstack([bank(shapes), levels]).astype(np.float32)
        samples, loc, scale = _without_units(samples._replace(X=X))
        parts = [_choose(seed, samples) for seed in range(_count_trees(samples))]
        grown = list(side_by_side(lambda one: _grow(*one, samples), enumerate(parts)))
        trees = cls(bank, Forest.from_trees(grown), samples.y.ndim == 1, loc, scale)
        unseen = ~np.array(parts)
        unseen |= ~unseen.any(0)  # what all trees have seen
        return trees, trees._answer(trees.forest.votes(samples.X, unseen), unseen.sum(0))

    def __call__(self, panel: Panel, levels: Values) -> Floats:
        """Answer to new series with the scaled ``levels``."""
        X = np.hstack([self.bank(standard_shapes(panel)), levels]).astype(np.float32)
        return self._answer(self.forest.votes(X), np.full(len(X), len(self.forest)))

    def _answer(self, votes: Floats, n_votes: Values) -> Floats:
        n = n_votes[:, None]
        if not self.is_classifier:
            return np.asarray(self.loc + self.scale * votes / n)
        logits = np.log((votes + _DOUBT / votes.shape[1]) / (n + _DOUBT))
        return logits[:, 1:] - logits[:, :1] if votes.shape[1] == 2 else logits


def _without_units(samples: Samples) -> tuple[Samples, Values, Values]:
    """Standardise targets that are numbers; return their means and deviations, too."""
    if samples.y.ndim == 1:
        return samples, np.zeros(1), np.ones(1)
    loc, scale = moments(samples.y, samples.weights)
    # Splits often tie, and rounding, which depends on the unit, must not choose among them.
    return samples._replace(y=((samples.y - loc) / scale).round(_DECIMALS)), loc, scale


def _count_trees(samples: Samples) -> int:
    """Return how many trees memory allows."""
    n_outputs = int(samples.y.max()) + 1 if samples.y.ndim == 1 else samples.y.shape[1]
    # A tree has up to two nodes for each sample.
    n_bytes = 2 * _count_seen(samples.X) * (_NODE_BYTES + 8 * n_outputs)
    return int(np.clip(_MAX_BYTES // n_bytes, _MIN_TREES, _MAX_TREES))


def _count_seen(X: Values) -> int:
    """Return how many samples a tree sees."""
    return max(1, min(int(_SHARE * len(X)), _MAX_VALUES // X.shape[1]))


def _choose(seed: int, samples: Samples) -> Flags:
    """Draw the samples that a tree sees."""
    n_samples = len(samples.X)
    order = np.random.default_rng(seed).permutation(n_samples)
    return np.isin(np.arange(n_samples), order[: _count_seen(samples.X)])


def _grow(seed: int, seen: Flags, samples: Samples) -> Any:
    from sklearn.tree import ExtraTreeClassifier, ExtraTreeRegressor

    is_classifier = samples.y.ndim == 1
    options = {"max_features": _MAX_FEATURES, "random_state": seed}
    if is_classifier:
        tree = ExtraTreeClassifier(criterion="entropy", **options)
    else:
        tree = ExtraTreeRegressor(**options)
    # Weights of 0, so that every tree knows all classes.
    return tree.fit(samples.X, samples.y, seen * samples.weights, check_input=False)
