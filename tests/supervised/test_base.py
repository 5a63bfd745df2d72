"""What classifier and regressor share: how much is embedded, and what has no effect."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from sktspulse import TSPulseClassifier, TSPulseRegressor
from sktspulse.supervised import base


@pytest.mark.parametrize(("n_series", "n"), [(8, 3), (9, 2), (12, 2), (13, 1), (30, 1)])
def test_large_panels_have_fewer_representations(n_series, n, checkpoint, monkeypatch):
    monkeypatch.setattr(base, "_MAX_WINDOWS", 48)  # a series has 2 channels
    X, y = np.random.default_rng(0).normal(size=(n_series, 2, 40)), np.arange(n_series) % 2
    model = TSPulseClassifier(checkpoint=checkpoint, members=["network"]).fit(X, y)
    assert model.n_representations_ == n
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("model", [TSPulseClassifier, TSPulseRegressor])
def test_there_are_at_most_twelve_parameters(model):
    assert len(inspect.signature(model).parameters) <= 12


@pytest.mark.usefixtures("few_trees")
def test_the_panel_fitted_with_is_not_needed_to_predict_at_other_settings(checkpoint):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 1, 60)), np.arange(20) % 2
    model = TSPulseRegressor(checkpoint=checkpoint).fit(X, y)
    expected = model.predict(X)
    model.set_params(strategy="tslens", members=["kernels"], max_time=0, batch_size=3)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5)


@pytest.mark.usefixtures("few_trees")
def test_progress_counts_all_windows(checkpoint, capsys):
    X = np.random.default_rng(0).normal(size=(10, 2, 60))
    model = TSPulseRegressor(checkpoint=checkpoint, verbose=1).fit(X, np.arange(10))
    assert "80.0/80.0" in capsys.readouterr().err
    model.predict(X[:5])
    assert "40.0/40.0" in capsys.readouterr().err


@pytest.mark.usefixtures("few_trees")
def test_series_padded_with_nan_are_those_of_a_list(checkpoint):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(2, n)).cumsum(1) for n in rng.integers(20, 60, 24)]
    padded = np.full((24, 2, 60), np.nan)
    for row, one in zip(padded, X, strict=True):
        row[:, : one.shape[1]] = one
    for unit in (1.0, 1e-6, 1e9):
        for kind in (TSPulseClassifier, TSPulseRegressor):
            model = kind(checkpoint=checkpoint).fit([unit * one for one in X], np.arange(24) % 2)
            other = kind(checkpoint=checkpoint).fit(unit * padded, np.arange(24) % 2)
            answer = "predict_proba" if kind is TSPulseClassifier else "predict"
            expected = getattr(model, answer)([unit * one for one in X])
            for fitted in (model, other):
                found = getattr(fitted, answer)(unit * padded)
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
