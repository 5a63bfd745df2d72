"""Transformers return the container that was chosen, with the labels of the series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn import clone, config_context
from sklearn.base import BaseEstimator, TransformerMixin

from sktspulse import PanelToTabular, TabularToPanel
from sktspulse.series import OutputMixin

LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


class Transformer(OutputMixin, TransformerMixin, BaseEstimator):
    """Return the answer that it holds."""

    def __init__(self, answer):
        self.answer = answer

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self._to_output(self.answer, X)

    def get_feature_names_out(self, input_features=None):
        return np.array(["u", "v"], dtype=object)


TABLE = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_global", [False, True])
def test_tables_become_frames(library, is_global):
    transformer = Transformer(TABLE)
    if is_global:
        with config_context(transform_output=library):
            answer = transformer.fit_transform(None)
            default = transformer.set_output(transform="default").transform(None)
        assert default is TABLE
    else:
        answer = clone(transformer.set_output(transform=library)).fit_transform(None)
    assert isinstance(answer, LIBRARIES[library])
    assert list(answer.columns) == ["u", "v"]
    np.testing.assert_array_equal(answer.to_numpy(), TABLE)


@pytest.mark.parametrize("answer", [np.zeros((2, 2, 2)), [np.zeros((2, 3))]])
def test_panels_stay_as_they_are(answer):
    assert Transformer(answer).set_output(transform="pandas").transform(None) is answer


@pytest.mark.parametrize("library", LIBRARIES)
def test_sparse_answers_are_refused(library):
    transformer = Transformer(csr_matrix(TABLE)).set_output(transform=library)
    with pytest.raises(ValueError, match=f"Transformer cannot .*{library}.*transform='default'"):
        transformer.transform(None)
    assert transformer.set_output(transform="default").transform(None).shape == (3, 2)


def test_an_unknown_library_is_refused_and_none_changes_nothing():
    transformer = Transformer(TABLE).set_output(transform="polars").set_output()
    assert isinstance(transformer.transform(None), pl.DataFrame)
    with pytest.raises(ValueError, match="transform is 'spark', expected"):
        transformer.set_output(transform="spark")


CASES = pd.MultiIndex.from_product([["b", "a", "c"], range(5)], names=["case", "time"])


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (pd.DataFrame(np.zeros((3, 9)), index=list("xyz")), ["x", "y", "z"]),
        (pd.DataFrame(np.zeros((15, 2)), index=CASES), ["b", "a", "c"]),
        (pd.Series([np.zeros(9)] * 3, index=list("xyz")), ["x", "y", "z"]),
        ([pd.DataFrame(np.zeros((9, 2)))] * 3, [0, 1, 2]),
        (pl.DataFrame(np.zeros((3, 9))), [0, 1, 2]),
        (np.zeros((3, 2, 9)), [0, 1, 2]),
    ],
)
def test_rows_have_the_labels_of_the_series(X, expected):
    answer = Transformer(TABLE).set_output(transform="pandas").fit_transform(X)
    assert answer.index.tolist() == expected


@pytest.mark.parametrize("library", LIBRARIES)
def test_converters_work_under_a_global_choice(library):
    X = np.random.default_rng(0).normal(size=(4, 2, 9))
    with config_context(transform_output=library):
        table = PanelToTabular().fit_transform(X)
        assert isinstance(table, LIBRARIES[library])
        converter = TabularToPanel(2).fit(table)
        np.testing.assert_array_equal(converter.transform(table), X)
        np.testing.assert_array_equal(converter.inverse_transform(X), table.to_numpy())
