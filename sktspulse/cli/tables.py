"""Tables in files: CSV, TSV, parquet, Arrow and NumPy archives, read and written by pandas."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "Table",
    "check_new",
    "draft_of",
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

_FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".npz": "npz",
    ".ts": "ts",
}
_SEPARATORS = ",;\t|"


def load_pandas() -> Any:
    """Import pandas; an error says how to install it."""
    try:
        return import_module("pandas")
    except ImportError as error:
        raise ImportError(
            "Reading and writing tables needs pandas: pip install 'sktspulse[cli]'."
        ) from error


def table_format(path: Path) -> str:
    """Return the format that the ending of a name says."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = _FORMATS.get(suffixes[-1]) if suffixes else None
    is_packed = path.suffix.lower() == ".gz"
    if kind is None or (is_packed and kind not in ("csv", "tsv")):
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
    pandas = load_pandas()
    kind = table_format(path)
    if kind == "ts":
        raise ValueError(f"{path} holds a panel of series, but a table of one recording is needed.")
    if is_text_format(path):
        with _explained(path):
            table = pandas.read_csv(path, **_text_settings(path, text, decimal))
    elif kind == "npz":
        table = _from_archive(path)
    else:
        table = _read_arrow(path, kind)
    if not len(table):
        raise ValueError(f"{path} has no rows. Check that it is complete.")
    return table


def read_chunks(
    path: Path, text: Collection[str], decimal: str, n_rows: int = 2**14
) -> Iterator[Table]:
    """Read a table of text piece by piece, in little memory."""
    with _explained(path):
        settings = _text_settings(path, text, decimal)
        chunks = load_pandas().read_csv(path, chunksize=n_rows, **settings)
    with chunks:
        while True:
            with _explained(path):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk


def write_table(table: Table, path: Path) -> None:
    """Write a table at once: readers see all of it, or what was there before."""
    kind = table_format(path)
    with draft_of(path) as draft:
        if is_text_format(path):
            separator = "\t" if kind == "tsv" else ","
            packing = "gzip" if path.suffix.lower() == ".gz" else None
            table.to_csv(draft, sep=separator, index=False, compression=packing)
        elif kind == "npz":
            with draft.open("wb") as file:
                np.savez(file, **{name: _plain(table[name]) for name in table.columns})
        else:
            _write_arrow(table, draft, kind)


def check_new(path: Path | None, *, force: bool, is_table: bool = True) -> None:
    """Refuse to overwrite, and to write what cannot be written, before any work is done."""
    if path is None:
        return
    if is_table and table_format(path) == "ts":
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
def draft_of(path: Path) -> Iterator[Path]:
    """Give a file to write to, which takes the place of another if nothing goes wrong."""
    try:
        number, name = tempfile.mkstemp(dir=path.parent, prefix=".sktspulse-", suffix=".partial")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    os.close(number)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o666 & ~_umask())
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


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


def _umask() -> int:
    """Return which permissions new files do not get; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _text_settings(path: Path, text: Collection[str], decimal: str) -> dict[str, Any]:
    version = tuple(map(int, load_pandas().__version__.split(".")[:2]))
    # Known values come back as they were; since pandas 3.1 this is the default.
    exact = {} if version >= (3, 1) else {"float_precision": "round_trip"}
    return {
        **exact,
        "sep": _separator(path),
        "decimal": decimal,
        "dtype": dict.fromkeys(text, "str"),
        "skipinitialspace": True,
        "index_col": False,
        "encoding": "utf-8-sig",
    }


def _separator(path: Path) -> str:
    """Return the separator that the first line has most of."""
    if table_format(path) == "tsv":
        return "\t"
    opener: Callable[..., Any] = open
    if path.suffix.lower() == ".gz":
        opener = import_module("gzip").open
    with opener(path, "rt", encoding="utf-8-sig") as file:
        header = file.readline()
    if not header.strip():
        raise ValueError(f"{path} is empty or has no header. Its first line must name the columns.")
    return max(_SEPARATORS, key=header.count)


def _from_archive(path: Path) -> Table:
    """Read a recording: one array with two axes, or one array for each column."""
    arrays = read_archive(path)
    shapes = {array.shape for array in arrays.values()}
    if len(arrays) == 1 and len(next(iter(shapes))) == 2:
        values = next(iter(arrays.values()))
        names = [f"ch{c}" for c in range(values.shape[1])]
        return load_pandas().DataFrame(values, columns=names)
    if len(shapes) == 1 and len(next(iter(shapes))) == 1:
        return load_pandas().DataFrame(arrays)
    raise ValueError(
        f"{path} holds the arrays {_shapes(arrays)}, expected one of shape (n_timepoints, "
        "n_channels), or one of shape (n_timepoints,) for each channel."
    )


def read_archive(path: Path) -> dict[str, Any]:
    """Read all arrays of an ``.npz`` file; nothing is unpickled."""
    with _explained(path):
        archive = np.load(path, allow_pickle=False)
    if not getattr(archive, "files", None):
        raise ValueError(f"{path} holds no named arrays. Write it with numpy.savez.")
    with archive, _explained(path):
        return {name: archive[name] for name in archive.files}


def _shapes(arrays: dict[str, Any]) -> str:
    return ", ".join(f"{name} {array.shape}" for name, array in [*arrays.items()][:5])


def _read_arrow(path: Path, kind: str) -> Table:
    pandas = load_pandas()
    path.stat()  # that a file is absent is no damage
    if find_spec("pyarrow"):
        read = pandas.read_parquet if kind == "parquet" else pandas.read_feather
        with _explained(path):
            table = read(path)
        is_named = any(name is not None for name in table.index.names)
        return table.reset_index(drop=not is_named)
    polars = _load_polars(path)
    with _explained(path):
        frame = polars.read_parquet(path) if kind == "parquet" else polars.read_ipc(path)
    return pandas.DataFrame({name: _from_polars(frame[name]) for name in frame.columns})


def _write_arrow(table: Table, path: Path, kind: str) -> None:
    if find_spec("pyarrow"):
        (table.to_parquet if kind == "parquet" else table.to_feather)(path)
        return
    polars = _load_polars(path)
    frame = polars.DataFrame([_to_polars(polars, table[name]) for name in table.columns])
    (frame.write_parquet if kind == "parquet" else frame.write_ipc)(path)


def _load_polars(path: Path) -> Any:
    try:
        return import_module("polars")
    except ImportError as error:
        raise ImportError(
            f"{path.name}: parquet and Arrow files need pyarrow or polars: pip install pyarrow."
        ) from error


def _from_polars(column: Any) -> Any:
    """Return a column of polars for pandas, with the zone of its time stamps."""
    pandas = load_pandas()
    zone = getattr(column.dtype, "time_zone", None)
    values = pandas.Series(column.to_numpy())
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
