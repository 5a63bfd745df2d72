"""``n_jobs`` of the estimators: more threads, the same answers."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_cases import CASES
from joblib import parallel_config

from sktspulse import TSPulseClassifier

pytestmark = pytest.mark.usefixtures("few_trees")
NAMES = [name for name, case in CASES.items() if "n_jobs" in case.estimator.get_params()]


@pytest.mark.parametrize("name", NAMES)
def test_answers_do_not_depend_on_n_jobs(name):
    case = CASES[name]
    X = case.data()
    alone = case.fit(X, n_jobs=1)
    expected = case.answer(alone, X)
    for model in (case.fit(X, n_jobs=2), alone.set_params(n_jobs=3)):
        found = case.answer(model, X)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.nanmax(abs(expected)))


def test_the_context_of_joblib_counts_while_fit_runs():
    case = CASES["classifier"]
    X = case.data()
    expected = case.answer(case.fit(X), X)
    with parallel_config(n_jobs=2):
        found = case.answer(case.fit(X), X)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("n_jobs", [1.5, "all"])
def test_other_than_integers_are_refused(n_jobs):
    with pytest.raises(ValueError, match="n_jobs"):
        TSPulseClassifier(n_jobs=n_jobs).fit(np.zeros((4, 1, 16)), [0, 1, 0, 1])
