"""A batch depends on its step alone, and hides as much as it should."""

from __future__ import annotations

import pickle

import torch

from sktspulse.pretraining.batches import StepSampler, loader_settings


def test_a_batch_has_what_network_and_losses_need(batches):
    inputs, truth = batches()[5]
    assert {name: tuple(part.shape) for name, part in truth.items()} == {
        "x": (32, 1, 64),
        "observed": (32, 1, 64),
        "known": (32, 1, 64),
        "future": (32, 1, 4),
    }
    assert inputs["observed"] is truth["observed"]
    assert truth["x"].isfinite().all()


def test_some_windows_are_shown_with_noise_and_none_if_not_augmented(batches):
    inputs, truth = batches()[0]
    changed = (inputs["x"] != truth["x"]).any(-1)[:, 0]
    assert 1 <= changed.sum() < 24
    size = (inputs["x"] - truth["x"]).std(-1) / truth["x"].std(-1).clamp(min=1e-6)
    assert size.max() < 0.9
    inputs, truth = batches(augment=False)[0]
    assert inputs["x"].equal(truth["x"])


def test_two_crops_are_taken_of_a_longer_window(batches):
    _, truth = batches(length=84, n_windows=16)[0]
    assert tuple(truth["x"].shape) == (32, 1, 64)
    assert not truth["observed"][:16].equal(truth["observed"][16:])


def test_what_is_unknown_is_neither_shown_nor_known(batches):
    _, truth = batches(n_timepoints=40)[0]
    assert not truth["known"].all()
    assert not (truth["observed"] & ~truth["known"]).any()
    assert (truth["x"][~truth["known"]] == 0).all()


def test_the_mask_fraction_stays_in_its_range_and_varies(batches):
    _, truth = batches(mask_fraction=(0.2, 0.6), n_timepoints=4000)[0]
    truth = {name: part[truth["known"].all(-1)[:, 0]] for name, part in truth.items()}
    hidden = (~truth["observed"]).float().mean(-1)
    assert 0.2 - 1 / 64 <= hidden.min() < 0.3
    assert 0.5 < hidden.max() <= 0.6


def test_a_batch_depends_on_step_and_rank_alone(batches):
    before = torch.random.get_rng_state()
    first, again, later, beside = batches()[1], batches()[1], batches()[2], batches(rank=1)[1]
    for name, part in first[1].items():
        torch.testing.assert_close(part, again[1][name], rtol=0, atol=0, equal_nan=True)
        assert not part.equal(later[1][name]) or name == "known"
        assert not part.equal(beside[1][name]) or name == "known"
    assert torch.random.get_rng_state().equal(before)


def test_steps_continue_from_epoch_to_epoch():
    steps = StepSampler(7, 3)
    assert len(steps) == 3
    assert list(steps) == [7, 8, 9]
    iter(steps)  # made, but not used
    assert list(steps) == [10, 11, 12]


def test_background_workers_can_unpickle_the_batches(batches):
    ours, theirs = batches(), pickle.loads(pickle.dumps(batches()))
    assert theirs[3][0]["observed"].equal(ours[3][0]["observed"])


def test_loading_does_not_use_the_global_generator(batches):
    settings = {
        name.removeprefix("iterator_train__"): value
        for name, value in loader_settings(4, 2, 0).items()
        if name.startswith("iterator_train__")
    }
    before = torch.random.get_rng_state()
    loaded = list(torch.utils.data.DataLoader(batches(), **settings))
    assert torch.random.get_rng_state().equal(before)
    assert [part[0]["x"].tolist() for part in loaded] == [
        batches()[step][0]["x"].tolist() for step in (4, 5)
    ]
