"""Series as kernels and quantiles read them: without units, gaps and excess length."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.supervised.probe.shapes import blocks_of_a_length, standard_shapes


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).cumsum(-1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_timepoints", [2, 60, 1024])
def test_known_series_are_standardised_and_nothing_else(dtype, n_timepoints):
    series = draw(3, n_timepoints).astype(dtype)
    (found,) = standard_shapes([series])
    expected = (series - series.mean(1, keepdims=True)) / series.std(1, keepdims=True)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0), (1e200, 0), (3, 1e4)])
def test_unit_and_level_do_not_matter(factor, shift):
    panel = draw(4, 2, 50)
    panel[0, 0, 10:20] = np.nan
    np.testing.assert_allclose(
        standard_shapes(factor * panel + shift), standard_shapes(panel), rtol=1e-5, atol=1e-6
    )


def test_gaps_are_lines_between_known_points_and_constants_beyond():
    series = draw(1, 30)
    series[0, [0, 1, 7, 12, 13, 14, 29]] = np.nan
    known = np.flatnonzero(~np.isnan(series[0]))
    values = series[0, known]
    expected = np.interp(np.arange(30), known, (values - values.mean()) / values.std())
    np.testing.assert_allclose(standard_shapes([series])[0][0], expected, atol=1e-5)


def test_constant_and_unknown_channels_are_0_beside_a_gap():
    series = draw(3, 30)
    series[0, 4], series[1], series[2] = np.nan, 7.0, np.nan
    (found,) = standard_shapes([series])
    assert found[0].std() > 0.5
    assert not found[1:].any()


def test_long_series_are_averaged_in_blocks():
    series = draw(2, 3072)
    series[0, :9] = series[0, 9]  # so that a gap of one block makes no difference
    expected = standard_shapes([series])[0]
    z = (series - series.mean(1, keepdims=True)) / series.std(1, keepdims=True)
    np.testing.assert_allclose(expected, z.reshape(2, 1024, 3).mean(2), atol=1e-5)


def test_the_panel_is_left_alone():
    panel = draw(2, 2, 1500)
    panel[0, 0, :3] = np.nan
    before = panel.copy()
    standard_shapes(panel)
    np.testing.assert_array_equal(panel, before)


@pytest.mark.parametrize("max_values", [0, 1, 25, 10**6])
def test_blocks_hold_each_series_once_of_one_length_and_few_enough(max_values):
    lengths = np.random.default_rng(0).choice([2, 7, 20], 30)
    blocks = list(blocks_of_a_length([np.zeros((3, n)) for n in lengths], max_values))
    assert sorted(np.concatenate(blocks)) == list(range(30))
    for block in blocks:
        assert len(block) > 0
        assert len(set(lengths[block])) == 1
        assert len(block) == 1 or lengths[block].sum() <= max_values


def test_enough_room_gives_one_block_for_each_length():
    panel = [np.zeros((1, n)) for n in (5, 3, 5, 3, 3)]
    blocks = [block.tolist() for block in blocks_of_a_length(panel, 100)]
    assert blocks == [[1, 3, 4], [0, 2]]
