"""``sktspulse embed``."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_cases import checkpoint

from sktspulse import TSPulseTransformer, panel_from_long

pd = pytest.importorskip("pandas")


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ([], {}),
        (["--embedding", "time", "--average"], {"embedding": "time", "channels": "mean"}),
        (["--sliding"], {"windowing": "sliding"}),
    ],
)
def test_embeddings_have_the_ids_of_their_series(tiny, gestures, options, parameters):
    names = ("--id", "case", "--time", "t", "--columns", "x,y")
    answer = tiny("embed", gestures, "-o", "a.csv", *names, *options)
    assert answer.code == 0, answer.err
    found = pd.read_csv("a.csv", dtype={"case": str})
    X, ids, _ = panel_from_long(pd.read_csv(gestures, dtype={"case": str}), "case", "t", ["x", "y"])
    assert found["case"].tolist() == ids.tolist()
    expected = TSPulseTransformer(checkpoint=checkpoint(), **parameters).fit_transform(X)
    np.testing.assert_allclose(found.drop(columns="case"), expected, atol=1e-4)
    assert found.columns[1] == "e0"


def test_json(tiny, gestures):
    names = ("--id", "case", "--time", "t", "--columns", "x", "--json")
    facts = tiny("embed", gestures, "-o", "a.csv", *names).facts
    assert facts["n_series"] == 20
    assert facts["n_features"] == pd.read_csv("a.csv").shape[1] - 1
