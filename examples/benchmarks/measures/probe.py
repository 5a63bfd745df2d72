"""Probe: how well does a linear classifier on the frozen embedding name the class?

`rows` learns from the official train part and measures accuracy on the test part. `cv_rows`
looks at train parts only, by cross-validation, and is the one to choose a network by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Checkpoints, Row, panels
from .features import Features, flat, tokens

MAX_FOLDS = 5
LINEAR = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
NEAREST = KNeighborsClassifier(1, algorithm="brute")

Method = tuple[str, ClassifierMixin, list[np.ndarray]]  # name, classifier, input of each part
Result = tuple[str, str, float]  # data set, method, accuracy


def rows(data: Path, checkpoints: Checkpoints) -> Iterator[Row]:
    yield from _rows("probe", "test", tested(data, checkpoints))


def cv_rows(data: Path, checkpoints: Checkpoints) -> Iterator[Row]:
    yield from _rows("probe-cv", "train", cross_validated(data, checkpoints))


def tested(data: Path, checkpoints: Checkpoints) -> Iterator[Result]:
    for path in panels.paths(data):
        train, test = (panels.load(path, part) for part in ("train", "test"))
        parts = (train.series, test.series)
        methods = chain(networks(checkpoints, *parts), nearest(*parts), rockets(*parts))
        for method, model, (known, new) in methods:
            fitted = clone(model).fit(known, train.labels)
            yield path.stem, method, float(fitted.score(new, test.labels))


def cross_validated(data: Path, checkpoints: Checkpoints) -> Iterator[Result]:
    for path in panels.paths(data):
        train = panels.load(path, "train")
        _, counts = np.unique(train.labels, return_counts=True)
        folds = StratifiedKFold(min(MAX_FOLDS, counts.min()), shuffle=True, random_state=0)
        for method, model, (known,) in chain(
            networks(checkpoints, train.series), nearest(train.series)
        ):
            scores = cross_val_score(model, known, train.labels, cv=folds)
            yield path.stem, method, float(scores.mean())


def _rows(measure: str, protocol: str, results: Iterable[Result]) -> Iterator[Row]:
    """Yield a row a set and method, then the mean of each method over the sets."""
    found: dict[str, list[float]] = {}
    for dataset, method, accuracy in results:
        found.setdefault(method, []).append(accuracy)
        yield Row(measure, protocol, dataset, "accuracy", method, accuracy)
    for method, accuracies in found.items():
        yield Row(measure, protocol, "", "accuracy", method, float(np.mean(accuracies)))


def networks(checkpoints: Checkpoints, *parts: list[np.ndarray]) -> Iterator[Method]:
    for name, checkpoint in checkpoints.items():
        features = [tokens(checkpoint, part) for part in parts]
        yield f"{name}, semantic", LINEAR, [flat(one["semantic"]) for one in features]
        yield f"{name}, semantic and pooled tokens", LINEAR, [pooled(one) for one in features]


def nearest(*parts: list[np.ndarray]) -> Iterator[Method]:
    yield "1-NN Euclidean", NEAREST, _stacked(parts)


def rockets(*parts: list[np.ndarray]) -> Iterator[Method]:
    try:
        from aeon.transformations.collection.convolution_based import MiniRocket
    except ImportError:
        return
    ridge = RidgeClassifierCV(alphas=np.logspace(-3, 3, 10))
    model = make_pipeline(MiniRocket(random_state=0), StandardScaler(with_mean=False), ridge)
    yield "MiniRocket", model, [one[:, None] for one in _stacked(parts)]


def _stacked(parts: Sequence[list[np.ndarray]]) -> list[np.ndarray]:
    """Bring all series to the length of the longest of the train part."""
    length = max(map(len, parts[0]))
    return [panels.stacked(part, length) for part in parts]


def pooled(features: Features) -> np.ndarray:
    """Keep the registers whole, and mean and deviation over the other tokens."""
    others = [features[kind] for kind in ("time", "frequency")]
    moments = [moment for one in others for moment in (one.mean(1), one.std(1))]
    return np.hstack([flat(features["semantic"]), *moments])
