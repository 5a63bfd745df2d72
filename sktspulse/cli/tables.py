"""Tables in files: CSV, TSV, parquet, Arrow and NumPy archives, read and written by pandas."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..lazy import import_extra
from ..network import replaced

__all__ = [
    "Table",
    "check_new",
    "is_text_format",
    "load_pandas",
    "read_archive",
    "read_chunks",
    "read_table",
    "shortened",
    "table_format",
    "write_table",
]

Table = Any  # a data frame of pandas, which carries no types

_ENDINGS = {
    "csv": (".csv", ".txt"),
    "tsv": (".tsv",),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "npz": (".npz",),
    "ts": (".ts",),
}
_FORMATS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings}
_SEPARATORS = ",;\t|"


def load_pandas() -> Any:
    """Import pandas; an error says how to install it."""
    return import_extra("pandas", "cli", "Reading and writing tables")


def table_format(path: Path) -> str:
    """Return the format that the ending of a name says."""
    name = path.name.lower()
    kind = _FORMATS.get(Path(name.removesuffix(".gz")).suffix)
    if kind is None or (name.endswith(".gz") and kind not in ("csv", "tsv")):
        raise ValueError(
            f"The ending of {str(path)!r} is none of {', '.join(_FORMATS)}, .csv.gz and .tsv.gz. "
            "Rename or convert the file."
        )
    return kind


def is_text_format(path: Path) -> bool:
    """Return whether a table is read line by line."""
    return table_format(path) in ("csv", "tsv")


def read_table(path: Path, text: Collection[str] = (), decimal: str = ".") -> Table:
    """Read a table; columns of ``text`` stay as they are written, others become numbers."""
    kind = table_format(path)
    if kind == "ts":
        raise ValueError(f"{path} holds a panel of series, but a table of one recording is needed.")
    if is_text_format(path):
        with _explained(path):
            table = load_pandas().read_csv(path, **_text_settings(path, text, decimal))
    else:
        table = _from_archive(path) if kind == "npz" else _read_arrow(path, kind)
    if not len(table):
        raise ValueError(f"{path} has no rows. Check that it is complete.")
    return table


def read_chunks(
    path: Path, text: Collection[str], decimal: str, n_rows: int = 2**14
) -> Iterator[Table]:
    """Read a table of text piece by piece, in little memory."""
    with _explained(path):
        settings = _text_settings(path, text, decimal)
        with load_pandas().read_csv(path, chunksize=n_rows, **settings) as chunks:
            yield from chunks


def write_table(table: Table, path: Path) -> None:
    """Write a table at once: readers see all of it, or what was there before."""
    kind = table_format(path)
    with replaced(path) as file:
        if is_text_format(path):
            separator = "\t" if kind == "tsv" else ","
            packing = "gzip" if path.suffix.lower() == ".gz" else None
            table.to_csv(file, mode="wb", sep=separator, index=False, compression=packing)
        elif kind == "npz":
            np.savez(file, **{name: _plain(table[name]) for name in table.columns})
        elif find_spec("pyarrow"):
            (table.to_parquet if kind == "parquet" else table.to_feather)(file)
        else:
            polars = _load_polars(path)
            frame = polars.DataFrame([_to_polars(polars, table[name]) for name in table.columns])
            (frame.write_parquet if kind == "parquet" else frame.write_ipc)(file)


def check_new(path: Path | None, *, force: bool, ending: str | None = None) -> None:
    """Refuse to overwrite, and to write what cannot be written, before any work is done.

    Other files than tables have an ``ending``.
    """
    if path is None:
        return
    if ending and path.suffix != ending:
        raise ValueError(f"{path}: choose a name that ends in {ending}.")
    if not ending and table_format(path) == "ts":
        raise ValueError(f"{path}: tables cannot be written as .ts. Choose .csv or .parquet.")
    if path.exists() and not force:
        raise ValueError(f"{path} exists. Pass --force to overwrite it, or another name.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {str(path.parent)!r}. Create it first.")
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Pass the name of a file in it.")


def shortened(values: Any) -> Any:
    """Round what was computed to six significant digits, so that tables stay readable."""
    values = np.asarray(values, dtype=np.float64)
    return np.array([float(f"{x:.6g}") for x in values.ravel()]).reshape(values.shape)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say of which file an error is, and what to do, whatever library reads it."""
    try:
        yield
    except (OSError, MemoryError, ImportError):
        raise
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not text in UTF-8. Save it as CSV in UTF-8, or check that its ending is "
            "right."
        ) from error
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read: {error} Check that it is complete and its ending is right."
        ) from error


def _text_settings(path: Path, text: Collection[str], decimal: str) -> dict[str, Any]:
    pandas, encoding = load_pandas(), "utf-8-sig"
    separators = "\t" if table_format(path) == "tsv" else _SEPARATORS
    try:
        headers = {s: pandas.read_csv(path, sep=s, nrows=0, encoding=encoding) for s in separators}
    except pandas.errors.EmptyDataError as error:
        raise ValueError("It is empty or has no header. Its first line must be names.") from error
    # Known values come back as they were; since pandas 3.1 this is the default.
    version = tuple(map(int, pandas.__version__.split(".")[:2]))
    exact = {} if version >= (3, 1) else {"float_precision": "round_trip"}
    return {
        **exact,
        "sep": max(headers, key=lambda separator: len(headers[separator].columns)),
        "decimal": decimal,
        "dtype": dict.fromkeys(text, "str"),
        "skipinitialspace": True,
        "index_col": False,
        "encoding": encoding,
    }


def _from_archive(path: Path) -> Table:
    """Read a recording: one array with two axes, or one array for each column."""
    arrays = read_archive(path)
    shapes = {array.shape for array in arrays.values()}
    if len(arrays) == 1 and len(next(iter(shapes))) == 2:
        values = next(iter(arrays.values()))
        return load_pandas().DataFrame(values).add_prefix("ch")
    if len(shapes) == 1 and len(next(iter(shapes))) == 1:
        return load_pandas().DataFrame(arrays)
    found = ", ".join(f"{name} {array.shape}" for name, array in [*arrays.items()][:5])
    raise ValueError(
        f"{path} holds the arrays {found}, expected one of shape (n_timepoints, n_channels), or "
        "one of shape (n_timepoints,) for each channel."
    )


def read_archive(path: Path) -> dict[str, Any]:
    """Read all arrays of an ``.npz`` file; nothing is unpickled."""
    with _explained(path):
        archive = np.load(path, allow_pickle=False)
    if not getattr(archive, "files", None):
        raise ValueError(f"{path} holds no named arrays. Write it with numpy.savez.")
    with archive, _explained(path):
        return {name: archive[name] for name in archive.files}


def _read_arrow(path: Path, kind: str) -> Table:
    pandas = load_pandas()
    path.stat()  # that a file is absent is no damage
    if find_spec("pyarrow"):
        with _explained(path):
            table = (pandas.read_parquet if kind == "parquet" else pandas.read_feather)(path)
        is_named = any(name is not None for name in table.index.names)
        return table.reset_index(drop=not is_named)
    polars = _load_polars(path)
    with _explained(path):
        frame = polars.read_parquet(path) if kind == "parquet" else polars.read_ipc(path)
    return pandas.DataFrame({name: _from_polars(frame[name]) for name in frame.columns})


def _load_polars(path: Path) -> Any:
    try:
        return import_module("polars")
    except ImportError as error:
        raise ImportError(
            f"{path.name}: parquet and Arrow files need pyarrow or polars: pip install pyarrow."
        ) from error


def _from_polars(column: Any) -> Any:
    """Return a column of polars for pandas, with the zone of its time stamps."""
    zone = getattr(column.dtype, "time_zone", None)
    values = load_pandas().Series(column.to_numpy())
    return values if zone is None else values.dt.tz_localize("UTC").dt.tz_convert(zone)


def _to_polars(polars: Any, column: Any) -> Any:
    zone = getattr(column.dtype, "tz", None)
    if zone is None:
        return polars.Series(column.name, _plain(column))
    stamps = polars.Series(column.name, column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    return stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone))


def _plain(column: Any) -> Any:
    """Return a column as an array, with text as text."""
    values = column.to_numpy()
    return values if values.dtype != object else column.fillna("").astype(str).to_numpy(dtype=str)
