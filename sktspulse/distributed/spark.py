"""Functions for the data frames of Spark."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .function import PartitionFunction, TaskName

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SparkFunctions", "spark_functions"]

_TYPES = {"f4": "float", "f8": "double", "b1": "boolean", "i8": "bigint"}
_SINGLE = "float"  # the one type of Spark that stays as it is


class SparkFunctions(NamedTuple):
    """Functions that Spark applies to pandas data frames, and the schema of their answers."""

    by_group: Callable[[pd.DataFrame], pd.DataFrame]
    by_batches: Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]
    schema: str


def spark_functions(
    task: TaskName,
    estimator: Any,
    schema: Any,
    *,
    by: str,
    time: str,
    columns: Sequence[str] | None = None,
) -> SparkFunctions:
    """Make functions for ``applyInPandas`` and ``mapInPandas`` of Spark.

    Spark sends its rows to Python as pandas data frames, and asks for the schema of the answer.

    Parameters
    ----------
    task : {"embed", "predict", "predict_proba", "score_anomalies", "impute", "fit_detector"}
        What to do.
    estimator : estimator or mapping
        As for :class:`PartitionFunction`.
    schema : pyspark.sql.types.StructType
        The ``schema`` of the data frame.
    by : str
        Name of the column that names the device or case.
    time : str
        Name of the column that the rows of a device are sorted by.
    columns : sequence of str, default=None
        Names of the channels. None takes all other columns, which must be numbers.

    Returns
    -------
    by_group : callable
        For ``df.groupBy(by).applyInPandas``: takes one device at a time.
    by_batches : callable
        For ``df.repartition(by).sortWithinPartitions(by, time).mapInPandas``: takes many
        devices at a time, which is faster if they are short.
    schema : str
        The schema of the answer, which both methods of Spark ask for.

    Raises
    ------
    ValueError
        If names are not those of columns.

    See Also
    --------
    PartitionFunction : What the functions do.
    embed : Does the same on Dask.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import TSPulseTransformer
    >>> from sktspulse.distributed import spark_functions
    >>> transformer = TSPulseTransformer().fit(np.zeros((1, 1, 100)))
    >>> def embeddings(table):
    ...     make = spark_functions("embed", transformer, table.schema, by="pump", time="hour")
    ...     return table.groupBy("pump").applyInPandas(make.by_group, make.schema)
    """
    function = PartitionFunction(task, estimator, by=by, time=time, columns=columns)
    kinds: dict[Hashable, str] = {f.name: f.dataType.simpleString() for f in schema.fields}
    dtypes = {
        name: np.dtype(np.float32 if kind == _SINGLE else np.float64)
        for name, kind in kinds.items()
    }
    fields = {
        name: kinds[name] if kind is None else _type(task, kind)
        for name, kind in function.fields(dtypes).items()
    }

    def by_group(table: pd.DataFrame) -> pd.DataFrame:
        return function(table)

    def by_batches(tables: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return map(_in_one_chunk, function.over_batches(tables))

    answer = ", ".join(f"`{name}` {kind}" for name, kind in fields.items())
    return SparkFunctions(by_group, by_batches, answer)


def _in_one_chunk(table: pd.DataFrame) -> pd.DataFrame:
    """Return strings as objects, as Spark cannot send those of several batches back."""
    import pandas as pd

    kinds = table.dtypes.items()
    return table.astype({name: object for name, kind in kinds if isinstance(kind, pd.StringDtype)})


def _type(task: TaskName, kind: Any) -> str:
    """Return the type of Spark for a column of answers."""
    return (
        "binary" if task == "fit_detector" else _TYPES.get(getattr(kind, "str", "")[1:], "string")
    )
