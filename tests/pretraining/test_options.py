"""Options are checked, cloned and set as parameters of scikit-learn are."""

from __future__ import annotations

import re

import pytest
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

from sktspulse import OptimizerOptions, TSPulsePretrainer, WindowSampling
from sktspulse.pretraining.options import checked_options


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (WindowSampling, {"mask_fraction": 0.5}, "must be an instance of 'tuple' or"),
        (WindowSampling, {"mask_fraction": (0.5, 0.2)}, "must be two numbers in [0, 1], the lower"),
        (WindowSampling, {"block_fraction": (0.5, 2)}, "must be two numbers in [0, 1]"),
        (WindowSampling, {"block_fraction": (0.5,)}, "must be two numbers in [0, 1]"),
        (WindowSampling, {"block_fraction": ("0", "1")}, "must be two numbers in [0, 1]"),
        (WindowSampling, {"resolutions": ()}, "whole numbers above 0 and fractions"),
        (WindowSampling, {"resolutions": (1, 1.5)}, "Got (1, 1.5) instead."),
        (WindowSampling, {"resolutions": (0,)}, "whole numbers above 0"),
        (WindowSampling, {"synthetic_fraction": 1.1}, "must be a float in the range [0.0, 1.0]"),
        (WindowSampling, {"augment": "yes"}, "must be"),
        (OptimizerOptions, {"decay_fraction": 1.5}, "must be a float in the range [0.0, 1.0]"),
        (OptimizerOptions, {"warmup_steps": 2.5}, "must be an int in the range [0, inf)"),
        (OptimizerOptions, {"weight_decay": -1}, "must be a float in the range [0.0, inf)"),
        (OptimizerOptions, {"ema_decay": 2}, "must be a float in the range [0.0, 1.0]"),
    ],
)
def test_bad_values_are_refused_by_name(kind, changes, message):
    name = next(iter(changes))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        checked_options(kind(**changes), kind)
    assert f"The {name!r} parameter of {kind.__name__}" in str(caught.value)


def test_none_is_the_defaults():
    options = checked_options(None, WindowSampling)
    assert options.get_params() == WindowSampling().get_params()


def test_whole_numbers_may_be_floats():
    checked_options(
        WindowSampling(resolutions=[0.25, 1.0, 2], mask_fraction=[0, 1]), WindowSampling
    )


def test_nested_parameters_are_reached_and_clones_are_independent():
    grid = ParameterGrid({"windows__mask_fraction": [(0.1, 0.2)], "optimizer__ema_decay": [0.5]})
    first = TSPulsePretrainer(windows=WindowSampling(), optimizer=OptimizerOptions())
    second = clone(first).set_params(**grid[0])
    assert second.windows.mask_fraction == (0.1, 0.2)
    assert second.get_params()["optimizer__ema_decay"] == 0.5
    assert first.windows.mask_fraction == (0.05, 0.6)
    assert first.optimizer.ema_decay == 0.999
