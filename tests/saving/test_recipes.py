"""The recipes of the page about saving work; their packages are no dependencies."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import create_autospec

import numpy as np
import pytest

from sktspulse import TSPulseClassifier
from sktspulse.datasets import make_labelled_panel

PAGE = (Path(__file__).parents[2] / "docs" / "saving.md").read_text("utf-8")
RECIPES = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if ">>>" not in block]
X, y = make_labelled_panel(60, n_channels=2, random_state=0)


def recipe(*words):
    """Return the only recipe with some words in it."""
    (found,) = [block for block in RECIPES if all(word in block for word in words)]
    return found


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Return the model of the page, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return TSPulseClassifier(members=["kernels"]).fit(X[:40], y[:40])


def run(block, model):
    """Run a recipe; return the names that it defines."""
    Path("recipe.py").write_text(block)
    return runpy.run_path("recipe.py", {"X": X, "y": y, "model": model})


def test_skops_stores_pipelines(model):
    pytest.importorskip("skops")
    names = run(recipe("skops.io.dump"), model)
    expected = names["pipeline"].predict_proba(X)
    np.testing.assert_array_equal(names["again"].predict_proba(X), expected)
    assert names["unknown"]


@pytest.mark.filterwarnings("ignore")  # of MLflow
def test_mlflow_stores_files(model, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    pytest.importorskip("mlflow")
    Path("mlflow_model.py").write_text(recipe("set_model"))
    names = run(recipe("mlflow.pyfunc.save_model"), model)
    np.testing.assert_array_equal(names["again"].predict(X), model.predict(X))
    assert not [*Path("gestures").rglob("*.pkl")]


@pytest.mark.filterwarnings("ignore")  # of MLflow
def test_mlflow_stores_estimators_by_skops(model, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    skops, mlflow = pytest.importorskip("skops.io"), pytest.importorskip("mlflow.sklearn")
    trusted = skops.get_untrusted_types(data=skops.dumps(model))
    settings = {"pip_requirements": ["sktspulse"], "skops_trusted_types": trusted}
    mlflow.save_model(model, "estimator", **settings)
    again = mlflow.load_model("estimator")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_the_hub_gets_and_gives_a_file(model, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    stored = {}

    def upload_file(*, path_or_fileobj, path_in_repo, repo_id):
        is_path = isinstance(path_or_fileobj, str)
        content = Path(path_or_fileobj).read_bytes() if is_path else path_or_fileobj
        stored[repo_id, path_in_repo] = content
        return SimpleNamespace(oid="a1b2c3")

    def download(repo_id, filename, *, revision):
        assert revision == "a1b2c3"
        path = Path("cache") / filename
        path.parent.mkdir()
        path.write_bytes(stored[repo_id, filename])
        return str(path)

    api = create_autospec(hub.HfApi, instance=True)
    api.upload_file.side_effect = upload_file
    fake = create_autospec(hub.hf_hub_download, side_effect=download)
    monkeypatch.setattr(hub, "HfApi", lambda: api)
    monkeypatch.setattr(hub, "hf_hub_download", fake)
    names = run(recipe("upload_file"), model)
    np.testing.assert_array_equal(names["again"].predict(X), model.predict(X))
    assert b"library_name: sktspulse" in stored["you/gestures", "README.md"]


def test_every_recipe_is_tested():
    assert len(RECIPES) == 4
