"""Candidates come from windows around a gap, from other periods and from known neighbours."""

from __future__ import annotations

import naive
import numpy as np
import pytest

from sktspulse.imputation.candidates import CandidateReader

CONTEXT, PATCH = 16, 4


class Fake:
    """Answer from the window alone, and remember the windows."""

    def __init__(self) -> None:
        self.windows = []

    def __call__(self, windows: np.ndarray) -> np.ndarray:
        self.windows.append(windows)
        filled = np.nan_to_num(windows)
        answers = np.stack([np.cumsum(filled, -1), 2 * filled[:, ::-1] - 1], 1)
        answers[(~np.isnan(windows)).sum(1) < PATCH] = np.nan
        return answers


def gappy(n_rows: int, length: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, length))
    rows[rng.random(rows.shape) < 0.3] = np.nan
    rows[:, 0] = 0.5
    return rows


def read(rows: np.ndarray, stride: int = 5, period: int = 0):
    fake = Fake()
    return fake, CandidateReader(fake, CONTEXT, PATCH, stride).read(rows, np.isnan(rows), period)


@pytest.mark.parametrize(
    ("length", "stride", "period"), [(8, 5, 0), (16, 5, 3), (17, 16, 0), (60, 5, 7), (61, 1, 0)]
)
def test_candidates_are_those_of_a_window_by_window_twin(length, stride, period):
    rows = gappy(3, length)
    _, candidates = read(rows, stride, period)
    expected = []
    for row in range(3):
        values, known = rows[row], ~np.isnan(rows[row])
        places, padding = np.flatnonzero(known), max(0, CONTEXT - length)
        heads = naive.stitch_reconstructions(Fake(), values, CONTEXT, PATCH, stride)[padding:]
        heads = np.array(heads)
        cycle = (
            np.array([naive.seasonal(values, t, period, 4) for t in range(length)])
            if period
            else np.full(length, np.nan)
        )

        def anchored(answer, t, values=values, places=places):
            before, after = places[places < t].max(), places[places > t].min(initial=length)
            after = before if after == length else after
            share = (t - before) / max(after - before, 1)
            left, right = (values[end] - answer[end] for end in (before, after))
            return answer[t] + left + (right - left) * min(share, 1)

        for t in np.flatnonzero(~known):
            line = naive.fill_linear(values, known, t)
            cycles = [cycle[t], anchored(cycle, t)]
            cycles[1] = cycles[0] if np.isnan(cycles[1]) else cycles[1]
            beyond = line if np.isnan(anchored(cycle, t)) else cycles[1]
            both = [beyond if np.isnan(head) else head for head in heads[t]]
            level = anchored(heads.mean(1), t)
            level = np.mean(both) if np.isnan(level) else level
            expected.append([*both, level, *cycles, naive.fill_cubic(values, known, t), line])
    assert candidates.row.tolist() == np.nonzero(np.isnan(rows))[0].tolist()
    assert candidates.time.tolist() == np.nonzero(np.isnan(rows))[1].tolist()
    np.testing.assert_allclose(candidates.values, expected, rtol=1e-5, atol=1e-5)


def test_windows_without_gaps_are_not_run():
    rows = np.random.default_rng(0).normal(size=(2, 160))
    rows[1, 83] = np.nan
    fake, _ = read(rows, stride=16)
    (windows,) = fake.windows
    assert len(windows) == 1
    np.testing.assert_array_equal(windows[0], rows[1, 80:96].astype(np.float32))


def test_series_without_a_known_value_are_left_out():
    rows = np.full((3, 40), np.nan)
    rows[1] = gappy(1, 40)
    _, candidates = read(rows)
    assert set(candidates.row) == {1}
    fake, candidates = read(rows[:1])
    assert not fake.windows
    assert candidates.values.shape == (0, 7)


def test_windows_with_few_known_points_are_filled_with_lines():
    rows = np.full((1, 40), np.nan)
    rows[0, [3, 20, 37]] = [0, 1, 5]
    _, candidates = read(rows)
    lines = np.interp(candidates.time, [3, 20, 37], [0, 1, 5])
    np.testing.assert_allclose(candidates.values[:, [0, 1, 2, 6]], np.tile(lines[:, None], 4))


def test_a_wide_gap_has_no_cubic():
    rows = np.random.default_rng(0).normal(size=(1, 60))
    rows[0, 10:30] = np.nan
    rows[0, 40:45] = np.nan
    _, candidates = read(rows)
    same = candidates.values[:, 5] == candidates.values[:, 6]
    assert same[candidates.time < 30].all()
    assert not same[candidates.time > 30].any()


def test_rows_do_not_depend_on_each_other():
    rows = gappy(4, 50)
    _, together = read(rows)
    for row in range(4):
        _, alone = read(rows[row : row + 1])
        np.testing.assert_array_equal(together.values[together.row == row], alone.values)


@pytest.mark.parametrize("shape", [(1, 10), (200_000, 8), (3, 5_000_000)])
def test_blocks_cover_every_row_once(shape):
    blocks = CandidateReader(Fake(), CONTEXT, PATCH, 5).blocks(*shape)
    rows = [row for block in blocks for row in range(shape[0])[block]]
    assert rows == list(range(shape[0]))
    widest = max(shape[1], CONTEXT)
    assert all(len(range(shape[0])[b]) * widest <= max(1 << 20, widest) for b in blocks)
