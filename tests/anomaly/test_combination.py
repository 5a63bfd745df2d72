"""Heads are combined as the rule says."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest

from sktspulse.anomaly.combination import HeadCombiner

HEADS = ("time", "level", "channels", "states")


@pytest.mark.parametrize(
    "heads", [HEADS[:1], HEADS[:2], HEADS, HEADS[1:3], HEADS[2:], ("states", "time", "level")]
)
def test_the_automatic_rule_equals_a_loop(heads):
    fitted, scores = np.random.default_rng(0).exponential(3, size=(2, len(heads), 200))
    combine = HeadCombiner.fit("auto", heads, fitted)
    expected = naive_anomaly.combine(-scores.T, -fitted.T, heads)
    np.testing.assert_allclose(-combine(scores), expected)


@pytest.mark.parametrize(("rule", "function"), [("mean", np.mean), ("max", np.max)])
def test_other_rules_are_functions_of_the_scores(rule, function):
    fitted, scores = np.random.default_rng(0).exponential(3, size=(2, len(HEADS), 200))
    combine = HeadCombiner.fit(rule, HEADS, fitted)
    np.testing.assert_allclose(combine(scores), function(scores, axis=0))


@pytest.mark.parametrize("rule", ["auto", "max", "mean"])
@pytest.mark.parametrize("heads", [HEADS, HEADS[:1], HEADS[:2]])
def test_the_input_is_unchanged(rule, heads):
    scores = np.random.default_rng(0).exponential(3, size=(len(heads), 50))
    before = scores.copy()
    HeadCombiner.fit(rule, heads, scores)(scores)
    np.testing.assert_array_equal(scores, before)
