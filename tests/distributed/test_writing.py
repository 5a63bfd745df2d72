"""A stopped job goes on where it was, and a failed partition stops no other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sktspulse.distributed import write_partitions

dd = pytest.importorskip("dask.dataframe")


@pytest.fixture(autouse=True)
def one_thread():
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield


def lazy(folder: Path, n: int = 5, poisoned: int | None = None) -> object:
    """Return a table whose partitions say in a file that they were computed."""

    def work(number: int) -> pd.DataFrame:
        with (folder / "computed").open("a") as file:
            file.write(f"{number}\n")
        if number == poisoned:
            raise ValueError("no")
        return pd.DataFrame({"x": [number]})

    return dd.from_map(work, range(n), meta=pd.DataFrame({"x": [0]}))


def computed(folder: Path) -> list[int]:
    return sorted(map(int, (folder / "computed").read_text().split()))


def test_files_that_are_there_are_not_computed_again(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="no"):
        write_partitions(lazy(tmp_path, poisoned=3), out)
    n_written = len(list(out.glob("part.*.parquet")))
    assert write_partitions(lazy(tmp_path), out) == 5 - n_written
    assert write_partitions(lazy(tmp_path), out) == 0
    assert len(computed(tmp_path)) <= 6
    assert pd.read_parquet(out)["x"].tolist() == [0, 1, 2, 3, 4]


def test_a_folder_of_another_table_is_refused(tmp_path):
    write_partitions(lazy(tmp_path), tmp_path / "out")
    with pytest.raises(ValueError, match=r"holds 'part.00003.parquet', but the table has 3 part"):
        write_partitions(lazy(tmp_path, 3), tmp_path / "out")
