"""What estimators do with the recordings in a table, and the columns of their answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import clone

from ..anomaly import TSPulseAnomalyDetector
from ..series import Integers
from .recordings import Recordings, Roles, naming

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TASKS", "Fields", "Task", "estimator_of", "load_detectors", "series_for"]

Fields = dict[Hashable, Any]  # a type for each column; None is that of the input


class Task(ABC):
    """Answers of an estimator, one row for each recording or for each row of the table."""

    keeps_rows: ClassVar[bool]

    @abstractmethod
    def fields(self, estimator: Any, dtypes: Mapping[Hashable, Any], roles: Roles) -> Fields:
        """Return the columns of the answer for a table with columns of such types."""

    @abstractmethod
    def __call__(self, estimator: Any, recordings: Recordings) -> pd.DataFrame:
        """Return the answer."""


class _PanelTask(Task):
    """Answers of one row for each recording, of one type, computed together."""

    keeps_rows = False

    def __call__(self, estimator: Any, recordings: Recordings) -> pd.DataFrame:
        import pandas as pd

        (by, _), *answer = self.fields(estimator, {}, recordings.roles).items()
        names, kinds = zip(*answer, strict=True)
        try:
            answers = self._answers(estimator, recordings.panel())
        except Exception:
            self._raise_of_one(estimator, recordings)
            raise
        table = pd.DataFrame(answers, columns=list(names)).astype(kinds[0])
        table.insert(0, by, recordings.ids)
        return table

    def _raise_of_one(self, estimator: Any, recordings: Recordings) -> None:
        """Find the recording that an error comes from."""
        for number, (one, _) in enumerate(recordings):
            with naming(recordings.name(one)):
                self._answers(estimator, recordings.alone(number).panel())

    @abstractmethod
    def _answers(self, estimator: Any, panel: Any) -> Any:
        """Return an array ``(n_recordings, n_columns)``."""


class _Embed(_PanelTask):
    def fields(self, estimator: Any, dtypes: Mapping[Hashable, Any], roles: Roles) -> Fields:
        names = estimator.get_feature_names_out()
        return {roles.by: None, **dict.fromkeys(names, np.dtype(np.float32))}

    def _answers(self, estimator: Any, panel: Any) -> Any:
        return np.asarray(estimator.transform(panel))


class _Predict(_PanelTask):
    def fields(self, estimator: Any, dtypes: Mapping[Hashable, Any], roles: Roles) -> Fields:
        import pandas as pd

        kind = pd.Series(getattr(estimator, "classes_", np.zeros(1)).tolist()).dtype
        several = np.shape(getattr(estimator, "alpha_", 0.0))  # of targets with two axes
        names = [f"prediction{i}" for i in range(*several)] if several else ["prediction"]
        return {roles.by: None, **dict.fromkeys(names, kind)}

    def _answers(self, estimator: Any, panel: Any) -> Any:
        return np.asarray(estimator.predict(panel)).reshape(len(panel), -1)


class _PredictProba(_PanelTask):
    def fields(self, estimator: Any, dtypes: Mapping[Hashable, Any], roles: Roles) -> Fields:
        names = [f"probability_{label}" for label in estimator.classes_]
        return {roles.by: None, **dict.fromkeys(names, np.dtype(np.float64))}

    def _answers(self, estimator: Any, panel: Any) -> Any:
        return estimator.predict_proba(panel)


class _ScoreAnomalies(Task):
    keeps_rows = True

    def fields(self, estimator: Any, dtypes: Mapping[Hashable, Any], roles: Roles) -> Fields:
        keys = [roles.by] if roles.time is None else [roles.by, roles.time]
        return {**dict.fromkeys(keys), "score": np.dtype(np.float64)}

    def __call__(self, estimator: Any, recordings: Recordings) -> pd.DataFrame:
        scores = np.empty(len(recordings.table))
        for one, rows in recordings:
            with naming(recordings.name(one)):
                detector = estimator_of(estimator, one)
                scores[rows] = detector.score_samples(series_for(detector, recordings, rows))
        names = [*self.fields(estimator, {}, recordings.roles)][:-1]
        return recordings.table[names].assign(score=scores)


class _Impute(Task):
    keeps_rows = True

    def fields(self, estimator: Any, dtypes: Mapping[Hashable, Any], roles: Roles) -> Fields:
        single = np.dtype(np.float32)
        filled = {
            name: single if dtypes[name] == single else np.dtype(np.float64)
            for name in roles.channels(list(dtypes))
        }
        return dict.fromkeys(dtypes) | filled

    def __call__(self, estimator: Any, recordings: Recordings) -> pd.DataFrame:
        if getattr(estimator, "freq", None) is not None:
            raise ValueError(
                f"freq is {estimator.freq!r}, but the rows of a large table stay the same. "
                "Insert missing rows first, and fit an imputer with freq=None."
            )
        filled = recordings.values.copy()
        for one, rows in recordings:
            with naming(recordings.name(one)):
                filled[rows] = estimator.transform(series_for(estimator, recordings, rows))
        table = recordings.table
        kinds = self.fields(estimator, dict(table.dtypes), recordings.roles)
        channels = recordings.roles.channels(list(table.columns))
        columns = zip(channels, filled.T, strict=True)
        return table.assign(**{name: column.astype(kinds[name]) for name, column in columns})


class _FitDetector(Task):
    keeps_rows = False

    def fields(self, estimator: Any, dtypes: Mapping[Hashable, Any], roles: Roles) -> Fields:
        return {roles.by: None, "detector": np.dtype(object)}

    def __call__(self, estimator: Any, recordings: Recordings) -> pd.DataFrame:
        import pandas as pd

        files = []
        for one, rows in recordings:
            with naming(recordings.name(one)):
                files.append(_as_bytes(clone(estimator).fit(recordings.frame(rows))))
        return pd.DataFrame(
            {recordings.roles.by: recordings.ids, "detector": pd.Series(files, dtype=object)}
        )


TASKS: dict[str, Task] = {
    "embed": _Embed(),
    "predict": _Predict(),
    "predict_proba": _PredictProba(),
    "score_anomalies": _ScoreAnomalies(),
    "impute": _Impute(),
    "fit_detector": _FitDetector(),
}


def estimator_of(estimator: Any, one: Hashable) -> Any:
    """Return the estimator of a recording, if each has its own."""
    if not isinstance(estimator, Mapping):
        return estimator
    if one not in estimator:
        raise ValueError(f"There are {len(estimator)} detectors, but none for it. Fit one.")
    return estimator[one]


def series_for(estimator: Any, recordings: Recordings, rows: Integers) -> Any:
    """Return one recording, with the names of its channels if the estimator knows names."""
    named = hasattr(estimator, "feature_names_in_")
    return recordings.frame(rows) if named else recordings.values[rows]


def _as_bytes(detector: TSPulseAnomalyDetector) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "detector.safetensors"
        detector.save(path)
        return path.read_bytes()


def load_detectors(table: pd.DataFrame, *, by: Hashable) -> dict[Hashable, Any]:
    """Load the detectors that :func:`fit_detectors` has fitted.

    A detector takes some tens of kilobytes in memory, so those of thousands of devices fit.

    Parameters
    ----------
    table : pandas.DataFrame
        What ``fit_detectors(...).compute()`` returns, or its rows from a file. Nothing in it is
        executed.
    by : hashable
        Name of the column that names the devices.

    Returns
    -------
    dict
        A fitted :class:`TSPulseAnomalyDetector` for each device.

    Raises
    ------
    ValueError
        If a file is damaged or its network is not on this machine.

    See Also
    --------
    fit_detectors : Fits a detector for each device.
    score_anomalies : Takes the dictionary.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sktspulse import TSPulseAnomalyDetector
    >>> from sktspulse.distributed import PartitionFunction, load_detectors
    >>> table = pd.DataFrame({"pump": ["a"] * 300, "flow": np.sin(np.arange(300) / 5)})
    >>> fit = PartitionFunction("fit_detector", TSPulseAnomalyDetector("variation"), by="pump")
    >>> load_detectors(fit(table), by="pump")
    {'a': TSPulseAnomalyDetector(heads='variation')}
    """
    detectors = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "detector.safetensors"
        for one, content in zip(table[by], table["detector"], strict=True):
            path.write_bytes(content)
            detectors[one] = TSPulseAnomalyDetector.load(path)
    return detectors
