"""Tables and panels are converted to each other without loss."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from sktspulse import PanelToTabular, TabularToPanel, TSPulseConfig, TSPulseTransformer
from sktspulse.network.checkpoints import save_checkpoint
from sktspulse.network.tspulse import TSPulse

# The panels here are short, and so are those of scikit-learn's checks.
pytestmark = pytest.mark.filterwarnings("ignore:X is read as:UserWarning")
SIZES = {"context_length": 64, "d_model": 8, "n_layers": 1, "n_registers": 2}
SIZES |= {"n_signature_bins": 0, "forecast_length": 0}


def draw_panel(n_series=6, n_channels=3, n_timepoints=5, dtype=np.float64):
    X = np.random.default_rng(0).normal(size=(n_series, n_channels, n_timepoints))
    X[1, 0], X[0, 0, 2] = np.nan, np.nan
    return X.astype(dtype)


def draw_ragged(dtype=np.float64):
    X = [one[:, : 5 - i % 3].astype(dtype) for i, one in enumerate(draw_panel())]
    X[4][:2, -1] = np.nan
    return X


# --------------------------------------------------------------------------- conversion


@parametrize_with_checks([PanelToTabular(), TabularToPanel()])
def test_they_pass_every_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_hold_channel_after_channel(dtype):
    X = draw_panel(dtype=dtype)
    step = PanelToTabular().fit(X)
    table = step.transform(X)
    assert table.dtype == dtype
    for row, series in zip(table, X, strict=True):
        np.testing.assert_array_equal(row, [value for channel in series for value in channel])
    np.testing.assert_array_equal(step.inverse_transform(table), X)
    assert step.get_feature_names_out()[[0, 1, 5, -1]].tolist() == [
        "ch0_t0",
        "ch0_t1",
        "ch1_t0",
        "ch2_t4",
    ]
    back = TabularToPanel(3).fit(table)
    np.testing.assert_array_equal(back.transform(table), X)
    np.testing.assert_array_equal(back.inverse_transform(X), table)
    assert back.transform(table).dtype == back.inverse_transform(X).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_unequal_lengths_are_padded_and_restored(dtype):
    X = draw_ragged(dtype)
    step = PanelToTabular().fit(X)
    table = step.transform(X)
    assert table.shape == (6, 15)
    back = TabularToPanel(3, trim=True).fit(table)
    for restored in (step.inverse_transform(table), back.transform(table)):
        for one, other in zip(restored, X, strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == dtype
    np.testing.assert_array_equal(back.inverse_transform(X), table)


def test_time_points_at_the_end_stay_if_lengths_were_equal():
    X = draw_panel()
    X[2, :, 3:] = np.nan
    step = PanelToTabular().fit(X)
    np.testing.assert_array_equal(step.inverse_transform(step.transform(X)), X)


def test_a_series_without_a_value_keeps_a_time_point():
    (one,) = TabularToPanel(2, trim=True).fit_transform(np.full((1, 6), np.nan))
    assert one.shape == (2, 1)


def test_a_table_is_a_copy_and_input_stays():
    X = draw_panel(n_channels=1)[:, 0]
    before = X.copy()
    table = PanelToTabular().fit_transform(X)
    table[:] = 0
    np.testing.assert_array_equal(X, before)


# --------------------------------------------------------------------------- inside other tools


@pytest.fixture(scope="module")
def embedding(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    save_checkpoint(TSPulse(TSPulseConfig(**SIZES)), path)
    return TSPulseTransformer(checkpoint=path)


def test_tools_for_tables_take_panels(embedding):
    X, y = np.random.default_rng(0).normal(size=(20, 2, 12)), np.arange(20) % 2
    table = PanelToTabular().set_output(transform="pandas").fit_transform(X)
    model = make_pipeline(TabularToPanel(2), embedding, LogisticRegression())
    bag = BaggingClassifier(model, 3, random_state=0).fit(table, y)
    assert bag.predict_proba(table).shape == (20, 2)
    found = permutation_importance(model.fit(table, y), table, y, n_repeats=1, random_state=0)
    assert found.importances_mean.shape == (24,)
    table = table.assign(age=np.arange(20.0))
    step = make_pipeline(TabularToPanel(), embedding)
    columns = make_column_transformer((step, list(table)[:12]), ("passthrough", ["age"]))
    features = columns.fit_transform(table)
    np.testing.assert_allclose(features[:, :-1], embedding.fit_transform(X[:, 0]), atol=1e-6)


# --------------------------------------------------------------------------- errors


def test_bad_shapes_are_refused():
    step = PanelToTabular().fit(draw_panel())
    with pytest.raises(ValueError, match=r"series of 9 time points.* 5 at most\. Fit again"):
        step.transform(np.zeros((1, 3, 9)))
    with pytest.raises(ValueError, match="X has 2 channels"):
        step.transform(np.zeros((1, 2, 5)))
    with pytest.raises(ValueError, match="14 columns, expected 15: 3 channels of 5"):
        step.inverse_transform(np.zeros((2, 14)))
    with pytest.raises(ValueError, match="infinity"):
        step.inverse_transform(np.full((2, 15), np.inf))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_channels": 0}, "'n_channels' parameter .* must be an int in the range"),
        ({"n_channels": 1.5}, "'n_channels' parameter .* must be an int in the range"),
        ({"trim": "yes"}, "'trim' parameter .* must be an instance of 'bool'"),
        ({"n_channels": 4}, "X has 6 columns, which is not a multiple of n_channels=4"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    step = TabularToPanel(**parameters)
    with pytest.raises(ValueError, match=message):
        step.fit(pd.DataFrame(np.zeros((2, 6))))
    assert not hasattr(step, "n_features_in_")


def test_what_is_masked_or_null_in_a_table_is_missing():
    expected = np.array([[[1, 2], [np.nan, 4]], [[5, 6], [7, np.nan]]])
    table = expected.reshape(2, 4)
    masked = np.ma.masked_invalid(table)
    nulls = pd.DataFrame(table).astype(object).where(~np.isnan(table), pd.NA)
    for X in (masked, nulls):
        converter = TabularToPanel(2).fit(X)
        np.testing.assert_array_equal(converter.transform(X), expected)
    np.testing.assert_array_equal(PanelToTabular().fit_transform(masked.reshape(2, 2, 2)), table)
