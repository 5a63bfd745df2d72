"""Rules for arrays of floats, in whatever they came."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.series import checks


def test_channels_get_an_axis():
    flat, was_flat = checks.split_array(np.zeros((3, 7)), "...")
    whole, was_not = checks.split_array(np.zeros((3, 2, 7)), "...")
    assert (flat.shape, was_flat, whole.shape, was_not) == ((3, 1, 7), True, (3, 2, 7), False)


@pytest.mark.parametrize("shape", [(7,), (2, 0), (1, 1, 1, 1)])
def test_other_shapes_are_no_panels(shape):
    with pytest.raises(ValueError, match=r"has shape .* advice is a panel"):
        checks.split_array(np.zeros(shape), "advice")


def test_series_of_one_shape_and_type_are_stacked():
    series = [np.zeros((2, 5)), np.ones((2, 5))]
    assert checks.stacked(series).shape == (2, 2, 5)
    assert isinstance(checks.stacked([series[0], series[1][:, :3]]), list)
    assert isinstance(checks.stacked([series[0], series[1].astype(np.float32)]), list)


def test_missing_ends_are_removed_down_to_the_shortest_length():
    panel = np.arange(24.0).reshape(2, 2, 6)
    panel[0, :, 4:] = np.nan
    panel[1] = np.nan
    assert [one.shape[1] for one in checks.trim_ends(panel, 3)] == [4, 3]
    assert checks.trim_ends(panel[:, :, :4], 4) is not None


def test_rules_say_what_came_and_what_to_do():
    with pytest.raises(ValueError, match=r"channels, but all need the same number"):
        checks.check_same_channels([np.zeros((1, 5)), np.zeros((2, 5))])
    with pytest.raises(ValueError, match="X has 3 channels, but Model was fitted with 2"):
        checks.check_n_channels("Model", 3, 2)
    with pytest.raises(ValueError, match=r"of length 4 \(n_features = 4\), but Model needs"):
        checks.check_length("Model", 4, 8, is_flat=True)
    with pytest.raises(ValueError, match=r"has shape \(4,\).*Turn it"):
        checks.check_series_axes(np.zeros(4), "Turn it.")
    with pytest.raises(ValueError, match=r"X has 4 time points .* at least 8"):
        checks.check_series_length("Model", np.zeros((4, 1)), 8)
    with pytest.raises(ValueError, match="infinity"):
        checks.check_no_infinity([np.zeros(3), np.array([1, np.inf])])


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.zeros((1, 1, 5)), True),
        (np.zeros((5, 1)), False),
        ([np.zeros((1, 5))], True),
        ([np.zeros(5)], False),
        ([], False),
    ],
)
def test_some_input_can_only_be_a_panel(X, expected):
    assert checks.is_panel(X) is expected
