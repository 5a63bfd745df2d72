"""Answers of every estimator on small inputs, stored so that a rearrangement cannot change them.

    python tests/reference/outputs.py write      store the answers of this tree
    python tests/reference/outputs.py compare    list how far the answers of this tree are off

Only what is seeded and does not depend on the speed of the machine belongs here.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

FILE = Path(__file__).with_name("outputs.npz")
Answers = dict[str, np.ndarray]


@patch("sktspulse.anomaly.fine_tuning.N_STEPS", 50)
def anomaly(tiny: str) -> Iterator[tuple[str, Any]]:
    from sktspulse import TSPulseAnomalyDetector
    from sktspulse.datasets import make_gappy_series

    gappy, truth = make_gappy_series(900, 4, random_state=1)
    gappy, truth = gappy[:, [0, 1, 3]], truth[:, [0, 1, 3]]
    truth[500:520, 1] += 2 * truth[:, 1].std()
    single = truth[:, :1].copy()
    single[700:712] -= 3
    cases = {
        "single": (TSPulseAnomalyDetector(), single),
        "several": (TSPulseAnomalyDetector(contamination=0.01), gappy),
        "forecast": (TSPulseAnomalyDetector(["time", "forecast"], smoothing=8), single),
        "causal": (TSPulseAnomalyDetector(causal=True, combine="mean"), truth),
        "tuned": (TSPulseAnomalyDetector(fine_tune=True, checkpoint=tiny, random_state=0), truth),
    }
    for name, (detector, X) in cases.items():
        detector.fit(X[:800])
        yield f"{name}.scores", detector.score_samples(X)
        yield f"{name}.heads", detector.score_heads(X)
        yield f"{name}.channels", detector.score_channels(X)
        yield f"{name}.offset", detector.offset_
        segments = detector.predict_segments(X)
        yield f"{name}.segments", np.stack([segments[key] for key in ("start", "end", "peak")])
        yield f"{name}.channel", segments["channel"]
        if detector.causal:
            stream = detector.stream()
            parts = [stream.update(rows) for rows in np.split(X, [300, 301, 650])]
            yield f"{name}.stream", np.concatenate([*parts, stream.finish()])


@patch("sktspulse.imputation.imputer._MAX_STEPS", 50)
def imputation(tiny: str) -> Iterator[tuple[str, Any]]:
    from sktspulse import TSPulseImputer
    from sktspulse.datasets import make_gappy_series, make_labelled_panel

    gappy, _ = make_gappy_series(900, 3, random_state=0)
    panel, _ = make_labelled_panel(6, random_state=0)
    panel[np.random.default_rng(0).random(panel.shape) < 0.1] = np.nan
    panel[2, :, 100:180] = np.nan
    for name, imputer, X in [
        ("series", TSPulseImputer(random_state=0), gappy),
        ("network", TSPulseImputer(blend=False, random_state=0), gappy),
        ("panel", TSPulseImputer("panel", random_state=0), panel),
        (
            "tuned",
            TSPulseImputer(fine_tune=True, checkpoint=tiny, stride=32, random_state=0),
            gappy,
        ),
    ]:
        imputer.fit(X)
        yield f"{name}.filled", imputer.transform(X)
        if imputer.blend:
            yield f"{name}.deviation", imputer.transform(X, return_std=True)[1]


def supervised(tiny: str) -> Iterator[tuple[str, Any]]:
    from sktspulse import TSLens, TSPulseClassifier, TSPulseRegressor
    from sktspulse.datasets import make_labelled_panel

    X, y = make_labelled_panel(60, n_classes=3, random_state=0)
    ragged = [one[:, : 40 + 3 * i] for i, one in enumerate(X[:30])]
    long = np.concatenate([X, X[:, :, ::-1]], axis=2)
    patient = {"max_time": 1e6, "random_state": 0}
    strategy = TSLens(max_epochs=5, lr=0.01)
    lens = {"strategy": strategy, "checkpoint": tiny, "random_state": 0}
    for name, classifier, series in [
        ("classes", TSPulseClassifier(**patient), X),
        ("classes.window", TSPulseClassifier(windowing="sliding", **patient), long),
        ("classes.lens", TSPulseClassifier(**lens), X),
    ]:
        classifier.fit(series[:40], y[:40])
        yield f"{name}.probabilities", classifier.predict_proba(series[40:])
    yield "ragged", TSPulseClassifier(**patient).fit(ragged, y[:30]).predict_proba(X[30:])
    numbers = np.stack([X.mean((1, 2)) + y, X.std((1, 2))], axis=1)
    for name, regressor, targets in [
        ("number", TSPulseRegressor(**patient), numbers[:, 0]),
        ("numbers", TSPulseRegressor(**patient), numbers),
        ("number.lens", TSPulseRegressor(**lens), numbers[:, 0]),
    ]:
        yield name, regressor.fit(X[:40], targets[:40]).predict(X[40:])


def retrieval(tiny: str) -> Iterator[tuple[str, Any]]:
    from sktspulse import TSPulseRetriever
    from sktspulse.datasets import make_labelled_panel

    X, _ = make_labelled_panel(60, random_state=0)
    long = [np.concatenate(list(X[i : i + 6]), axis=1) for i in range(0, 24, 6)]
    for name, retriever, series, queries in [
        ("exact", TSPulseRetriever(4), X[:40], X[40:]),
        ("cosine", TSPulseRetriever(4, metric="cosine", normalize=False), X[:40], X[40:]),
        ("half", TSPulseRetriever(4, store="float16", channels="mean"), X[:40], X[40:]),
        ("int8", TSPulseRetriever(4, store="int8"), X[:40], X[40:]),
        ("windows", TSPulseRetriever(4, window=256, stride=64), long, X[40:, :, :256]),
    ]:
        distances, ids = retriever.fit(series).kneighbors(queries)
        yield f"{name}.distances", distances
        yield f"{name}.ids", ids
    yield "graph", retriever.kneighbors_graph(queries).toarray()
    yield "places", np.stack(retriever.locate(ids[0]))


def embedding(tiny: str) -> Iterator[tuple[str, Any]]:
    from sktspulse import PanelToTabular, TSPulseTransformer
    from sktspulse.datasets import make_labelled_panel

    X, _ = make_labelled_panel(4, random_state=0)
    X[1, 0, 30:90] = np.nan
    for kind in ("semantic", "detailed", "time", "frequency", "all"):
        yield kind, TSPulseTransformer(kind).fit_transform(X)
    long = np.concatenate(list(X[:, :, :300]), axis=1)[None]
    yield "window", TSPulseTransformer(windowing="sliding").fit_transform(long)
    yield "table", PanelToTabular().fit_transform(X)


def pretraining(tiny: str) -> Iterator[tuple[str, Any]]:
    from sktspulse import TSPulsePretrainer
    from sktspulse.datasets import make_labelled_panel

    X, _ = make_labelled_panel(20, random_state=0)
    size = {"max_epochs": 2, "steps_per_epoch": 4, "batch_size": 8, "random_state": 0}
    pretrainer = TSPulsePretrainer(tiny_config(), **size).fit(X)
    for name, values in pretrainer.history_.items():
        if "second" not in name and np.asarray(values).dtype.kind == "f":
            yield f"history.{name}", values
    weights = pretrainer.network_.state_dict()
    yield "weights", np.concatenate([weights[name].numpy().ravel() for name in sorted(weights)])


def data(tiny: str) -> Iterator[tuple[str, Any]]:
    from sktspulse import metrics
    from sktspulse.datasets import make_gappy_series, make_labelled_panel, make_series

    yield "series", make_series(60, 128, random_state=0)[:, ::8]
    yield "panel", make_labelled_panel(12, random_state=0)[0][:, :, ::16]
    yield "gappy", np.stack(make_gappy_series(200, 3, random_state=0))
    rng = np.random.default_rng(0)
    truth, scores = (np.sin(np.arange(400) / 9) > 0.9).astype(int), rng.random(400)
    scores += truth / 2
    for name in ("vus_pr_score", "vus_roc_score"):
        yield name, getattr(metrics, name)(truth, scores, window=20)
    found = (scores > 0.8).astype(int)
    names = ["range_precision", "range_recall", "affiliation_precision", "affiliation_recall"]
    yield "ranges", [getattr(metrics, f"{name}_score")(truth, found) for name in names]
    yield "period", metrics.find_period(np.sin(np.arange(900) / 9))


def tiny_config() -> Any:
    from sktspulse import TSPulseConfig

    sizes = {"context_length": 64, "d_model": 4, "n_layers": 1, "n_decoder_layers": 1}
    sizes |= {"n_registers": 2, "n_register_layers": 1, "n_signature_bins": 16}
    return TSPulseConfig(**sizes, forecast_length=4)


def tiny_checkpoint(folder: str) -> str:
    """Write a network of known weights."""
    from reference.recipe import random_weights

    from sktspulse.network.checkpoints import save_checkpoint
    from sktspulse.network.tspulse import TSPulse

    network = TSPulse(tiny_config())
    shapes = {name: list(value.shape) for name, value in network.state_dict().items()}
    weights = random_weights(shapes)
    network.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    path = f"{folder}/tiny.safetensors"
    save_checkpoint(network, path)
    return path


TASKS = (anomaly, imputation, supervised, retrieval, embedding, pretraining, data)


def answers(task: Any) -> Answers:
    """Run one task on one thread, as sums depend on how many there are."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            pairs = task(tiny_checkpoint(folder))
            return {f"{task.__name__}.{name}": np.asarray(value) for name, value in pairs}
    finally:
        torch.set_num_threads(n_threads)


def stored() -> Answers:
    with np.load(FILE) as file:
        return dict(file)


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference relative to the largest value, infinite for other shapes."""
    if found.shape != expected.shape or (np.isnan(found) != np.isnan(expected)).any():
        return float("inf")
    found, expected = (np.nan_to_num(one.astype(float)) for one in (found, expected))
    size = np.abs(expected).max(initial=0)
    return float(np.abs(found - expected).max(initial=0) / (size or 1))


def main() -> None:
    chosen = [task for task in TASKS if not sys.argv[2:] or task.__name__ in sys.argv[2:]]
    found = {name: value for task in chosen for name, value in answers(task).items()}
    if sys.argv[1:2] == ["write"]:
        np.savez_compressed(FILE, **(stored() if FILE.exists() else {}) | found)
        return
    for name, expected in stored().items():
        if name.split(".")[0] in {task.__name__ for task in chosen}:
            off = distance(found[name], expected) if name in found else float("nan")
            print(f"{name:40} {off:.1e}{'' if off <= 1e-6 else '   <-- differs'}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
