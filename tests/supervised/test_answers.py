"""Labels, probabilities and targets from outputs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from sktspulse.supervised import answers

OUTPUTS = np.array([[-800.0, 0.5, 3], [2, 900, -1], [0, 0, 0]])


def test_log_odds_become_probabilities_without_overflow():
    decisions = answers.class_decisions(OUTPUTS[:, :1])
    expected = np.column_stack([expit(-decisions), expit(decisions)])
    np.testing.assert_allclose(answers.class_probabilities(decisions), expected, atol=1e-15)
    np.testing.assert_array_equal(answers.class_codes(decisions), [0, 1, 0])


def test_logits_become_probabilities():
    decisions = answers.class_decisions(OUTPUTS)
    expected = softmax(OUTPUTS, axis=1)
    np.testing.assert_allclose(answers.class_probabilities(decisions), expected, atol=1e-15)
    np.testing.assert_array_equal(answers.class_codes(decisions), [2, 1, 0])


@pytest.mark.parametrize("is_flat", [True, False])
def test_targets_get_their_units_back_and_stay_finite(is_flat):
    outputs, exponents = np.array([[0.5], [-1e300]]), np.array([20])
    found = answers.in_target_units(outputs, exponents, is_flat)
    assert found.shape == ((2,) if is_flat else (2, 1))
    np.testing.assert_array_equal(found.ravel()[0], 2.0**19)
    assert np.isfinite(found).all()
