"""What a worker of any engine does with a part of a table."""

from __future__ import annotations

import platform
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..base import fitted_network
from ..network import load_checkpoint
from .memory import keep_freed_memory
from .recordings import Recordings, Roles
from .tasks import TASKS, Fields

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PartitionFunction"]

TaskName = Literal["embed", "predict", "predict_proba", "score_anomalies", "impute", "fit_detector"]


class PartitionFunction:
    """Apply an estimator to all recordings of a pandas data frame.

    This is what a worker of any engine does with its part of a table. Use it for engines that
    have no functions of their own here, such as ``map_batches`` of Ray, which takes the class.

    Parameters
    ----------
    task : {"embed", "predict", "predict_proba", "score_anomalies", "impute", "fit_detector"}
        What to do.
    estimator : estimator or mapping
        A fitted transformer, classifier, regressor, detector or imputer, or an unfitted detector
        for ``"fit_detector"``. For ``"score_anomalies"`` also a detector for each device.
    by : hashable
        Name of the column that names the device or case.
    time : hashable, default=None
        Name of the column that the rows of a device are sorted by. None takes them as they are.
    columns : sequence of hashable, default=None
        Names of the channels. None takes all other columns, which must be numbers.

    See Also
    --------
    embed : Embeds the recordings of a Dask data frame.
    spark_functions : Functions for Spark.

    Notes
    -----
    An error names the device. The network is loaded once per process, on first use. A worker that
    does not have it says so, with its name.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sktspulse import TSPulseTransformer
    >>> from sktspulse.distributed import PartitionFunction
    >>> table = pd.DataFrame(
    ...     {"pump": ["a"] * 300 + ["b"] * 200, "flow": np.sin(np.arange(500) / 5)}
    ... )
    >>> transformer = TSPulseTransformer().fit(np.zeros((1, 1, 100)))
    >>> PartitionFunction("embed", transformer, by="pump")(table).shape
    (2, 241)
    """

    def __init__(
        self,
        task: TaskName,
        estimator: Any,
        *,
        by: Hashable,
        time: Hashable | None = None,
        columns: Sequence[Hashable] | None = None,
    ) -> None:
        if task not in TASKS:
            raise ValueError(f"task is {task!r}, expected one of {sorted(TASKS)}.")
        self.task, self.estimator = task, estimator
        self.roles = Roles(by, time, None if columns is None else tuple(columns))

    def __call__(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the answer for a table of whole recordings.

        Parameters
        ----------
        table : pandas.DataFrame
            All rows of some devices.

        Returns
        -------
        pandas.DataFrame
            A row for each device, in the order in which they first appear, or for each row.
        """
        if not len(table):
            return self.empty(table)
        self.prepare()
        return TASKS[self.task](self.estimator, Recordings.find(table, self.roles))

    @property
    def keeps_rows(self) -> bool:
        """Whether the answer has the rows of the table, not one for each device."""
        return TASKS[self.task].keeps_rows

    def fields(self, dtypes: Mapping[Hashable, Any]) -> Fields:
        """Return the types of the columns of the answer.

        Parameters
        ----------
        dtypes : mapping
            The type of each column of the table.

        Returns
        -------
        dict
            A type for each column of the answer; None if it is that of the table.
        """
        self.roles.channels(list(dtypes))
        return TASKS[self.task].fields(self.estimator, dtypes, self.roles)

    def empty(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the answer for no rows.

        Parameters
        ----------
        table : pandas.DataFrame
            A table with the columns of the input.

        Returns
        -------
        pandas.DataFrame
            Columns of the right types.
        """
        import pandas as pd

        nothing = table.iloc[:0]
        nothing = nothing if self.keeps_rows else nothing.reset_index(drop=True)
        fields = self.fields(dict(table.dtypes))
        return pd.DataFrame(
            {
                name: nothing[name] if kind is None else pd.Series(index=nothing.index, dtype=kind)
                for name, kind in fields.items()
            }
        )

    def over_batches(self, tables: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Yield answers for consecutive parts of a table that is sorted by device.

        Parameters
        ----------
        tables : iterator of pandas.DataFrame
            The parts. A device may begin in one and end in another.

        Yields
        ------
        pandas.DataFrame
            The answer for devices that are complete.
        """
        import pandas as pd

        waiting: list[pd.DataFrame] = []
        for table in tables:
            ids = table[self.roles.by]
            is_last = (ids == ids.iloc[-1]).to_numpy() if len(table) else ids.to_numpy(bool)
            if waiting and len(table) and ids.iloc[0] != waiting[-1][self.roles.by].iloc[-1]:
                yield self(pd.concat(waiting))
                waiting = []
            if not is_last.all():
                yield self(pd.concat([*waiting, table[~is_last]]))
                waiting = []
            waiting += [table[is_last]] if len(table) else []
        if waiting:
            yield self(pd.concat(waiting))

    def prepare(self) -> None:
        """Make this process ready to work.

        Raises
        ------
        RuntimeError
            If it cannot load the network. The message names the machine.
        """
        keep_freed_memory()
        estimator = self.estimator
        if isinstance(estimator, Mapping):
            estimator = next(iter(estimator.values()))
        try:
            if self.task == "fit_detector":
                load_checkpoint(estimator.checkpoint)
            else:
                fitted_network(estimator)
        except (OSError, ValueError) as error:
            raise RuntimeError(
                f"The worker on {platform.node()!r} cannot load the network: {error} Every "
                "worker needs the same file under the same name; the shipped networks come with "
                "the package."
            ) from error
