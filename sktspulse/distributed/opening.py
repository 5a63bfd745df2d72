"""Tables that are larger than memory, as Dask data frames."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from ..lazy import import_extra
from .recordings import Roles

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd

__all__ = ["open_table"]


def open_table(data: Any, roles: Roles) -> dd.DataFrame:
    """Return a lazy table, with the device and the time as columns."""
    dd = import_extra(
        "dask.dataframe",
        "distributed",
        "A table larger than memory",
        otherwise="On Spark or Ray, spark_functions and PartitionFunction do not.",
    )
    if isinstance(data, str | PathLike):
        data = dd.read_parquet(fspath(data))
    elif hasattr(data, "get_fragments"):
        data = dd.from_map(_read_fragment, [*data.get_fragments()], dataset=_without_files(data))
    if not isinstance(data, dd.DataFrame):
        raise TypeError(
            f"data is of type {type(data).__name__}, expected a Dask data frame, an Arrow data set "
            "or the path of parquet. Use PartitionFunction for a table in memory."
        )
    if data._meta.index.name is not None and data._meta.index.name in (roles.by, roles.time):
        data = data.reset_index()
    roles.channels(list(data.columns))
    return data


def _without_files(dataset: Any) -> Any:
    """Return a data set of the same schema that is quick to send to workers."""
    return type(dataset)([], dataset.schema, dataset.format, dataset.filesystem)


def _read_fragment(fragment: Any, dataset: Any) -> pd.DataFrame:
    """Read a file of a data set, with the columns that its path stands for."""
    one = type(dataset)([fragment], dataset.schema, dataset.format, dataset.filesystem)
    return one.to_table().to_pandas()
