"""Crops of a pair come from one span, noise has its bounds, blends and flips their rates."""

from __future__ import annotations

import pytest
import torch

from sktspulse.pretraining.augmentation import add_noise, blend_and_flip, crop_pairs


def spans(n_spans=200, n_timepoints=48):
    """Make ramps: each value encodes its span and time point."""
    return torch.arange(float(n_timepoints)) + 1000 * torch.arange(float(n_spans))[:, None]


def crops(length=32, forecast_length=4, seed=0):
    return crop_pairs(spans(), length, forecast_length, torch.Generator().manual_seed(seed))


def test_partners_come_from_the_same_span():
    of = torch.div(crops()[:, :32], 1000, rounding_mode="floor")
    assert (of == of[:, :1]).all()
    assert of[:200, 0].tolist() == of[200:, 0].tolist() == list(range(200))


def test_a_crop_is_a_window_or_a_rolled_window():
    windows, ahead = crops().split([32, 4], 1)
    rolled = ahead.isnan().all(1)
    assert not ahead[~rolled].isnan().any()
    whole = torch.cat([windows, ahead], 1)[~rolled]
    assert (whole.diff(dim=1) == 1).all()
    assert (windows[rolled].sort(1).values.diff(dim=1) == 1).all()
    assert (windows[rolled].diff(dim=1) != 1).sum(1).tolist() == [1] * int(rolled.sum())
    assert 0.15 < rolled.float().mean() < 0.35


def test_crops_lie_anywhere_in_the_span():
    assert set((crops()[:, 0] % 1000).tolist()) >= set(range(13))


def test_a_span_as_long_as_a_crop_has_one_position():
    windows = crop_pairs(spans(9, 36), 32, 4, torch.Generator().manual_seed(0))
    kept = windows[~windows[:, -1].isnan()]
    assert (kept[:, 0] % 1000 == 0).all()


def test_noise_has_the_size_of_the_window_and_spares_most():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((2000, 1, 256), generator=generator) * 7 + 100
    known = torch.rand(x.shape, generator=generator) < 0.8
    shown = add_noise(x * known, known, generator)
    size = (shown - x * known).std(-1) / 7
    assert (size > 0).float().mean() == pytest.approx(0.4, abs=0.05)
    assert size.max() < 0.7
    assert size[size > 0].mean() == pytest.approx(0.3, abs=0.03)


def test_a_constant_window_stays_constant():
    x = torch.full((50, 1, 64), 3.0)
    shown = add_noise(x, torch.ones_like(x, dtype=torch.bool), torch.Generator().manual_seed(0))
    assert shown.equal(x)


def test_blends_and_flips_equal_their_twin():
    generator = torch.Generator().manual_seed(0)
    windows, partners = torch.randn((2, 50, 8), generator=generator)
    partners[3, 2] = torch.nan
    uniform = torch.rand((3, 50, 1), generator=generator, dtype=torch.float64)
    found = blend_and_flip(windows, partners, uniform)
    for i, (blend, part, flip) in enumerate(uniform[:, :, 0].T.tolist()):
        weight = 0.5 + part / 2 if blend < 0.2 else 1
        expected = windows[i] if weight == 1 else weight * windows[i] + (1 - weight) * partners[i]
        expected = -expected if flip < 0.5 else expected
        torch.testing.assert_close(found[i], expected, equal_nan=True)


def test_a_gap_of_the_partner_does_not_spread_to_a_window_that_is_not_blended():
    uniform = torch.tensor([0.9, 0.5, 0.9]).view(3, 1, 1)
    windows = torch.ones(1, 4)
    assert blend_and_flip(windows, torch.full((1, 4), torch.nan), uniform).equal(windows)
