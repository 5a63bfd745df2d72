"""Windows of series, and the averages of their embeddings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.embedding import EmbeddingSpec, context_windows, count_windows, embed_panel
from sktspulse.embedding import embed as embed_module
from sktspulse.embedding.embed import part_widths
from sktspulse.network import TSPulse, TSPulseConfig, load_checkpoint, standardize
from sktspulse.series import downsample, resample

NETWORK = load_checkpoint("tspulse-p8")
REGISTERS = slice(-10, None)
WINDOWINGS = ["resample", "sliding"]
TINY = TSPulse(
    TSPulseConfig(context_length=64, d_model=8, n_layers=1, n_registers=2, n_signature_bins=0)
).eval()


def draw_panel(n_series=4, n_channels=2, n_timepoints=100, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


def embed(panel, windowing, network=NETWORK, parts=("semantic",), average=False):
    spec = EmbeddingSpec(parts, windowing, average)
    return embed_panel(network, panel, spec, batch_size=32)


def embed_window(window, part=REGISTERS):
    """Embed one window of 512 values by the network itself."""
    known = window[~np.isnan(window)]
    z = torch.from_numpy((window - known.mean()) / known.std()).float()[None, None]
    decoded = NETWORK.decode(NETWORK.encode(z.nan_to_num(), ~z.isnan()))
    return decoded.tokens[part, 0, 0].flatten().numpy()


def assert_close(answer, expected, tolerance=1e-5):
    size = np.abs(expected).max()
    np.testing.assert_allclose(answer, expected, rtol=0, atol=tolerance * size)


# --------------------------------------------------------------------------- windows


@pytest.mark.parametrize("n_timepoints", [2, 63, 64, 200])
def test_resampling_gives_one_window(n_timepoints):
    x = draw_panel(1, 3, n_timepoints)[0]
    (windows,) = context_windows(x, 64, "resample")
    expected = resample(downsample(x, 64), 64)
    np.testing.assert_array_equal(windows, standardize(expected).values[None])


@pytest.mark.parametrize("n_timepoints", [8, 63, 64, 65, 96, 200])
def test_sliding_windows_overlap_by_half_and_end_with_the_series(n_timepoints):
    x = draw_panel(1, 3, n_timepoints)[0]
    scaled = standardize(x).values
    padded = np.hstack([np.full((3, max(0, 64 - n_timepoints)), np.nan), scaled])
    last = padded.shape[1] - 64
    expected = [padded[:, start : start + 64] for start in [*range(0, last, 32), last]]
    (windows,) = context_windows(x, 64, "sliding")
    np.testing.assert_array_equal(windows, expected)


def test_windows_of_long_series_come_in_blocks(monkeypatch):
    x = draw_panel(1, 2, 1000)[0]
    (expected,) = context_windows(x, 64, "sliding")
    monkeypatch.setattr(embed_module, "_BLOCK_ROWS", 7)
    blocks = list(context_windows(x, 64, "sliding"))
    assert max(map(len, blocks)) == 3
    np.testing.assert_array_equal(np.concatenate(blocks), expected)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=4), st.sampled_from(WINDOWINGS))
def test_windows_are_counted(lengths, windowing):
    panel = [np.zeros((2, n)) for n in lengths]
    windows = [window for x in panel for window in context_windows(x, 64, windowing)]
    assert count_windows(panel, 64, windowing) == 2 * sum(map(len, windows))


# --------------------------------------------------------------------------- embeddings


@pytest.mark.parametrize(
    ("parts", "tokens"),
    [
        (("time",), slice(64)),
        (("frequency",), slice(64, 128)),
        (("semantic",), slice(128, None)),
        (("time", "frequency", "semantic"), slice(None)),
    ],
)
def test_parts_are_the_tokens_after_the_decoder(parts, tokens):
    X = draw_panel(1, 1, 512)
    answer = embed(X, "resample", parts=parts)
    assert answer.dtype == np.float32
    assert_close(answer[0, 0], embed_window(X[0, 0], tokens))
    assert answer.size == sum(part_widths(NETWORK.config)[part] for part in parts)


def test_a_network_may_lack_a_part():
    config = TSPulseConfig(dual_space=False, frequency_head=False)
    assert part_widths(config) == {"time": 1536, "frequency": 0, "semantic": 240}


@pytest.mark.parametrize("n_timepoints", [100, 512, 513, 768, 1000])
@pytest.mark.parametrize("windowing", WINDOWINGS)
def test_the_embeddings_of_windows_are_averaged(windowing, n_timepoints):
    X = draw_panel(2, 2, n_timepoints)
    answer = embed(X, windowing)
    assert answer.shape == (2, 2, 240)
    for i, channel in np.ndindex(2, 2):
        (windows,) = context_windows(X[i], 512, windowing)
        expected = np.mean([embed_window(window) for window in windows[:, channel]], axis=0)
        assert_close(answer[i, channel], expected)


def test_a_quiet_part_of_a_series_looks_flat():
    quiet, loud = draw_panel(1, 1, 1024)[0], draw_panel(1, 1, 1024, seed=1)[0]
    x, flat = (np.hstack([factor * quiet, loud - loud.mean()]) for factor in (1e-9, 0))
    assert_close(embed([x], "sliding"), embed([flat], "sliding"), tolerance=1e-3)
    assert (
        np.abs(embed([x], "resample") - embed([np.hstack([quiet, loud])], "resample")).max() > 0.1
    )


@pytest.mark.parametrize("windowing", WINDOWINGS)
def test_channels_are_averaged(windowing):
    X = [draw_panel(1, 3, n)[0] for n in (30, 64, 200)]
    apart, averaged = (embed(X, windowing, TINY, average=average) for average in (False, True))
    assert averaged.shape == (3, 1, 16)
    assert_close(averaged[:, 0], apart.mean(1))


# --------------------------------------------------------------------------- blocks


def test_blocks_do_not_matter(monkeypatch):
    X = [draw_panel(1, 2, n)[0] for n in (30, 500, 60, 400)]
    expected = embed(X, "sliding", TINY)
    monkeypatch.setattr(embed_module, "_BLOCK_ROWS", 7)
    assert_close(embed(X, "sliding", TINY), expected)


def test_the_network_gets_blocks_of_bounded_size(monkeypatch):
    sizes = []

    def count(network, rows, read, **settings):
        sizes.append(len(rows))
        return np.zeros((len(rows), 240), np.float32)

    monkeypatch.setattr(embed_module, "infer", count)
    embed(draw_panel(3000, 1, 20), "resample")
    embed(draw_panel(1, 3, 512 * 1000), "sliding")
    assert sum(sizes) == 3000 + 3 * 1999
    assert max(sizes) < 2048


@pytest.mark.parametrize("windowing", WINDOWINGS)
def test_a_constant_in_single_precision_is_constant_beside_double_precision(windowing):
    x = np.full((1, 100), 0.1, np.float32)
    x[0, ::7] += np.spacing(np.float32(0.1))
    panel = [x, draw_panel(1, 1, 100)[0], x]
    alone = embed([x], windowing, TINY)[0]
    assert_close(embed(panel, windowing, TINY)[[0, 2]], np.stack([alone, alone]))


@pytest.mark.parametrize("windowing", WINDOWINGS)
def test_progress_counts_all_windows(windowing):
    class Bar:
        n = 0

        def update(self, n):
            self.n += n

    bar, panel = Bar(), draw_panel(3, 2, 200)
    embed_panel(TINY, panel, EmbeddingSpec(("time",), windowing), 5, bar)
    assert bar.n == count_windows(panel, 64, windowing)
