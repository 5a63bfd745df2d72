"""Estimators over Dask data frames, Arrow data sets and partitioned parquet."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..anomaly import TSPulseAnomalyDetector
from ..embedding import TSPulseTransformer
from ..imputation import TSPulseImputer
from .function import PartitionFunction
from .opening import open_table
from .ordered import score_ordered
from .recordings import naming

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd

__all__ = ["embed", "fit_detectors", "impute", "predict", "score_anomalies"]

Spread = Literal["any", "whole"]


def embed(
    data: Any,
    transformer: TSPulseTransformer,
    *,
    by: Hashable,
    time: Hashable | None = None,
    columns: Sequence[Hashable] | None = None,
    partitions: Spread = "any",
) -> dd.DataFrame:
    """Embed every recording of a table that is larger than memory.

    Embeddings are small, so what comes after them, such as clustering or a classifier, usually
    fits into memory.

    Parameters
    ----------
    data : dask.dataframe.DataFrame, pyarrow.dataset.Dataset, str or path-like
        A table with a row for each moment of each device, or a file or folder of parquet.
    transformer : TSPulseTransformer
        A fitted transformer.
    by : hashable
        Name of the column that names the device or case.
    time : hashable, default=None
        Name of the column that the rows of a device are sorted by. None takes them as they are.
    columns : sequence of hashable, default=None
        Names of the channels. None takes all other columns, which must be numbers.
    partitions : {"any", "whole"}, default="any"
        Where the rows of a device are. ``"any"``: in several partitions, so the table is shuffled.
        ``"whole"``: all in one partition, so it need not be.

    Returns
    -------
    dask.dataframe.DataFrame
        A row for each device: its name, and the features by the names of
        ``transformer.get_feature_names_out()``. Nothing is computed yet.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If names are not those of columns, or if the table must be shuffled without ``time``.

    See Also
    --------
    score_anomalies : Scores every row.
    PartitionFunction : Does the same for a pandas data frame.

    Notes
    -----
    A worker holds one partition and, of it, one block of windows. Its memory does not depend on
    the number of partitions.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sktspulse import TSPulseTransformer
    >>> from sktspulse.distributed import embed
    >>> table = pd.DataFrame({"pump": ["a", "b"] * 200, "hour": np.arange(400)})
    >>> table["flow"] = np.sin(table["hour"] / 9)
    >>> transformer = TSPulseTransformer().fit(np.zeros((1, 1, 100)))
    >>> lazy = embed(dd.from_pandas(table, npartitions=2), transformer, by="pump", time="hour")
    >>> lazy.compute().shape
    (2, 241)
    """
    function = PartitionFunction("embed", transformer, by=by, time=time, columns=columns)
    return _over_recordings(data, function, partitions)


def predict(
    data: Any,
    estimator: Any,
    *,
    by: Hashable,
    time: Hashable | None = None,
    columns: Sequence[Hashable] | None = None,
    partitions: Spread = "any",
    method: Literal["predict", "predict_proba"] = "predict",
) -> dd.DataFrame:
    """Predict a class or a number for every recording of a table that is larger than memory.

    Fit the estimator before, to a sample of the recordings that fits into memory.

    Parameters
    ----------
    data : dask.dataframe.DataFrame, pyarrow.dataset.Dataset, str or path-like
        A table with a row for each moment of each device, or a file or folder of parquet.
    estimator : TSPulseClassifier or TSPulseRegressor
        A fitted estimator.
    by : hashable
        Name of the column that names the device or case.
    time : hashable, default=None
        Name of the column that the rows of a device are sorted by. None takes them as they are.
    columns : sequence of hashable, default=None
        Names of the channels. None takes all other columns, which must be numbers.
    partitions : {"any", "whole"}, default="any"
        Where the rows of a device are, as for :func:`embed`.
    method : {"predict", "predict_proba"}, default="predict"
        Whether to return labels or numbers, or the probability of each class.

    Returns
    -------
    dask.dataframe.DataFrame
        A row for each device: its name and ``prediction``, or ``probability_<label>`` for each
        class. Of several targets, ``prediction0``, ``prediction1`` and so on.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If names are not those of columns, or if the table must be shuffled without ``time``.

    See Also
    --------
    embed : Embeds every recording.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> from sktspulse import TSPulseClassifier, panel_to_long
    >>> from sktspulse.datasets import make_labelled_panel
    >>> from sktspulse.distributed import predict
    >>> X, y = make_labelled_panel(30, random_state=0)
    >>> model = TSPulseClassifier(members=["kernels"]).fit(X[:20], y[:20])
    >>> table = dd.from_pandas(panel_to_long(X[20:]), npartitions=2)
    >>> predict(table, model, by="id", time="time").compute().shape
    (10, 2)
    """
    function = PartitionFunction(method, estimator, by=by, time=time, columns=columns)
    return _over_recordings(data, function, partitions)


def impute(
    data: Any,
    imputer: TSPulseImputer,
    *,
    by: Hashable,
    time: Hashable | None = None,
    columns: Sequence[Hashable] | None = None,
    partitions: Spread = "any",
) -> dd.DataFrame:
    """Fill the missing values of every recording of a table that is larger than memory.

    All recordings are filled by one imputer, so they should have the same kind of channels.

    Parameters
    ----------
    data : dask.dataframe.DataFrame, pyarrow.dataset.Dataset, str or path-like
        A table with a row for each moment of each device, or a file or folder of parquet.
    imputer : TSPulseImputer
        An imputer that was fitted to one recording, with ``freq=None``.
    by : hashable
        Name of the column that names the device or case.
    time : hashable, default=None
        Name of the column that the rows of a device are sorted by. None takes them as they are.
    columns : sequence of hashable, default=None
        Names of the channels. None takes all other columns, which must be numbers.
    partitions : {"any", "whole"}, default="any"
        Where the rows of a device are, as for :func:`embed`.

    Returns
    -------
    dask.dataframe.DataFrame
        The table, with its index and other columns, and without missing values in the channels.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If names are not those of columns, or if the table must be shuffled without ``time``.

    See Also
    --------
    score_anomalies : Scores every row.

    Notes
    -----
    A recording is never cut, since the profile of its period, its range and what counts as a spike
    depend on all of it. The longest recording must fit into the memory of a worker several times.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sktspulse import TSPulseImputer
    >>> from sktspulse.distributed import impute
    >>> table = pd.DataFrame({"pump": ["a", "b"] * 200, "hour": np.arange(400)})
    >>> table["flow"] = np.sin(table["hour"] / 9).mask(table["hour"] % 50 < 4)
    >>> imputer = TSPulseImputer(blend=False).fit(table[["flow"]].to_numpy()[::2])
    >>> filled = impute(dd.from_pandas(table, npartitions=2), imputer, by="pump", time="hour")
    >>> int(filled["flow"].isna().sum().compute())
    0
    """
    function = PartitionFunction("impute", imputer, by=by, time=time, columns=columns)
    return _over_recordings(data, function, partitions)


def score_anomalies(
    data: Any,
    detector: TSPulseAnomalyDetector | Mapping[Hashable, TSPulseAnomalyDetector],
    *,
    by: Hashable,
    time: Hashable | None = None,
    columns: Sequence[Hashable] | None = None,
    partitions: Literal["any", "whole", "ordered"] = "any",
) -> dd.DataFrame:
    """Score every row of a table that is larger than memory.

    Scores are those of each recording in one piece, also if partitions cut it.

    Parameters
    ----------
    data : dask.dataframe.DataFrame, pyarrow.dataset.Dataset, str or path-like
        A table with a row for each moment of each device, or a file or folder of parquet.
    detector : TSPulseAnomalyDetector, or mapping of device to TSPulseAnomalyDetector
        A fitted detector for all devices, or one for each: see :func:`fit_detectors`.
    by : hashable
        Name of the column that names the device.
    time : hashable, default=None
        Name of the column that the rows of a device are sorted by. None takes them as they are.
    columns : sequence of hashable, default=None
        Names of the channels. None takes all other columns, which must be numbers.
    partitions : {"any", "whole", "ordered"}, default="any"
        Where the rows of a device are. ``"any"``: in several partitions, in any order, so the
        table is shuffled. ``"whole"``: all in one partition. ``"ordered"``: later partitions have
        later rows, as in one file for each day, so a partition is scored with the rows around it
        that its scores depend on.

    Returns
    -------
    dask.dataframe.DataFrame
        Columns ``by``, ``time`` and ``score``, with the index of the table. A score below the
        ``offset_`` of the detector, by default -1, is an outlier.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If names are not those of columns, or if the table must be shuffled without ``time``.

    See Also
    --------
    fit_detectors : Fits a detector for each device.
    TSPulseAnomalyDetector.score_samples : Scores one recording.

    Notes
    -----
    With ``"any"`` and ``"whole"``, the longest
    recording must fit into the memory of a worker. With ``"ordered"``, a partition and its
    surroundings must: by default up to about 4,000 rows on either side, and as many rows as in
    ``fit`` if a channel has a cycle. For this the rows of each device are counted first, which
    reads the column ``by``. One exception remains: whether a counter was reset during an outage
    that is longer than these surroundings is not seen.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sktspulse import TSPulseAnomalyDetector
    >>> from sktspulse.distributed import score_anomalies
    >>> table = pd.DataFrame({"pump": "a", "hour": np.arange(900)})
    >>> table["flow"] = np.sin(table["hour"] / 9)
    >>> table.loc[600:, "flow"] += 2
    >>> detector = TSPulseAnomalyDetector("variation").fit(table[["flow"]][:500])
    >>> days = dd.from_pandas(table, npartitions=3)
    >>> scores = score_anomalies(days, detector, by="pump", time="hour", partitions="ordered")
    >>> int(scores["score"].compute().idxmin())
    600
    """
    function = PartitionFunction("score_anomalies", detector, by=by, time=time, columns=columns)
    if partitions == "ordered":
        return score_ordered(open_table(data, function.roles), function)
    return _over_recordings(data, function, partitions)


def fit_detectors(
    data: Any,
    detector: TSPulseAnomalyDetector,
    *,
    by: Hashable,
    time: Hashable | None = None,
    columns: Sequence[Hashable] | None = None,
    partitions: Spread = "any",
) -> dd.DataFrame:
    """Fit a copy of a detector to the recording of every device.

    A detector learns scales that differ from device to device, so one for each is better where
    each has a recording that is mostly normal.

    Parameters
    ----------
    data : dask.dataframe.DataFrame, pyarrow.dataset.Dataset, str or path-like
        A table with a row for each moment of each device, or a file or folder of parquet.
    detector : TSPulseAnomalyDetector
        A detector with the parameters to fit with; it is left as it is.
    by : hashable
        Name of the column that names the device.
    time : hashable, default=None
        Name of the column that the rows of a device are sorted by. None takes them as they are.
    columns : sequence of hashable, default=None
        Names of the channels. None takes all other columns, which must be numbers.
    partitions : {"any", "whole"}, default="any"
        Where the rows of a device are, as for :func:`embed`.

    Returns
    -------
    dask.dataframe.DataFrame
        A row for each device: its name, and ``detector``, the content of the file that
        :meth:`TSPulseAnomalyDetector.save` writes.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If names are not those of columns, or if the table must be shuffled without ``time``.

    See Also
    --------
    load_detectors : Loads them, for :func:`score_anomalies`.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sktspulse import TSPulseAnomalyDetector
    >>> from sktspulse.distributed import fit_detectors, load_detectors
    >>> table = pd.DataFrame({"pump": ["a", "b"] * 300, "hour": np.arange(600)})
    >>> table["flow"] = np.sin(table["hour"] / 9)
    >>> lazy = dd.from_pandas(table, npartitions=2)
    >>> fitted = fit_detectors(lazy, TSPulseAnomalyDetector("variation"), by="pump", time="hour")
    >>> sorted(load_detectors(fitted.compute(), by="pump"))
    ['a', 'b']
    """
    function = PartitionFunction("fit_detector", detector, by=by, time=time, columns=columns)
    return _over_recordings(data, function, partitions)


def _over_recordings(data: Any, function: PartitionFunction, partitions: str) -> dd.DataFrame:
    """Apply a function to partitions that hold whole recordings."""
    table, by = open_table(data, function.roles), function.roles.by
    if partitions not in ("any", "whole"):
        raise ValueError(f"partitions is {partitions!r}, expected 'any' or 'whole'.")
    if partitions == "any" and table.npartitions > 1:
        if function.roles.time is None:
            raise ValueError(
                "time is None, but shuffling changes the order of rows. Name the column of time, "
                "or pass partitions='whole' if each partition has all rows of its devices."
            )
        table = table.shuffle(by)
    import dask

    return table.map_partitions(
        _apply,
        dask.delayed(function, pure=True),
        meta=function.empty(table._meta),
        clear_divisions=not function.keeps_rows,
    )


def _apply(
    table: pd.DataFrame,
    function: PartitionFunction,
    partition_info: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Apply a function to a partition; an error says to which."""
    if partition_info is None:
        return function(table)
    with naming(f"Partition {partition_info['number']}"):
        return function(table)
