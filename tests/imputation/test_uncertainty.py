"""Deviations are as large as errors are, and larger where there is more reason to doubt."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.imputation.blending import Blend
from sktspulse.imputation.trial import Trial
from sktspulse.imputation.uncertainty import Doubt, Uncertainty


def errors(kind="normal", n=200, seed=0):
    """Windows whose errors grow with the kind of gap and with one of the hints."""
    rng = np.random.default_rng(seed)
    shape = (n, 2, 64)
    cells = rng.choice([0, 9, 25, 49], shape).astype(np.int8)
    hint = rng.choice([0.0, 4.0], shape)
    deviation = np.sqrt((1 + cells / 20) * 0.1 + hint)
    draw = rng.normal(size=shape) if kind == "normal" else rng.standard_t(3, shape)
    wanted = rng.random(shape) < 0.5
    truth = rng.normal(size=shape)
    filled = truth + wanted * deviation * draw
    trial = Trial(truth, filled, wanted, cells, np.zeros(n, bool))
    return trial, Doubt(hint.astype(np.float32), np.zeros(shape)), deviation


@pytest.mark.parametrize("kind", ["normal", "wild"])
def test_nine_in_ten_are_covered_at_every_distance(kind):
    trial, doubt, _ = errors(kind)
    uncertainty = Uncertainty.learn(trial, doubt)
    new, doubt, _ = errors(kind, seed=1)
    deviation = np.sqrt(uncertainty(new.cells, doubt))
    inside = np.abs(new.filled - new.truth) < 1.645 * deviation
    for cell in (0, 9, 25, 49):
        assert inside[new.wanted & (new.cells == cell)].mean() == pytest.approx(0.9, abs=0.02)


def test_deviations_follow_the_hint():
    trial, doubt, _ = errors()
    uncertainty = Uncertainty.learn(trial, doubt)
    new, doubt, truth = errors(seed=1)
    deviation = np.sqrt(uncertainty(new.cells, doubt))
    doubted = doubt.heads > 0
    assert np.median(deviation[doubted] / truth[doubted]) == pytest.approx(1, abs=0.2)
    assert np.corrcoef(np.log(deviation.ravel()), np.log(truth.ravel()))[0, 1] > 0.9


def test_a_hint_of_nothing_has_no_weight_and_none_is_negative():
    trial, doubt, _ = errors()
    rng = np.random.default_rng(2)
    useless = Doubt(rng.normal(size=trial.truth.shape).astype(np.float32) ** 2, -doubt.heads)
    weights = Uncertainty.learn(trial, useless).weights
    assert (weights >= 0).all()
    assert (weights[:, 0] > 0.5).all()


def test_nothing_hidden_leaves_the_unit():
    trial, doubt, _ = errors(n=3)
    trial = trial._replace(wanted=np.zeros_like(trial.wanted))
    uncertainty = Uncertainty.learn(trial, doubt)
    assert (uncertainty.usual == 1).all()
    assert uncertainty.usual.shape == (2, Blend.n_cells + 1)
    assert (uncertainty(trial.cells, doubt) == 1).all()


def test_perfect_answers_are_certain():
    trial, doubt, _ = errors(n=20)
    trial = trial._replace(filled=trial.truth)
    deviation = Uncertainty.learn(trial, doubt)(trial.cells, doubt)
    assert np.isfinite(deviation).all()
    assert (deviation[trial.wanted] < 1e-6).all()
