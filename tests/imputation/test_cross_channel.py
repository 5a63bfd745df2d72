"""What other channels suggest is followed as far as it helps at hidden points, and no further."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.imputation.blending import Blend
from sktspulse.imputation.cross_channel import Correction
from sktspulse.imputation.trial import Trial, error_variances


def trial(panel, error=0.5, share=0.2, seed=0):
    rng = np.random.default_rng(seed)
    wanted = rng.random(panel.shape) < share
    filled = np.where(wanted, panel + error * rng.normal(size=panel.shape), panel)
    cells = np.where(wanted, rng.integers(0, 3, panel.shape), 0).astype(np.int8)
    return Trial(panel, filled, wanted, cells, np.arange(len(panel)) % 4)


def panel(tie, n_series=20, seed=0):
    rng = np.random.default_rng(seed)
    walks = rng.normal(size=(n_series, 3, 200)).cumsum(-1) / 10
    rows = tie * walks[:, :1] + (1 - tie) * walks
    return rows / rows.std()


def test_error_variances_are_means_drawn_towards_the_channel():
    one = trial(panel(0.0))
    variances = error_variances(one)
    for channel in range(3):
        hidden = one.wanted[:, channel]
        squares = (one.filled - one.truth)[:, channel][hidden] ** 2
        for cell in range(3):
            inside = squares[one.cells[:, channel][hidden] == cell]
            expected = (inside.sum() + 20 * squares.mean()) / (len(inside) + 20)
            assert variances[channel, cell] == pytest.approx(expected)
        assert variances[channel, 50] == pytest.approx(squares.mean())
    assert (variances[:, Blend.n_cells] == 1).all()


def test_points_that_are_missing_in_the_data_teach_nothing():
    rows, gappy = panel(0.9), panel(0.9)
    one = trial(rows)
    gappy[:, :, ::7] = np.nan
    other = one._replace(truth=gappy)
    assert not other.hidden[:, :, ::7].any()
    assert np.isfinite(error_variances(other)).all()


@pytest.mark.parametrize(("tie", "low", "high"), [(0.98, 0.8, 1.0), (0.0, 0.0, 1.0)])
def test_trust_is_what_helps(tie, low, high):
    rows, others = panel(tie), panel(tie, seed=5)
    correction, _ = Correction.learn([rows], trial(rows))
    assert low <= correction.trust[:, :3].mean() <= high
    new = trial(others, seed=7)
    corrected = correction(new)
    before, after = ((given - others)[new.wanted].std() for given in (new.filled, corrected))
    assert after < (0.5 if tie else 1.0) * before
    np.testing.assert_array_equal(corrected[~new.wanted], others[~new.wanted])


def test_suggestions_that_mislead_are_not_followed():
    rng = np.random.default_rng(0)
    rows = panel(0.98)
    # What is hidden has nothing to do with what the other channels did elsewhere.
    odd = rows * rng.choice([-1, 1], size=(20, 3, 1))
    correction, _ = Correction.learn([rows], trial(odd, error=0.05))
    new = trial(odd, error=0.05, seed=7)
    moved = (correction(new) - new.filled)[new.wanted].std()
    assert moved < 0.4 * 0.05
    before, after = ((given - odd)[new.wanted].std() for given in (new.filled, correction(new)))
    assert after < before


def test_no_value_is_moved_far():
    rows = panel(0.98)
    correction, _ = Correction.learn([rows], trial(rows))
    wild = trial(rows)
    wild.filled[:, 1] *= 1e6
    moved = correction(wild) - wild.filled
    sd = np.sqrt(correction.noise[np.arange(3)[:, None], wild.cells])
    assert (np.abs(moved) <= 4 * sd + 1e-6 * np.abs(wild.filled)).all()
