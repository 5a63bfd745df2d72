"""Other channels give the level in a gap where they know it, and are left alone where not."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.imputation.filled import Filled
from sktspulse.imputation.regression import ProxyRegression, RegressionCorrection, without_fold


def walks(n_series=1, n_channels=2, n_timepoints=1000, seed=0):
    rng = np.random.default_rng(seed)
    panel = rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(-1)
    return (panel - panel.mean()) / panel.std()


def tied(*coefficients):
    first = walks(3, 1)
    return np.concatenate([first] + [c * first for c in coefficients], axis=1)


def hidden(panel, seed=0):
    """Fill long gaps with zeros, and say how long they are."""
    rng = np.random.default_rng(seed)
    is_filled = np.zeros(panel.shape, bool)
    for place in np.ndindex(panel.shape[:2]):
        start = rng.integers(0, panel.shape[-1] - 150)
        is_filled[place][start : start + 150] = True
    bins = np.where(is_filled, 77, 0).astype(np.int8)
    filled = Filled(
        np.where(is_filled, 0, panel), is_filled, bins, np.zeros_like(panel, np.float32)
    )
    fold = np.broadcast_to(
        4 * np.arange(panel.shape[-1]) // panel.shape[-1], (len(panel), panel.shape[-1])
    )
    return panel, filled, fold


def test_the_regression_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, 4, 500))
    X[:, 0] = 3 + X[:, 1] - 2 * X[:, 3] + 0.1 * rng.normal(size=(2, 500))
    X[0, 0, 50:100] = np.nan
    model = ProxyRegression.fit([X])
    rows = X.swapaxes(1, 2).reshape(-1, 4)
    rows = rows[~np.isnan(rows[:, 0])]
    design = np.column_stack([rows[:, 1:], np.ones(len(rows))])
    expected = np.linalg.lstsq(design, rows[:, 0], rcond=None)[0]
    order = np.argsort(model.predictors[0])
    np.testing.assert_allclose(model.coefficients[0][:-1][order], expected[:-1], atol=1e-3)
    predicted = model(np.nan_to_num(X))[1, 0]
    assert np.abs(predicted - X[1, 0]).std() < 0.1


def test_wild_predictors_have_a_bounded_influence():
    X = tied(2.0)
    model = ProxyRegression.fit([X])
    wild = X.copy()
    wild[:, 1, 500] = 1e20
    np.testing.assert_allclose(model(wild)[:, 0, 500], X[:, 0].max(), rtol=0.01)


def test_few_values_and_single_channels_predict_zero():
    X = walks(n_channels=2)
    X[:, 0, 10:] = np.nan
    assert (ProxyRegression.fit([X])(np.nan_to_num(X))[:, 0] == 0).all()
    assert ProxyRegression.fit([X[:, 1:]]).predictors[0].size == 0


@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_a_proxy_is_followed(offset):
    X = tied(2.0, -1.0)
    correction = RegressionCorrection.fit([X], [hidden(X)])
    moved = X.copy()
    moved[:, 0] += offset  # since fit, the level of one channel has changed
    _, filled, _ = hidden(moved, seed=3)
    corrected = correction(filled).values
    gap = filled.is_filled[:, 0]
    np.testing.assert_array_equal(corrected[~filled.is_filled], moved[~filled.is_filled])
    error = np.abs(corrected - moved)[:, 0][gap].mean()
    assert error < (0.05 if offset == 0 else 5.0) * X.std()


@pytest.mark.parametrize("seed", range(3))
def test_unrelated_walks_are_left_alone(seed):
    X = walks(2, 3, seed=seed)
    truth, filled, fold = hidden(X)
    filled = filled._replace(values=np.where(filled.is_filled, truth + 0.1, truth))
    correction = RegressionCorrection.fit([X], [(truth, filled, fold)])
    error = (correction(filled).values - truth)[filled.is_filled]
    assert np.sqrt(np.mean(error**2)) < 0.12


def test_a_channel_without_known_values_is_not_changed():
    X = tied(2.0)
    correction = RegressionCorrection.fit([X], [hidden(X)])
    _, filled, _ = hidden(X)
    absent = filled._replace(gap_bins=np.full_like(filled.gap_bins, 110))
    np.testing.assert_array_equal(correction(absent).values, absent.values)


def test_a_fold_is_left_out():
    (before, after) = without_fold([np.arange(8.0).reshape(1, 1, 8)], 1)
    assert before.ravel().tolist() == [0, 1]
    assert after.ravel().tolist() == [4, 5, 6, 7]
