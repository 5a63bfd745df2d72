"""Features that the members of a probe extract from a panel."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from sktspulse import TSPulseTransformer
from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.supervised.levels import level_features
from sktspulse.supervised.probe import extraction
from sktspulse.supervised.probe.extraction import FeatureExtractor, NetworkReader
from sktspulse.supervised.probe.features import n_sampled_points, sampled_values
from sktspulse.supervised.probe.kernels import KernelBank
from sktspulse.supervised.probe.representations import REPRESENTATIONS, time_warped
from sktspulse.supervised.probe.shapes import standard_shapes

CHECKPOINT = "tspulse-p8"
WINDOWINGS = pytest.mark.parametrize("windowing", ["resample", "sliding"])


def draw_panel(n_series=4, n_channels=2, n_timepoints=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


def draw_list():
    return [draw_panel(1, 2, n)[0] for n in (40, 600, 9, 513, 40)]


def extract(X, members=("network",), windowing="resample", n_representations=4, values=False):
    extractor = FeatureExtractor.fit(members, X, windowing, n_representations, values)
    return extractor(NetworkReader(load_checkpoint(CHECKPOINT), 32, None), X)


class Recorder(FunctionTransformer):
    """Return mean and range of channels, and remember what came."""

    def fit(self, X, y=None):
        self.seen_ = [X]
        return self

    def transform(self, X):
        self.seen_.append(X)
        return [np.hstack([one.mean(1), np.ptp(one, axis=1)]) for one in X]


# --------------------------------------------------------------------------- the network


@WINDOWINGS
def test_features_are_embeddings_of_each_representation_then_levels_and_duration(windowing):
    X = draw_panel()
    features, layout = extract(X, windowing=windowing)
    embedded, *nothing, levels, durations = layout.split(features)
    parts = np.split(embedded, len(REPRESENTATIONS[windowing]), axis=1)
    for representation, found in zip(REPRESENTATIONS[windowing], parts, strict=True):
        model = TSPulseTransformer(checkpoint=CHECKPOINT, windowing=windowing)
        expected = model.fit_transform(np.stack([representation(one) for one in X]))
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert not any(part.size for part in nothing)
    np.testing.assert_allclose(levels, np.hstack([X.mean(-1), X.std(-1)]))
    np.testing.assert_allclose(durations, np.log(np.full((4, 1), 40)))


def test_of_many_channels_mean_and_deviation_are_kept(monkeypatch):
    monkeypatch.setattr(extraction, "_MAX_CONCATENATED", 2)
    X = draw_panel(3, 3, 20)
    features, layout = extract(X)
    transformer = TSPulseTransformer(checkpoint=CHECKPOINT)
    apart = transformer.fit_transform(np.stack(list(map(time_warped, X)))).reshape(3, 3, 240)
    assert layout.n_embedded == 4 * 2 * 240
    np.testing.assert_allclose(features[:, :240], apart.mean(1), atol=1e-5)
    np.testing.assert_allclose(features[:, 240:480], apart.std(1), atol=1e-5)


@WINDOWINGS
def test_a_series_does_not_depend_on_its_block(windowing, monkeypatch):
    X = draw_list()
    expected, _ = extract(X, windowing=windowing)
    monkeypatch.setattr(extraction, "_BLOCK_ROWS", 5)
    found, _ = extract(X, windowing=windowing)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("n", [1, 2])
def test_only_the_first_representations_are_embedded_if_so_few_are_asked_for(n):
    X = draw_panel()
    (few, layout), (every, _) = extract(X, n_representations=n), extract(X)
    assert layout.n_embedded == n * 480
    np.testing.assert_array_equal(few[:, : n * 480], every[:, : n * 480])
    np.testing.assert_array_equal(few[:, n * 480 :], every[:, 4 * 480 :])


# --------------------------------------------------------------------------- the other members


@pytest.mark.parametrize("draw", [draw_panel, draw_list])
def test_kinds_of_features_are_those_of_the_members_in_any_order(draw):
    X, transformer = draw(), Recorder()
    features, layout = extract(X, ("quantiles", transformer, "kernels"), values=True)
    embedded, kernels, transformed, values, levels, durations = layout.split(features)
    shapes = standard_shapes(X)
    assert embedded.shape == (len(X), 0)
    np.testing.assert_array_equal(kernels, KernelBank.fit(shapes)(shapes))
    np.testing.assert_array_equal(transformed, Recorder().fit(X).transform(X))
    np.testing.assert_array_equal(values, sampled_values(X, n_sampled_points(X)))
    np.testing.assert_array_equal(levels, level_features(X))
    np.testing.assert_array_equal(np.exp(durations)[:, 0].round(), [one.shape[1] for one in X])


def test_without_network_nothing_is_embedded():
    extractor = FeatureExtractor.fit(("kernels",), draw_panel(), "resample", 3, False)
    assert extractor.n_representations == 0
    assert extractor(None, draw_panel())[1].n_embedded == 0


@pytest.mark.parametrize("draw", [draw_panel, draw_list])
def test_transformers_get_an_array_or_a_list_if_lengths_differ(draw):
    X = draw()
    extractor = FeatureExtractor.fit((Recorder(),), X, "resample", 3, False)
    extractor(None, list(X))
    assert len(extractor.transformers[0].seen_) == 2
    for seen in extractor.transformers[0].seen_:
        assert type(seen) is (list if draw is draw_list else np.ndarray)
        for one, other in zip(seen, X, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_copy_of_the_transformer_is_fitted():
    transformer = Recorder()
    extractor = FeatureExtractor.fit((transformer,), draw_panel(), "resample", 3, False)
    extractor(None, draw_panel())
    assert not hasattr(transformer, "seen_")
    assert isinstance(extractor.transformers[0], Recorder)


def test_several_transformers_are_groups_of_their_own():
    def flatten(X):
        return X.reshape(len(X), -1)

    members = Recorder(), FunctionTransformer(flatten)
    _, layout = extract(draw_panel(), members)
    assert layout.n_transformed == (4, 80)
    assert [len(group) for group in layout.groups()] == [5, 4, 80]


@pytest.mark.parametrize("axes", [(4,), (4, 3), (4, 3, 2)])
def test_transformed_series_may_have_any_number_of_axes(axes):
    given = np.arange(np.prod(axes), dtype=float).reshape(axes)
    features, layout = extract(draw_panel(), (FunctionTransformer(lambda _: given),))
    np.testing.assert_array_equal(layout.split(features)[2], given.reshape(4, -1))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(value):
    given = np.ones((4, 2))
    given[1:3, 0] = value
    message = r"FunctionTransformer gave .* for 2 of 4 series.*SimpleImputer"
    with pytest.raises(ValueError, match=message):
        extract(draw_panel(), (FunctionTransformer(lambda _: given),))
