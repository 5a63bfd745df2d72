"""Write answers partition by partition, so that a job that was stopped goes on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd

__all__ = ["write_partitions"]


def write_partitions(table: dd.DataFrame, folder: str | os.PathLike[str]) -> int:
    """Compute a lazy table and write a file of parquet for each partition.

    A call that was stopped, or in which partitions failed, is repeated to go on: files that are
    there are not computed again.

    Parameters
    ----------
    table : dask.dataframe.DataFrame
        What :func:`embed` or the like returns.
    folder : str or path-like
        A folder that all workers see. It holds the answers of one table, ``part.00000.parquet``
        and so on, for ``read_parquet`` of any library.

    Returns
    -------
    int
        Number of files written by this call.

    Raises
    ------
    RuntimeError
        If partitions failed. With a distributed client, the others are written.
    ValueError
        If the folder holds the files of a table with another number of partitions.

    See Also
    --------
    embed : Returns a lazy table.

    Notes
    -----
    A file appears when it is complete, so a worker that dies leaves nothing half-written, and its
    partition is written once, by whoever does the work again. Whether the answers in a folder are
    those of the same input and estimator is not checked.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from tempfile import TemporaryDirectory
    >>> from sktspulse.distributed import write_partitions
    >>> table = dd.from_pandas(pd.DataFrame({"score": [0.0, -1.0]}), npartitions=2)
    >>> with TemporaryDirectory() as folder:
    ...     write_partitions(table, folder), write_partitions(table, folder)
    (2, 0)
    """
    import dask

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"part.{number:05d}.parquet" for number in range(table.npartitions)]
    strange = {path.name for path in folder.glob("part.*.parquet")} - {one.name for one in paths}
    if strange:
        raise ValueError(
            f"{str(folder)!r} holds {min(strange)!r}, but the table has {len(paths)} partitions. "
            "Use another folder."
        )
    write = dask.delayed(_write)
    pairs = zip(table.to_delayed(), paths, strict=True)
    tasks = [write(part, path) for part, path in pairs if not path.exists()]
    _finish(tasks)
    return len(tasks)


def _write(part: pd.DataFrame, path: Path) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    part.to_parquet(draft)
    draft.replace(path)


def _finish(tasks: list[Any]) -> None:
    """Compute tasks; with a distributed client, all that do not fail."""
    import dask
    from dask.distributed import default_client, wait

    try:
        client = default_client()
    except ValueError:
        dask.compute(*tasks)
        return
    futures = client.compute(tasks)
    wait(futures)
    failed = [future for future in futures if future.status == "error"]
    if failed:
        raise RuntimeError(
            f"{len(failed)} of {len(futures)} partitions failed; the others are written. Call "
            f"again to go on. The first error: {failed[0].exception()}"
        )
