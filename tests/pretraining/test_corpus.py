"""Windows come from the right series, and a step always has the same ones."""

from __future__ import annotations

from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.pretraining.corpus import Corpus, WindowStream
from sktspulse.pretraining.options import WindowSampling


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
def test_probabilities_equal_their_twin(lengths, seed):
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
        ({"offsets": np.zeros(0, int)}, "offsets must rise"),
        ({"offsets": np.array([0, 20, 10, 30]), "source": np.zeros(3, int)}, "offsets must rise"),
        ({"offsets": np.array([0.0, 10.0, 30.0])}, "offsets has type float64"),
        ({"source": np.array([0, -1])}, "source has -1, but data sets are numbered from 0"),
        ({"source": np.array([0, 0.5])}, "source has type float64"),
        ({"values": np.zeros((3, 10))}, r"shape \(3, 10\), expected one axis"),
        ({"values": np.array(["a"] * 30)}, "values has type <U1"),
        ({"values": np.full(30, np.inf)}, "infinite values"),
        ({"values": np.full(30, -1e39)}, "single precision cannot hold"),
        ({"values": np.full(30, np.nan)}, "no known value"),
    ],
    ids=str,
)
def test_a_broken_file_is_refused_by_name(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        Corpus.from_files([write(tmp_path / "broken.npz", **changes)])
    assert "broken.npz" in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-200],
        lambda content: content[:30],
        lambda content: b"",
        lambda content: b"hello" * 99,
        lambda content: content.replace(b"\0<", b"\0="),
        lambda content: content.replace(b"values.npy", b"Values.npy"),
    ],
    ids=["short", "start", "empty", "text", "bit", "name"],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, damage):
    path = write(tmp_path / "broken.npz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"broken.npz cannot be .* corpus.*again with numpy.savez"):
        Corpus.from_files([path])


def test_what_is_no_file_is_refused_by_name(tmp_path):
    with pytest.raises(
        ValueError, match=r"test_what.* cannot be loaded as a corpus. It is not a f"
    ):
        Corpus.from_files([tmp_path])
    np.save(tmp_path / "array.npy", np.zeros(9))
    with pytest.raises(ValueError, match=r"array.npy cannot be loaded as a corpus"):
        Corpus.from_files([tmp_path / "array.npy"])
    with pytest.raises(FileNotFoundError, match=r"absent.npz"):
        Corpus.from_files([tmp_path / "absent.npz"])


def test_numbers_of_data_sets_may_be_large(tmp_path):
    numbers = {"source": np.array([5, 2**62])}
    few = Corpus.from_files([write(tmp_path / "a.npz")]).probabilities()
    many = Corpus.from_files([write(tmp_path / "b.npz", **numbers)]).probabilities()
    assert many.tolist() == few.tolist()


POSITIONS = np.linspace(0, 1, 60, endpoint=False)
WHOLE = (1, 2, 4, 8)


def stream(corpus, *, seed=7, batch_size=8, fraction=0.25, augment=True, **settings):
    sampling = WindowSampling(synthetic_fraction=fraction, resolutions=WHOLE, augment=augment)
    return WindowStream(corpus, 16, batch_size, sampling, seed, **settings)


def test_windows_are_pieces_of_the_series(corpus):
    windows = corpus.draw(POSITIONS, 16, WHOLE, np.random.default_rng(1))
    series = np.split(corpus.values, corpus.offsets[1:-1])
    possible = np.array([w for one in series for w in naive.possible_windows(one, 16)])
    distances = np.abs(windows[:, None] - possible).max(-1).min(1)
    assert distances.max() < 1e-5


def test_short_series_are_padded_with_nan():
    corpus = Corpus.from_series([np.array([1.0, 3.0, 2.0])])
    windows = corpus.draw(POSITIONS, 8, WHOLE, np.random.default_rng(0))
    assert (np.isfinite(windows).sum(1) == 3).all()
    positions = {int(np.isfinite(window).argmax()) for window in windows}
    assert positions == set(range(6))


def test_a_resolution_below_one_upsamples():
    ramp = Corpus(np.arange(100.0), np.array([0, 100]), np.zeros(1, int))
    windows = ramp.draw(POSITIONS, 32, (0.25,), np.random.default_rng(0))
    steps = np.diff(windows, axis=1)
    assert steps == pytest.approx(np.full_like(steps, 7 / 31), abs=1e-5)
    assert set(windows[:, 0] % 1) == {0.0}


@given(part=st.floats(0, 1, exclude_max=True), chance=st.integers(0, 3))
def test_a_place_determines_the_series_and_the_position(part, chance):
    lengths = np.array([40, 60, 20, 80])
    offsets = np.concatenate([[0], lengths.cumsum()])
    values = np.arange(200.0) + 1000 * np.repeat(np.arange(4), lengths)
    corpus = Corpus(values, offsets, np.zeros(4, int))
    before, own = corpus.probabilities()[:chance].sum(), corpus.probabilities()[chance]
    position = np.array([min(before + part * own, np.nextafter(before + own, 0))])
    first = corpus.draw(position, 16, (1,), np.random.default_rng(0))[0, 0]
    series, at = divmod(first, 1000)
    assert abs(series - chance) < 1 or part in (0, 1)
    if series == chance:
        start = at - offsets[chance]
        assert start == pytest.approx(part * (lengths[chance] - 15), abs=1.001)


def test_an_epoch_draws_from_every_part_once_whoever_draws():
    ramp = Corpus(np.arange(4003.0), np.array([0, 4003]), np.zeros(1, int))
    for epoch in (0, 1):
        sampling = WindowSampling(synthetic_fraction=0.0, resolutions=(1,), augment=False)
        drawn = WindowStream(ramp, 4, 5, sampling, 0, steps_per_epoch=20, n_processes=2)
        steps = range(20 * epoch, 20 * (epoch + 1))
        firsts = np.concatenate([drawn.batch(s, rank)[:, 0] for s in steps for rank in (0, 1)])
        assert sorted(firsts // 20) == list(range(200))
        assert (np.diff(firsts) < 0).any()


def test_a_split_loses_nothing(corpus):
    most, few = corpus.split(3)
    assert (len(most), len(few)) == (3, 1)
    assert few.values.tolist() == corpus.values[130:147].tolist()
    assert len(most.values) + len(few.values) == len(corpus.values)


def test_a_step_gives_the_same_windows_whenever_asked(corpus):
    first, second = (stream(corpus, steps_per_epoch=3) for _ in range(2))
    there = [first.batch(step) for step in range(6)]
    back = [second.batch(step) for step in reversed(range(6))][::-1]
    np.testing.assert_array_equal(there, back)


def test_seed_step_and_rank_all_matter(corpus):
    ours, other = (stream(corpus, seed=seed, n_processes=2) for seed in (7, 8))
    batches = [ours.batch(0), ours.batch(1), ours.batch(0, rank=1), other.batch(0)]
    assert len({batch.tobytes() for batch in batches}) == 4


@pytest.mark.parametrize(("fraction", "n_synthetic"), [(0.0, 0), (0.25, 2), (1.0, 8)])
def test_synthetic_windows_make_up_their_fraction(corpus, fraction, n_synthetic):
    marked = Corpus(np.full_like(corpus.values, 77), corpus.offsets, corpus.source)
    batch = stream(marked, fraction=fraction, augment=False).batch(0)
    assert batch.shape == (8, 16)
    assert batch.dtype == np.float32
    assert (~(batch == 77).all(1)).sum() == n_synthetic


def test_a_stream_needs_no_corpus():
    assert np.isfinite(stream(None).batch(3)).all()


def test_augmentation_flips_half_and_keeps_gaps(corpus):
    plain, changed = (
        stream(corpus, batch_size=400, fraction=0.0, augment=augment).batch(0)
        for augment in (False, True)
    )
    same, flipped = ((changed == sign * plain).all(1).mean() for sign in (1, -1))
    assert 0.25 < same < 0.5
    assert 0.25 < flipped < 0.5
    assert not np.isfinite(changed[np.isnan(plain)]).any()


def test_the_global_generator_is_left_alone(corpus):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    stream(corpus).batch(0)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.slow
def test_the_shared_corpus_is_read(shared_data):
    paths = sorted((shared_data / "pretrain").glob("*.npz"))
    corpus = Corpus.from_files(paths[:1])
    assert corpus.probabilities().sum() == pytest.approx(1)
    assert np.isfinite(corpus.draw(POSITIONS, 528, WHOLE, np.random.default_rng(0))).any(1).all()
