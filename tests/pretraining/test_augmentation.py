"""Two views are of one span, rolled at times, and noise keeps to its bounds."""

from __future__ import annotations

import pytest
import torch

from sktspulse.pretraining.augmentation import noisy, two_views


def spans(n_spans=200, n_timepoints=48):
    """Make ramps, in which a value says where it is from."""
    return torch.arange(float(n_timepoints)) + 1000 * torch.arange(float(n_spans))[:, None]


def views(length=32, n_ahead=4, seed=0):
    return two_views(spans(), length, n_ahead, torch.Generator().manual_seed(seed))


def test_partners_come_from_the_same_span():
    of = torch.div(views()[:, :32], 1000, rounding_mode="floor")
    assert (of == of[:, :1]).all()
    assert of[:200, 0].tolist() == of[200:, 0].tolist() == list(range(200))


def test_a_view_is_a_window_or_a_rolled_one():
    windows, ahead = views().split([32, 4], 1)
    rolled = ahead.isnan().all(1)
    assert not ahead[~rolled].isnan().any()
    whole = torch.cat([windows, ahead], 1)[~rolled]
    assert (whole.diff(dim=1) == 1).all()
    assert (windows[rolled].sort(1).values.diff(dim=1) == 1).all()
    assert (windows[rolled].diff(dim=1) != 1).sum(1).tolist() == [1] * int(rolled.sum())
    assert 0.15 < rolled.float().mean() < 0.35


def test_views_lie_anywhere_in_the_span():
    assert set((views()[:, 0] % 1000).tolist()) >= set(range(13))


def test_a_span_as_long_as_a_view_has_only_one_place():
    windows = two_views(spans(9, 36), 32, 4, torch.Generator().manual_seed(0))
    kept = windows[~windows[:, -1].isnan()]
    assert (kept[:, 0] % 1000 == 0).all()


def test_noise_has_the_size_of_the_window_and_spares_most():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((2000, 1, 256), generator=generator) * 7 + 100
    known = torch.rand(x.shape, generator=generator) < 0.8
    shown = noisy(x * known, known, generator)
    size = (shown - x * known).std(-1) / 7
    assert (size > 0).float().mean() == pytest.approx(0.4, abs=0.05)
    assert size.max() < 0.7
    assert size[size > 0].mean() == pytest.approx(0.3, abs=0.03)


def test_a_constant_window_stays_constant():
    x = torch.full((50, 1, 64), 3.0)
    shown = noisy(x, torch.ones_like(x, dtype=torch.bool), torch.Generator().manual_seed(0))
    assert shown.equal(x)
