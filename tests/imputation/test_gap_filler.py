"""Gaps of every kind are filled well, and unrelated values have no influence."""

from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pandas as pd
import pytest
import torch
from imputation.imputer_cases import NETWORK, fill, recording, same_bits
from sklearn.base import clone

from sktspulse import TSPulseImputer
from sktspulse.imputation.candidates import CandidateReader
from sktspulse.imputation.gap_filler import GapFiller
from sktspulse.pretraining.fine_tuning import FineTuner

# --- The filler by itself


def reader() -> CandidateReader:
    """Candidates from a network that answers 0 and 1."""

    def reconstruct(windows):
        return np.tile(np.array([[[0.0], [1.0]]]), (len(windows), 1, windows.shape[1]))

    return CandidateReader(reconstruct, context_length=64, patch_length=8, stride=16)


def panel_with_gaps():
    return recording(200, 3).T[None].repeat(2, axis=0)


def test_a_fitted_filler_is_complete_and_does_not_change():
    panel, before = panel_with_gaps(), panel_with_gaps()
    filler = GapFiller.fit([panel], reader(), np.random.default_rng(0))
    assert all(getattr(filler, field.name) is not None for field in fields(filler))
    with pytest.raises(FrozenInstanceError):
        filler.loc = 0
    filled, std = filler.fill(panel, reader(), return_std=True)
    np.testing.assert_array_equal(panel, before)
    np.testing.assert_array_equal(filled[~np.isnan(panel)], panel[~np.isnan(panel)])
    np.testing.assert_array_equal(std > 0, np.isnan(panel))
    again, zeros = filler.fill(panel, reader())
    np.testing.assert_array_equal(again, filled)
    assert (zeros == 0).all()


def test_the_time_head_alone_fills_with_its_reconstruction():
    panel = panel_with_gaps()
    filler = GapFiller.from_time_head([panel])
    assert filler.correction is filler.uncertainty is None
    filled, _ = filler.fill(panel, reader())
    loc = np.broadcast_to(np.nanmean(panel, axis=(0, 2))[:, None], panel.shape)
    missing = np.isnan(panel)
    np.testing.assert_allclose(filled[missing], loc[missing], atol=1e-12)


def test_blocks_do_not_matter(monkeypatch):
    panel = panel_with_gaps()
    filler = GapFiller.fit([panel], reader(), np.random.default_rng(0))
    expected, _ = filler.fill(panel, reader())
    monkeypatch.setattr("sktspulse.imputation.candidates._BLOCK_POINTS", 1)
    np.testing.assert_allclose(filler.fill(panel, reader())[0], expected, rtol=1e-9)


def test_one_channel_has_no_correction_and_is_float32_if_it_was():
    panel = panel_with_gaps()[:, :1].astype(np.float32)
    filler = GapFiller.fit([panel], reader(), np.random.default_rng(0))
    assert filler.correction is None
    filled, std = filler.fill(panel, reader(), return_std=True)
    assert filled.dtype == std.dtype == np.float32


# --- Special gaps


def test_far_inside_a_gap_of_a_walk_there_is_a_line():
    X = np.cumsum(np.random.default_rng(2).normal(size=(2400, 1)), axis=0)
    X[600:1800] = np.nan
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X)
    assert imputer.periods_.tolist() == [0]
    filled = imputer.transform(X)
    inside = np.arange(1120, 1280)
    line = np.interp(inside, [599, 1800], X[[599, 1800], 0])
    np.testing.assert_allclose(filled[inside, 0], line, atol=1e-9)


def test_a_gap_longer_than_a_window_continues_the_period_and_joins():
    t, rng = np.arange(2400), np.random.default_rng(0)
    wave = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(4 * np.pi * t / 24 + 1)
    X = (wave + 0.1 * rng.normal(size=2400))[:, None]
    gap = slice(900, 1500)
    filled = fill(np.where((t >= 900) & (t < 1500), np.nan, X[:, 0])[:, None])
    line = np.interp(t, [899, 1500], X[[899, 1500], 0])
    error, by_line = ((one[gap] - X[gap, 0]).std() for one in (filled[:, 0], line))
    assert error < 0.4 * by_line
    steps = np.abs(np.diff(filled[:, 0]))
    assert max(steps[899], steps[1499]) < 2 * np.quantile(np.abs(np.diff(X[:, 0])), 0.9)


def test_a_channel_that_is_long_absent_follows_the_others():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=2000))
    X = np.stack([walk, -walk, walk], axis=1) + 0.1 * rng.normal(size=(2000, 3))
    gappy = X.copy()
    gappy[700:1400, 1] = np.nan
    filled = fill(gappy)
    short = np.diff(filled[700:1400, 1]), np.diff(X[700:1400, 1])
    assert np.corrcoef(*short)[0, 1] > 0.8


def test_ninety_percent_missing():
    t, rng = np.arange(1500), np.random.default_rng(0)
    X = np.stack([np.sin(t / 20), np.cos(t / 20)], axis=1) + 0.05 * rng.normal(size=(1500, 2))
    missing = rng.random(X.shape) < 0.9
    filled = fill(np.where(missing, np.nan, X))
    lines = [np.interp(t, t[~gap], x[~gap]) for x, gap in zip(X.T, missing.T, strict=True)]
    errors = [((one - X)[missing] ** 2).mean() for one in (filled, np.stack(lines, axis=1))]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("gap", [slice(0, 60), slice(-60, None)])
def test_ends_are_filled_with_no_wild_values(gap):
    X = recording(300, 1)
    X[gap] = np.nan
    filled = fill(X)
    assert np.isfinite(filled).all()
    assert np.abs(filled).max() < 3


def test_a_channel_without_values_takes_the_mean_of_fit():
    X = recording()
    imputer = TSPulseImputer(**NETWORK).fit(X)
    absent = X.copy()
    absent[:, 1] = np.nan
    assert (imputer.transform(absent)[:, 1] == imputer.statistics_[1]).all()
    assert imputer.statistics_[1] == pytest.approx(np.nanmean(X[:, 1]))
    assert (fill(absent)[:, 1] == 0).all()


def test_a_constant_channel_stays_constant():
    X = recording()
    X[:, 1] = np.where(np.isnan(X[:, 1]), np.nan, 0.1)
    assert (fill(X)[:, 1] == 0.1).all()


def test_few_known_values_make_lines():
    X = np.full((40, 1), np.nan)
    X[[5, 15, 30], 0] = [0.0, 10.0, -5.0]
    expected = np.interp(np.arange(40), [5, 15, 30], [0.0, 10.0, -5.0])
    np.testing.assert_allclose(fill(X, **NETWORK)[:, 0], expected, atol=1e-9)


# --- Standard deviations


def test_standard_deviations_cover_nine_errors_in_ten():
    rng = np.random.default_rng(0)
    walks = np.cumsum(rng.normal(size=(6000, 3)), axis=0) @ [[1, 1, 0], [0, 1, 0], [0, 0, 1.0]]
    X = walks + rng.normal(size=walks.shape)
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X[:4500])
    gappy = X[4500:].copy()
    gappy[rng.random(gappy.shape) < 0.2] = np.nan
    gappy[500:530, 1] = np.nan
    filled, std = imputer.transform(gappy, return_std=True)
    missing = np.isnan(gappy)
    np.testing.assert_array_equal(std > 0, missing)
    np.testing.assert_array_equal(filled, imputer.transform(gappy))
    inside = (np.abs(filled - X[4500:]) < 1.645 * std)[missing]
    assert 0.85 < inside.mean() < 0.95
    assert std[510:520, 1].min() > np.median(std[:500, 1][missing[:500, 1]])


def test_deviations_come_in_the_container_and_unit_of_the_input():
    X = recording(100)
    imputer = TSPulseImputer(random_state=0, batch_size=8)
    frame = pd.DataFrame(X, columns=["a", "b"])
    filled, std = imputer.fit(frame).transform(frame, return_std=True)
    assert std.columns.tolist() == filled.columns.tolist() == ["a", "b"]
    _, in_thousandths = imputer.fit(1000 * X).transform(1000 * X, return_std=True)
    np.testing.assert_allclose(in_thousandths, 1000 * std, rtol=0.05)
    panel = [X.T, X[:50].T]
    deviations = imputer.fit(panel).transform(panel, return_std=True)[1]
    assert [one.shape for one in deviations] == [(2, 100), (2, 50)]


def test_the_network_alone_has_no_standard_deviations():
    X = recording(60)
    with pytest.raises(ValueError, match="fitted with blend=True"):
        TSPulseImputer(**NETWORK).fit(X).transform(X, return_std=True)


# --- What has an influence and what has not


@pytest.mark.parametrize("blend", [True, False])
def test_units_do_not_matter(blend):
    X = recording()
    expected = fill(X, blend=blend) + 2
    for unit in (1e-8, 3.0, 1e8):
        found = fill(unit * (X + 2), blend=blend)
        np.testing.assert_allclose(found, unit * expected, atol=2e-3 * unit)


def test_the_network_alone_takes_channels_one_by_one():
    X, other = recording(), recording()
    other[:, 1] *= 100
    imputer = TSPulseImputer(**NETWORK).fit(X)
    together = imputer.transform(X)[:, :1]
    np.testing.assert_allclose(imputer.transform(other)[:, :1], together, rtol=1e-6)
    alone = TSPulseImputer(**NETWORK).fit_transform(X[:, :1])
    np.testing.assert_allclose(together, alone, rtol=1e-6)


@pytest.mark.parametrize("tie", [1.0, 0.0])
def test_channels_help_where_they_are_tied(tie):
    rng = np.random.default_rng(0)
    walks = np.cumsum(rng.normal(size=(1000, 3)), axis=0)
    X = tie * walks[:, :1] * [1.0, -3.0, 0.5] + (1.002 - tie) * walks
    missing = rng.random(X.shape) < 0.3
    X_missing = np.where(missing, np.nan, X)
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X_missing)
    together = imputer.transform(X_missing)
    imputer._gap_filler = replace(imputer._gap_filler, regression=None, correction=None)
    alone = imputer.transform(X_missing)
    errors = [(((filled - X) / X.std(0))[missing] ** 2).mean() for filled in (together, alone)]
    assert errors[0] < (0.5 if tie else 1.03) * errors[1]


def test_a_wild_channel_moves_others_little():
    X = recording()
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X)
    wild = X * [1, 1e6]
    moved = (imputer.transform(wild) - imputer.transform(X))[:, 0]
    assert np.abs(moved).max() < 1.5 * np.nanstd(X[:, 0])


def test_neighbours_in_a_panel_do_not_matter():
    panel = recording(400, 11).T[:, None]
    imputer = TSPulseImputer(random_state=0, batch_size=4).fit(panel)
    together = imputer.transform(panel)
    for row in (0, 5, 10):
        alone = imputer.transform(panel[row : row + 1])[0]
        np.testing.assert_allclose(alone, together[row], rtol=1e-5, atol=1e-6)


def test_the_seed_alone_decides():
    X, before = recording(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert same_bits(fill(X), fill(X))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert not np.array_equal(fill(X), fill(X, random_state=1))


# --- Fine-tuned


@pytest.fixture
def arguments(monkeypatch):
    """Replace training by a small change of all weights, and record its arguments."""
    arguments = {}

    def tune(self, network, series, report=None):
        arguments.update(tuner=self, series=series)
        tuned = deepcopy(network)
        for number, weight in enumerate(tuned.parameters()):
            weight.mul_(1 + 1e-3 * (number % 3))
        return tuned

    monkeypatch.setattr(FineTuner, "fine_tune", tune)
    return arguments


def test_a_tuned_network_is_kept_and_used(arguments):
    X = recording(700)
    tuned = TSPulseImputer(fine_tune=True, random_state=0, **NETWORK).fit(X)
    plain = TSPulseImputer(**NETWORK).fit(X)
    np.testing.assert_array_equal(np.stack(arguments["series"], axis=1), X)
    observed = arguments["tuner"].mask((200, 1, 512), torch.Generator().manual_seed(0))
    assert 0.6 < observed.double().mean() < 0.85
    assert tuned.fingerprint_ != plain.fingerprint_
    assert plain.network_ is None
    filled = tuned.transform(X)
    assert not np.array_equal(filled, plain.transform(X))
    assert same_bits(pickle.loads(pickle.dumps(tuned)).transform(X), filled)
    assert clone(tuned).fit(X).fingerprint_ == tuned.fingerprint_
    assert tuned.set_params(fine_tune=False).fit(X).fingerprint_ == plain.fingerprint_
