"""``sktspulse classify``: learn classes of series, and predict them."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .options import estimator_options, fraction, new_command, summarized
from .panels import SeriesFile, read_panel
from .tables import check_new, load_pandas, write_table

__all__ = ["add_classify", "run_predict", "run_train"]

_TRAIN_NOTES = """\
Tables are long: a row for each moment of each series, with columns of ids, labels and time. Panels
in .npz files have X and y, those in .ts files their labels.

  sktspulse classify train gestures.csv --id id --time time --label kind -o model.safetensors

Files are read as a whole.
"""
_PREDICT_NOTES = """\
Tables have the columns that the model was trained with, in the same order; labels are not needed.
The answer has a row for each series: its id, the predicted class, and the probability of each.

  sktspulse classify predict new.csv --id id --time time --model model.safetensors -o classes.csv
"""


def add_classify(commands: Any) -> None:
    """Add the command."""
    summary = "Learn classes of series (train), and predict them (predict)."
    parser = commands.add_parser("classify", help=summary, description=summary)
    steps = parser.add_subparsers(title="steps", metavar="STEP", required=True)
    train = new_command(
        *(steps, "train", run_train, "Learn classes of series.", _TRAIN_NOTES),
        reads="panel",
        writes="model, a file that ends in .safetensors",
    )
    train.add_argument(
        "--holdout",
        type=fraction,
        metavar="FRACTION",
        help="also report the accuracy on this fraction of the series, before learning from all",
    )
    predict = new_command(
        *(steps, "predict", run_predict, "Predict classes of series.", _PREDICT_NOTES),
        reads="panel",
        writes="table of predictions",
    )
    predict.add_argument("--model", required=True, type=Path, help="model from train")
    for step in (train, predict):
        step.add_argument("--label", metavar="COLUMN", help="column of labels")


def run_train(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Learn classes, and save the model."""
    check_new(options.output, force=options.force, ending=".safetensors")
    series = read_panel(options.files, options)
    y = np.asarray(_known_labels(series, options))
    from ..supervised import TSPulseClassifier  # takes seconds, errors in files should not

    counts = Counter(map(str, y))
    estimator = TSPulseClassifier(random_state=options.seed, **estimator_options(options))
    measured = {}
    if options.holdout:
        measured = _held_out_accuracy(estimator, series.X, y, options)
    estimator.fit(series.X, y).save(options.output)
    listed = ", ".join(f"{label}: {n}" for label, n in [*counts.items()][:10])
    lines = [f"{series.describe_size()}, {len(counts)} classes ({listed})."]
    if measured:
        lines.append(
            f"Accuracy on {measured['n_held_out']} held-out series: {measured['accuracy']:.3f}; "
            f"always the most frequent class: {measured['baseline']:.3f}."
        )
    facts = {"n_series": len(y), "classes": dict(counts), **measured}
    return summarized(options, "\n".join(lines), options.output, **facts)


def run_predict(options: Namespace) -> tuple[str, dict[str, Any]]:
    """Predict classes with a saved model."""
    check_new(options.output, force=options.force)
    series = read_panel(options.files, options)
    parameters = estimator_options(options)
    model = _load_classifier(options.model, parameters.pop("checkpoint", None), options.device)
    model.set_params(**parameters)
    probabilities = model.predict_proba(series.X)
    predicted = model.classes_[probabilities.argmax(1)]
    columns = {options.id or "series": series.ids, "predicted": predicted}
    columns |= {
        f"p_{label}": p for label, p in zip(model.classes_, probabilities.T.round(6), strict=True)
    }
    write_table(load_pandas().DataFrame(columns), options.output)
    counts = Counter(map(str, predicted))
    text = f"{series.describe_size()}: {', '.join(f'{n} {label}' for label, n in counts.items())}."
    facts: dict[str, Any] = {"n_series": len(predicted), "classes": dict(counts)}
    if series.labels is not None:
        facts["accuracy"] = float(np.mean([*map(str, series.labels)] == predicted.astype(str)))
        text += f" Accuracy: {facts['accuracy']:.3f}."
    return summarized(options, text, options.output, **facts)


def _load_classifier(path: Path, checkpoint: str | None, device: str) -> Any:
    model = import_module("sktspulse").load(path, checkpoint=checkpoint, device=device)
    if not hasattr(model, "predict_proba"):
        raise ValueError(
            f"{path} holds a {type(model).__name__}. Pass a model that classify train wrote."
        )
    return model


def _known_labels(series: SeriesFile, options: Namespace) -> list[Any]:
    if series.labels is None:
        raise ValueError(f"{options.files[0]} has no labels. Pass their column as --label.")
    for place in np.flatnonzero(load_pandas().isna(series.labels))[:1]:
        raise ValueError(f"Series {series.ids[place]!r} has no label. Set it, or drop its rows.")
    return series.labels


def _held_out_accuracy(estimator: Any, X: Any, y: Any, options: Namespace) -> dict[str, Any]:
    from sklearn.base import clone
    from sklearn.model_selection import train_test_split

    known, unknown = train_test_split(
        np.arange(len(y)), test_size=options.holdout, stratify=y, random_state=options.seed
    )
    model = clone(estimator).fit([X[i] for i in known], y[known])
    predicted = model.predict([X[i] for i in unknown])
    labels, counts = np.unique(y[known], return_counts=True)
    return {
        "n_held_out": len(unknown),
        "accuracy": float(np.mean(predicted == y[unknown])),
        "baseline": float(np.mean(labels[counts.argmax()] == y[unknown])),
    }
