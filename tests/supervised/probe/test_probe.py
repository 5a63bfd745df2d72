"""Features that the probe extracts from a panel."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse import TSPulseRegressor, TSPulseTransformer
from sktspulse.base import TimeBudget
from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.supervised.probe import probe
from sktspulse.supervised.probe.features import FeatureScaler
from sktspulse.supervised.probe.probe import FeatureExtractor
from sktspulse.supervised.probe.representations import REPRESENTATIONS, time_warped

CHECKPOINT = "tspulse-p8"
NETWORK = load_checkpoint(CHECKPOINT)


def draw_panel(n_series=4, n_channels=2, n_timepoints=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


def extract(X, n_representations=7, budget=None, windowing="resample"):
    extractor = FeatureExtractor(windowing, n_representations, False)
    return extractor.join(extractor.embed(NETWORK, X, 32, None, budget), X)


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_features_are_embeddings_of_each_representation_then_levels(windowing):
    X = draw_panel()
    features = extract(X, windowing=windowing)
    n = len(REPRESENTATIONS[windowing])
    assert features.shape == (4, n * 480 + 4)
    parts = np.split(features[:, :-4], n, axis=1)
    for representation, found in zip(REPRESENTATIONS[windowing], parts, strict=True):
        model = TSPulseTransformer(checkpoint=CHECKPOINT, windowing=windowing)
        expected = model.fit_transform(np.stack([representation(one) for one in X]))
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(features[:, -4:-2], X.mean(-1))
    np.testing.assert_allclose(features[:, -2:], X.std(-1))


def test_of_many_channels_mean_and_deviation_are_kept(monkeypatch):
    monkeypatch.setattr(probe, "_MAX_CONCATENATED", 2)
    X = draw_panel(3, 3, 20)
    features = extract(X)
    transformer = TSPulseTransformer(checkpoint=CHECKPOINT)
    apart = transformer.fit_transform(np.stack(list(map(time_warped, X)))).reshape(3, 3, 240)
    assert features.shape == (3, 7 * 2 * 240 + 6)
    np.testing.assert_allclose(features[:, :240], apart.mean(1), atol=1e-5)
    np.testing.assert_allclose(features[:, 240:480], apart.std(1), atol=1e-5)


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_a_series_does_not_depend_on_its_block(windowing, monkeypatch):
    X = [draw_panel(1, 2, n)[0] for n in (40, 600, 9, 513, 40)]
    expected = extract(X, windowing=windowing)
    monkeypatch.setattr(probe, "_BLOCK_ROWS", 5)
    found = extract(X, windowing=windowing)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("n", [1, 2])
def test_only_the_first_representations_are_embedded_if_so_few_are_asked_for(n):
    X = draw_panel()
    few, every = extract(X, n), extract(X)
    assert few.shape == (4, n * 480 + 4)
    np.testing.assert_array_equal(few[:, :-4], every[:, : n * 480])
    np.testing.assert_array_equal(few[:, -4:], every[:, -4:])


@pytest.mark.parametrize(("seconds", "n"), [(0.0, 1), (1e6, 7)])
def test_one_representation_is_embedded_even_without_time(seconds, n):
    assert extract(draw_panel(), budget=TimeBudget(seconds)).shape == (4, n * 480 + 4)


def test_a_single_value_can_be_the_target():
    X = draw_panel(60, 2)
    y = X[:, 1, -1] + 100
    model = TSPulseRegressor(checkpoint=CHECKPOINT).fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) > 0.9


def test_scaled_features_have_mean_0_and_a_mean_squared_norm():
    X = draw_panel(12, 2)
    features = extract(X)
    layout = FeatureExtractor("resample", 7, False).layout(features.shape[1], 2)
    scaled = FeatureScaler.fit(features, np.ones(12), layout)(features)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(np.square(scaled[:, :-4]).sum(1).mean(), 1)
    np.testing.assert_allclose(np.square(scaled[:, -4:]).sum(1).mean(), 0.1)
