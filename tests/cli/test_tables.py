"""Tables in files: what is written comes back, and nothing is lost."""

from __future__ import annotations

import stat
from importlib.util import find_spec

import numpy as np
import pytest

from sktspulse.cli import tables
from sktspulse.cli.tables import check_new, read_chunks, read_table, shortened, write_table

pd = pytest.importorskip("pandas")
ENDINGS = ["csv", "tsv", "csv.gz", "parquet", "feather", "arrow", "npz"]
HAS_ARROW = find_spec("pyarrow") or find_spec("polars")


@pytest.fixture
def table():
    return pd.DataFrame({"id": ["a", "b"], "x": [0.1, np.nan], "n": [1, 2]})


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read(tmp_path, table, ending):
    if ending in ("parquet", "feather", "arrow") and not HAS_ARROW:
        pytest.skip("needs pyarrow or polars")
    path = tmp_path / f"table.{ending}"
    write_table(table, path)
    again = read_table(path)
    assert [*again.columns] == ["id", "x", "n"]
    assert again["id"].astype(str).tolist() == ["a", "b"]
    np.testing.assert_array_equal(again[["x", "n"]].to_numpy(float), table[["x", "n"]].to_numpy())
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(not HAS_ARROW, reason="needs pyarrow or polars")
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_time_stamps_in_parquet_keep_their_zone(tmp_path, zone):
    stamps = pd.date_range("2024-10-27", periods=5, freq="h", tz=zone)
    write_table(pd.DataFrame({"t": stamps}), tmp_path / "a.parquet")
    again = read_table(tmp_path / "a.parquet")["t"]
    assert (pd.DatetimeIndex(again) == stamps).all()
    assert str(again.dt.tz) == str(zone)


def test_parquet_without_a_library_for_it_says_what_to_install(tmp_path, table, monkeypatch):
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        write_table(table, tmp_path / "a.parquet")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(("ending", "method"), [("parquet", "parquet"), ("arrow", "feather")])
def test_pyarrow_is_used_if_it_is_there(tmp_path, table, monkeypatch, ending, method):
    path, kept = tmp_path / f"a.{ending}", {}
    monkeypatch.setattr(tables, "find_spec", lambda name: name == "pyarrow")
    monkeypatch.setattr(type(table), f"to_{method}", lambda self, path: kept.update(table=self))
    monkeypatch.setattr(pd, f"read_{method}", lambda path: kept["table"])
    write_table(table, path)
    assert read_table(path) is not None
    kept["table"] = table.set_index("id")
    assert [*read_table(path).columns] == ["id", "x", "n"]
    kept["table"] = table.set_axis([5, 6])
    assert [*read_table(path).columns] == ["id", "x", "n"]


def test_without_pandas_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[cli\]'"):
        tables.load_pandas()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path, separator):
    path = tmp_path / "a.csv"
    path.write_text(f"\ufeffa{separator}b\n1,5{separator} 2\n", encoding="utf-8")
    if separator == ",":
        path.write_text("a,b\n1.5, 2\n")
    table = read_table(path, decimal="." if separator == "," else ",")
    assert table.to_numpy().tolist() == [[1.5, 2]]
    assert [*table.columns] == ["a", "b"]


def test_text_stays_as_it_is_written(tmp_path):
    (tmp_path / "a.csv").write_text("id,x\n007,1\n,2\n")
    column = read_table(tmp_path / "a.csv", ["id", "absent"])["id"]
    assert column[0] == "007"
    assert column.isna().tolist() == [False, True]


def test_numbers_come_back_to_the_last_digit(tmp_path):
    values = np.random.default_rng(0).normal(size=1000)
    pd.DataFrame({"x": values}).to_csv(tmp_path / "a.csv", index=False)
    assert read_table(tmp_path / "a.csv")["x"].tolist() == values.tolist()


def test_pieces_are_the_table(tmp_path):
    pd.DataFrame({"x": range(10)}).to_csv(tmp_path / "a.csv", index=False)
    pieces = [len(piece) for piece in read_chunks(tmp_path / "a.csv", [], ".", n_rows=4)]
    assert pieces == [4, 4, 2]


def test_archives_of_one_array_are_recordings(tmp_path):
    np.savez(tmp_path / "a.npz", np.eye(3))
    assert [*read_table(tmp_path / "a.npz").columns] == ["ch0", "ch1", "ch2"]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": np.zeros(2), "b": np.zeros((2, 2))}, r"holds the arrays a \(2,\), b \(2, 2\)"),
        ({"a": np.array([None])}, "Object arrays cannot be loaded"),
    ],
)
def test_other_archives_are_refused(tmp_path, arrays, said):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=said):
        read_table(tmp_path / "a.npz")


def test_an_array_alone_is_no_archive(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(2))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="holds no named arrays"):
        read_table(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", "x", "ending of .* is none of"),
        ("a", "x", "ending of .* is none of"),
        ("a.parquet.gz", "x", "ending of .* is none of"),
        ("a.csv", "", "is empty or has no header"),
        ("a.csv", "a,b\n", "has no rows"),
        ("a.ts", "@data", "holds a panel of series"),
    ],
)
def test_files_that_are_no_tables(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match=said):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"temp\xe9rature\n1\n", "is not text in UTF-8"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "Expected 2 fields in line 3, saw 3"),
        ("a.npz", b"PK", "cannot be read"),
        ("a.parquet", b"PAR1", "cannot be read"),
    ],
)
def test_damaged_files_are_named(tmp_path, name, content, said):
    if name.endswith("parquet") and not HAS_ARROW:
        pytest.skip("needs pyarrow or polars")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} .*{said}"):
        read_table(tmp_path / name)
    if name == "a.csv":
        with pytest.raises(ValueError, match=rf"{name} .*{said}"):
            list(read_chunks(tmp_path / name, [], "."))


def test_outputs_have_formats(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be written as \.ts"):
        check_new(tmp_path / "a.ts", force=False)
    with pytest.raises(ValueError, match="ending of"):
        check_new(tmp_path / "a.xyz", force=False)
    check_new(tmp_path / "a.safetensors", force=False, ending=".safetensors")
    with pytest.raises(ValueError, match=r"a\.csv: choose a name that ends in \.html"):
        check_new(tmp_path / "a.csv", force=False, ending=".html")


def test_files_are_overwritten_by_force_only(tmp_path):
    path = tmp_path / "a.csv"
    check_new(path, force=False)
    check_new(None, force=False)
    path.touch()
    with pytest.raises(ValueError, match="Pass --force"):
        check_new(path, force=False)
    check_new(path, force=True)
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        check_new(tmp_path / "b.csv", force=True)
    with pytest.raises(ValueError, match="There is no folder"):
        check_new(tmp_path / "absent" / "a.csv", force=True)


def test_a_failed_write_leaves_the_old_file(tmp_path, table, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("old")
    monkeypatch.setattr(type(table), "to_csv", lambda *args, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_table(table, path)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_written_files_have_usual_permissions(tmp_path, table):
    (tmp_path / "usual").touch()
    write_table(table, tmp_path / "a.csv")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_computed_numbers_have_six_digits():
    assert shortened([1.23456789, -123456789.1, 0, np.inf]).tolist() == [
        1.23457,
        -123457000,
        0,
        np.inf,
    ]
    assert np.isnan(shortened(np.nan))
