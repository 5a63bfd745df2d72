"""Windows come from the series they should, and a step always gives the same ones."""

from __future__ import annotations

from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse._corpus import Corpus, WindowStream


@pytest.fixture
def corpus():
    rng = np.random.default_rng(0)
    return Corpus.from_series([rng.standard_normal(n).cumsum() for n in (40, 90, 17, 200)])


def write(path: Path, **changes) -> Path:
    arrays = {
        "values": np.arange(30, dtype=np.float16),
        "offsets": np.array([0, 10, 30]),
        "source": np.array([0, 3]),
    }
    kept = {k: v for k, v in {**arrays, **changes}.items() if v is not None}
    np.savez(path, **kept)
    return path


def test_series_are_standardised_and_keep_their_gaps():
    series = np.array([5.0, np.nan, 9.0, 7.0])
    corpus = Corpus.from_series([series, np.full(3, 4.0), np.full(2, np.nan)])
    known = corpus.values[:4][[0, 2, 3]]
    assert known.mean() == pytest.approx(0, abs=1e-6)
    assert known.std() == pytest.approx(1)
    assert np.isnan(corpus.values).nonzero()[0].tolist() == [1, 7, 8]
    assert corpus.values[4:7].tolist() == [0, 0, 0]
    assert corpus.lengths.tolist() == [4, 3, 2]


def test_a_corpus_without_a_known_value_is_refused():
    with pytest.raises(ValueError, match="1 series, none of which has a known value"):
        Corpus.from_series([np.full(9, np.nan)])


@given(
    lengths=st.lists(st.integers(1, 500), min_size=1, max_size=8),
    seed=st.integers(0, 99),
)
def test_chances_equal_their_twin(lengths, seed):
    source = np.random.default_rng(seed).integers(0, 3, len(lengths))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    corpus = Corpus(np.zeros(offsets[-1]), offsets, source)
    assert corpus.probabilities() == pytest.approx(naive.chances(lengths, source.tolist()))


def test_files_are_joined_end_to_end(tmp_path):
    paths = [write(tmp_path / "a.npz"), write(tmp_path / "b.npz")]
    corpus = Corpus.from_files(paths)
    assert corpus.offsets.tolist() == [0, 10, 30, 40, 60]
    assert corpus.source.tolist() == [0, 3, 0, 3]
    assert corpus.values[40:60].tolist() == list(range(10, 30))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": None}, "must hold the arrays"),
        ({"source": np.zeros(3, int)}, "offsets must rise"),
        ({"offsets": np.array([0, 10, 29])}, "offsets must rise"),
        ({"offsets": np.array([1, 10, 30])}, "offsets must rise"),
        ({"offsets": np.array([0, 0, 30])}, "offsets must rise"),
        ({"values": np.full(30, np.inf)}, "infinite values"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        Corpus.from_files([write(tmp_path / "broken.npz", **changes)])
    assert "broken.npz" in str(caught.value)


def test_windows_are_pieces_of_the_series(corpus):
    windows = corpus.draw(60, 16, np.random.default_rng(1))
    series = np.split(corpus.values, corpus.offsets[1:-1])
    possible = np.array([w for one in series for w in naive.possible_windows(one, 16)])
    distances = np.abs(windows[:, None] - possible).max(-1).min(1)
    assert distances.max() < 1e-5


def test_short_series_are_filled_up_with_nan():
    corpus = Corpus.from_series([np.array([1.0, 3.0, 2.0])])
    windows = corpus.draw(50, 8, np.random.default_rng(0))
    assert (np.isfinite(windows).sum(1) == 3).all()
    places = {int(np.isfinite(window).argmax()) for window in windows}
    assert places == set(range(6))


def test_a_split_loses_nothing(corpus):
    most, few = corpus.split(3)
    assert (len(most), len(few)) == (3, 1)
    assert few.values.tolist() == corpus.values[130:147].tolist()
    assert len(most.values) + len(few.values) == len(corpus.values)


def test_a_step_gives_the_same_windows_whenever_asked(corpus):
    first, second = (WindowStream(corpus, 16, 8, 0.25, True, 7) for _ in range(2))
    there = [first.batch(step) for step in range(6)]
    back = [second.batch(step) for step in reversed(range(6))][::-1]
    np.testing.assert_array_equal(there, back)


def test_seed_step_and_rank_all_matter(corpus):
    stream = WindowStream(corpus, 16, 8, 0.25, True, 7)
    other = WindowStream(corpus, 16, 8, 0.25, True, 8)
    batches = [stream.batch(0), stream.batch(1), stream.batch(0, rank=1), other.batch(0)]
    assert len({batch.tobytes() for batch in batches}) == 4


@pytest.mark.parametrize(("share", "n_synthetic"), [(0.0, 0), (0.25, 2), (1.0, 8)])
def test_synthetic_windows_come_in_their_share(corpus, share, n_synthetic):
    marked = Corpus(np.full_like(corpus.values, 77), corpus.offsets, corpus.source)
    batch = WindowStream(marked, 16, 8, share, False, 0).batch(0)
    assert batch.shape == (8, 16)
    assert batch.dtype == np.float32
    assert (~(batch == 77).all(1)).sum() == n_synthetic


def test_a_stream_needs_no_corpus():
    assert np.isfinite(WindowStream(None, 16, 8, 0.25, True, 0).batch(3)).all()


def test_augmentation_flips_half_and_keeps_gaps(corpus):
    plain = WindowStream(corpus, 16, 400, 0.0, False, 0).batch(0)
    changed = WindowStream(corpus, 16, 400, 0.0, True, 0).batch(0)
    same, flipped = ((changed == sign * plain).all(1).mean() for sign in (1, -1))
    assert 0.25 < same < 0.5
    assert 0.25 < flipped < 0.5
    assert not np.isfinite(changed[np.isnan(plain)]).any()


def test_the_global_generator_is_left_alone(corpus):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    WindowStream(corpus, 16, 8, 0.25, True, 0).batch(0)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.slow
def test_the_shared_corpus_is_read(shared_data):
    paths = sorted((shared_data / "pretrain").glob("*.npz"))
    corpus = Corpus.from_files(paths[:1])
    assert corpus.probabilities().sum() == pytest.approx(1)
    assert np.isfinite(corpus.draw(20, 528, np.random.default_rng(0))).any(1).all()
