"""The tasks of the demonstration."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.cli import demonstration


def test_lines_and_errors_of_the_baseline():
    recording = np.array([[0.0], [np.nan], [2.0], [4.0]])
    truth = np.array([[0.0], [2.0], [2.0], [4.0]])
    filled = demonstration.interpolate(recording)
    assert filled.ravel().tolist() == [0, 1, 2, 4]
    assert demonstration.rmse(filled, truth, recording) == pytest.approx(1 / truth.std())


def test_a_fraction_of_the_points_is_hidden():
    masked = demonstration.mask_points(np.zeros((800, 1)), 0.25)
    assert 0.15 < np.isnan(masked).mean() < 0.25


@pytest.mark.slow
def test_every_task_draws_a_figure(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    figures = demonstration.demonstrate(tmp_path / "figures")
    assert all(path.stat().st_size > 10_000 for path in figures)
    assert len(figures) == len(demonstration.TASKS)
    assert capsys.readouterr().out.count("linear interpolation") == 2
