"""An estimator is fitted as a whole or left as it was."""

from __future__ import annotations

import pytest
from sklearn.base import BaseEstimator

from sktspulse.series.fitting import fitted_copy


def fail_to_fit(estimator, error):
    with fitted_copy(estimator) as fitted:
        fitted.mean_, fitted.scale_ = 2, 3
        raise error


@pytest.mark.parametrize("error", [ValueError, MemoryError, KeyboardInterrupt, SystemExit])
def test_an_estimator_takes_over_a_fitted_copy_unless_fitting_fails(error):
    estimator = BaseEstimator()
    with fitted_copy(estimator) as fitted:
        fitted.mean_ = 1
        assert not hasattr(estimator, "mean_")
    before = vars(estimator).copy()
    assert before["mean_"] == 1
    with pytest.raises(error):
        fail_to_fit(estimator, error)
    assert vars(estimator) == before
