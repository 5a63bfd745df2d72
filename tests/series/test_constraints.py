from __future__ import annotations

import inspect
from numbers import Integral

import pytest
from sklearn.utils._param_validation import Interval

from sktspulse.series import validated


@validated(n=[Interval(Integral, 1, None, closed="left")])
def double(n: int, unconstrained: object = None) -> int:
    """Twice a number."""
    return 2 * n


@pytest.mark.parametrize("n", [0, 1.5, None, "3"])
def test_values_outside_the_constraints_raise(n):
    with pytest.raises(ValueError, match=r"'n' parameter of double must be an int in the range"):
        double(n=n)


def test_valid_calls_pass_through():
    assert double(3, unconstrained="anything") == 6
    assert double.__doc__ == "Twice a number."
    assert list(inspect.signature(double).parameters) == ["n", "unconstrained"]
