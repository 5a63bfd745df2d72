"""What describes a series to the heads, and what makes no difference to it."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse import TSPulseClassifier, TSPulseTransformer, _probe
from sktspulse._checkpoints import load_checkpoint
from sktspulse._linear import Rows
from sktspulse._probe import Levels, _quantile, _Scaling, levels_of
from sktspulse._variants import FORMS, SMOOTH_FORMS

CHECKPOINT = "tspulse-p8"
NETWORK = load_checkpoint(CHECKPOINT)


def draw_panel(n_series=4, n_channels=2, n_timepoints=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


def extract(X, **parameters):
    model = TSPulseClassifier(checkpoint=CHECKPOINT, **parameters)
    return model._extract(NETWORK, model._check(X, NETWORK, reset=True))


def embed(X):
    return TSPulseTransformer(checkpoint=CHECKPOINT).fit_transform(X)


# --------------------------------------------------------------------------- features


@pytest.mark.parametrize(("length", "forms"), FORMS.items())
def test_features_are_embeddings_of_each_form_then_levels(length, forms):
    X = draw_panel()
    features = extract(X, length=length)
    n_forms = len(forms)
    assert features.shape == (4, n_forms * 480 + 4)
    for form, found in zip(forms, np.split(features[:, :-4], n_forms, axis=1), strict=True):
        model = TSPulseTransformer(checkpoint=CHECKPOINT, length=length)
        np.testing.assert_array_equal(found, model.fit_transform(np.stack(list(map(form, X)))))
    np.testing.assert_allclose(features[:, -4:-2], X.mean(-1))
    np.testing.assert_allclose(features[:, -2:], X.std(-1))


def test_of_many_channels_mean_and_deviation_are_kept(monkeypatch):
    monkeypatch.setattr(_probe, "_MAX_CONCATENATED", 2)
    X = draw_panel(3, 3, 20)
    features = extract(X)
    apart = embed(X).reshape(3, 3, 240)
    assert features.shape == (3, len(FORMS["resample"]) * 2 * 240 + 6)
    np.testing.assert_allclose(features[:, :240], apart.mean(1), atol=1e-5)
    np.testing.assert_allclose(features[:, 240:480], apart.std(1), atol=1e-5)


@pytest.mark.parametrize("length", ["resample", "window"])
def test_a_series_does_not_depend_on_its_block(length, monkeypatch):
    X = [draw_panel(1, 2, n)[0] for n in (40, 600, 9, 513, 40)]
    expected = extract(X, length=length)
    monkeypatch.setattr(_probe, "_BLOCK_ROWS", 5)
    np.testing.assert_array_equal(extract(X, length=length), expected)


@pytest.mark.parametrize("length", ["resample", "window"])
@pytest.mark.parametrize("n_channels", [1, 40])
def test_groups_are_all_the_smooth_forms_and_levels(length, n_channels):
    X = draw_panel(2, n_channels)
    model = TSPulseClassifier(checkpoint=CHECKPOINT, length=length)
    features = model._extract(NETWORK, model._check(X, NETWORK, reset=True))
    columns = np.arange(features.shape[1])
    every, smooth, levels = (columns[group] for group in model._groups(len(columns)))
    np.testing.assert_array_equal(every, columns)
    assert len(smooth) == len(SMOOTH_FORMS[length]) * min(n_channels, 2) * 240
    np.testing.assert_array_equal(levels, columns[-2 * n_channels :])


# --------------------------------------------------------------------------- levels


def test_levels_of_constant_and_empty_channels():
    X = np.stack([[np.full(8, 3.0), np.full(8, np.nan), np.arange(8.0)]])
    np.testing.assert_allclose(levels_of(X), [[3, np.nan, 3.5, 0, np.nan, np.sqrt(5.25)]])


def test_levels_do_not_depend_on_the_units_of_channels():
    X = draw_panel(20, 3) + np.random.default_rng(0).normal(size=(20, 3, 1))
    X[0, 0], X[1, 1], X[2, 2] = np.nan, 4.0, 1e9
    factor, shift = np.array([[1e-6], [5], [1e8]]), np.array([[3], [-1e4], [1e9]])
    panels = [levels_of(X), levels_of(factor * X + shift)]
    one, other = (Levels.of(levels, np.ones(20))(levels) for levels in panels)
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert np.isfinite(one).all()


@pytest.mark.parametrize("q", [0.25, 0.5, 0.75])
def test_weighted_quantiles_are_those_of_repeated_values(q):
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=15), rng.integers(0, 4, 15)
    repeated = np.repeat(values, weights)
    expected = np.quantile(repeated, q, method="inverted_cdf")
    assert _quantile(values, weights.astype(float), q) == expected
    gappy = np.append(values, np.nan)
    assert _quantile(gappy, np.append(weights, 9.0), q) == expected


# --------------------------------------------------------------------------- scaling


def scale(features, n_channels):
    rows = Rows(features, np.zeros(len(features)), np.ones(len(features)))
    return _Scaling.of(rows, n_channels)(features)


def test_features_have_mean_0_and_a_usual_length():
    X = draw_panel(12, 2)
    scaled = scale(extract(X), 2)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(np.square(scaled[:, :-4]).sum(1).mean(), 1)
    np.testing.assert_allclose(np.square(scaled[:, -4:]).sum(1).mean(), 0.1)


def test_what_does_not_vary_but_for_rounding_is_ignored():
    features = np.random.default_rng(0).normal(size=(10, 6))
    features[:, 1] = 3 + 1e-7 * features[:, 1]
    features[:, 4:] = [0, 1] + 1e-7 * features[:, 4:]
    scaled = scale(features, 1)
    assert not scaled[:, [1, 4, 5]].any()
    assert scaled[:, [0, 2, 3]].all()
