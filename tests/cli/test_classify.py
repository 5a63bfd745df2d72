"""``sktspulse classify``."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import sktspulse
from sktspulse import TSPulseClassifier

pd = pytest.importorskip("pandas")
NAMES = ("--id", "case", "--time", "t")


@pytest.fixture(autouse=True)
def saving(monkeypatch):
    """Save and load by pickle where the package does not save yet."""
    if hasattr(sktspulse, "load"):
        return

    def load(path, checkpoint=None, device="auto"):
        return pickle.loads(Path(path).read_bytes())

    monkeypatch.setattr(sktspulse, "load", load, raising=False)
    save = lambda model, path: Path(path).write_bytes(pickle.dumps(model))  # noqa: E731
    monkeypatch.setattr(TSPulseClassifier, "save", save, raising=False)


@pytest.fixture
def trained(tiny, gestures):
    answer = tiny("classify", "train", gestures, *NAMES, "--label", "kind", "-o", "m.safetensors")
    assert answer.code == 0, answer.err
    return answer


def test_train_and_predict(trained, tiny, gestures):
    assert "20 series of 2 channels and 30 to 32 time points, 2 classes" in trained.out
    table = pd.read_csv(gestures, dtype=str)
    table.drop(columns="kind").to_csv("new.csv", index=False)
    files = ("new.csv", "--model", "m.safetensors", "-o", "classes.csv")
    answer = tiny("classify", "predict", *files, *NAMES)
    assert answer.code == 0, answer.err
    found = pd.read_csv("classes.csv", dtype={"case": str})
    assert [*found.columns] == ["case", "predicted", "p_fast", "p_slow"]
    assert found["case"].tolist() == table["case"].unique().tolist()
    np.testing.assert_allclose(found["p_fast"] + found["p_slow"], 1, atol=1e-5)
    truth = table.groupby("case")["kind"].first().loc[found["case"]]
    assert (found["predicted"].to_numpy() == truth.to_numpy()).mean() > 0.9


def test_labels_in_the_table_give_the_accuracy(trained, tiny, gestures):
    files = (gestures, "--model", "m.safetensors", "-o", "classes.csv")
    answer = tiny("classify", "predict", *files, *NAMES, "--label", "kind", "--json")
    assert answer.facts["accuracy"] > 0.9
    assert sum(answer.facts["classes"].values()) == answer.facts["n_series"] == 20


def test_held_out_series(tiny, gestures):
    options = ("--label", "kind", "-o", "m.safetensors", "--holdout", "0.3", "--json")
    facts = tiny("classify", "train", gestures, *NAMES, *options).facts
    assert facts["n_held_out"] == 6
    assert facts["accuracy"] >= facts["baseline"] == 0.5
    assert facts["classes"] == {"slow": 10, "fast": 10}


def test_archives_bring_their_labels(tiny, tmp_path):
    t = np.arange(40)
    X = np.stack([np.sin(t * (0.3 + i % 2)) for i in range(12)])
    np.savez(tmp_path / "a.npz", X=X, y=np.arange(12) % 2)
    assert tiny("classify", "train", "a.npz", "-o", "m.safetensors").code == 0
    tiny("classify", "predict", "a.npz", "--model", "m.safetensors", "-o", "b.csv")
    assert pd.read_csv("b.csv")["predicted"].tolist() == [0, 1] * 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "m.safetensors"], "has no labels. Pass their column as --label."),
        (["-o", "m.bin", "--label", "kind"], "ends in .safetensors"),
        (["-o", "m.safetensors", "--label", "where"], "has no column 'where'"),
        (["-o", "m.safetensors", "--label", "none"], "Series '0"),
    ],
)
def test_errors_of_training(tiny, gestures, options, said):
    pd.read_csv(gestures, dtype=str).assign(none=None).to_csv(gestures, index=False)
    columns = ("--columns", "x,y")
    answer = tiny("classify", "train", gestures, *NAMES, *columns, *options)
    assert answer.code == 1
    assert said in answer.err


def test_another_estimator_is_refused(tiny, gestures, monkeypatch):
    monkeypatch.setattr(sktspulse, "load", lambda path, **options: object())
    options = ("--model", "m.safetensors", "-o", "a.csv", "--label", "kind")
    answer = tiny("classify", "predict", gestures, *NAMES, *options)
    assert "m.safetensors holds a object. Pass a model that classify train wrote" in answer.err
