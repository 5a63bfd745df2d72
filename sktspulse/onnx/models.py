"""Exported estimators: their answers without torch, scikit-learn and SciPy."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..anomaly import AnomalyScores, CausalHeadErrors, HeadErrors, NormalModel, find_segments
from ..embedding import EmbeddingSpec, embed_panel
from ..imputation import CandidateReader, GapFiller
from ..network import reconstruct
from ..series import Floats, Values, is_panel
from ..supervised import (
    LogisticHead,
    Probe,
    RidgeHead,
    class_codes,
    class_decisions,
    class_probabilities,
    in_target_units,
)
from .inputs import InputRules
from .session import StoredModel
from .state import classes_within

__all__ = [
    "ExportedClassifier",
    "ExportedDetector",
    "ExportedImputer",
    "ExportedModel",
    "ExportedRegressor",
    "ExportedTransformer",
    "load_exported",
    "stored_classes",
]


class ExportedModel:
    """A model that :func:`sktspulse.export_onnx` wrote, in the hands of NumPy and onnxruntime.

    Its methods are those of the estimator: ``transform`` of a transformer or an imputer;
    ``predict``, ``predict_proba`` and ``decision_function`` of a classifier; ``predict`` of a
    regressor; ``score_samples``, ``decision_function``, ``predict``, ``predict_segments``,
    ``score_heads`` and ``score_channels`` of a detector. The page of the estimator documents them.

    They take arrays, and lists of arrays, of the same shapes. Data frames are read as arrays: their
    index and the names of their columns are not used. Answers are arrays.

    Parameters
    ----------
    stored : StoredModel
        The open file.

    Attributes
    ----------
    estimator : str
        Name of the class of the estimator.
    version : str
        Version of sktspulse that wrote the file.
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    n_channels_in_ : int
        Number of channels.

    See Also
    --------
    load : Loads a file.
    sktspulse.export_onnx : Writes a file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import sktspulse
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(20, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     classifier = sktspulse.TSPulseClassifier().fit(X, y)
    ...     sktspulse.export_onnx(classifier, f"{folder}/classify.onnx")
    ...     model = sktspulse.onnx.load(f"{folder}/classify.onnx")
    >>> model.estimator, model.n_channels_in_, model.predict_proba(X).shape
    ('TSPulseClassifier', 1, (20, 2))
    """

    kind: ClassVar[str]
    _roots: ClassVar[tuple[type, ...]] = ()

    def __init__(self, stored: StoredModel) -> None:
        facts = stored.facts
        self.estimator, self.version = stored.kind, str(facts["version"])
        self.n_features_in_, self.n_channels_in_ = facts["n_features"], facts["n_channels"]
        self._rules = InputRules(
            self.estimator, self.n_features_in_, self.n_channels_in_, facts["min_timepoints"]
        )
        self._network, self._batch_size = stored.network, int(facts["batch_size"])
        self._state = stored.state(classes_within(*self._roots).values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.estimator}, n_channels={self.n_channels_in_})"


class ExportedTransformer(ExportedModel):
    """An exported :class:`sktspulse.TSPulseTransformer`."""

    kind = "TSPulseTransformer"
    _roots = (EmbeddingSpec,)

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Embed each series: ``(n_series, n_features)``."""
        panel = self._rules.read_panel(X)
        found = embed_panel(self._network, panel, self._state["spec"], self._batch_size)
        return found.reshape(len(panel), -1)


class _Supervised(ExportedModel):
    _roots = (Probe, LogisticHead, RidgeHead)

    def _outputs(self, X: ArrayLike) -> Floats:
        probe: Probe = self._state["model"]
        return probe.outputs(self._network, self._rules.read_panel(X), self._batch_size, None)


class ExportedClassifier(_Supervised):
    """An exported :class:`sktspulse.TSPulseClassifier`."""

    kind = "TSPulseClassifier"

    @property
    def classes_(self) -> NDArray[Any]:
        """The sorted labels."""
        return np.asarray(self._state["classes"])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of every series."""
        return np.asarray(self.classes_[class_codes(self.decision_function(X))])

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the probability of every class for every series."""
        return class_probabilities(self.decision_function(X))

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return calibrated log-odds of the second of two classes, or a logit for each class."""
        return class_decisions(self._outputs(X))


class ExportedRegressor(_Supervised):
    """An exported :class:`sktspulse.TSPulseRegressor`."""

    kind = "TSPulseRegressor"

    def predict(self, X: ArrayLike, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """Predict the targets of every series, and the standard deviation of the errors."""
        outputs = self._outputs(X)
        answer = self._in_units(outputs)
        if not return_std:
            return answer
        deviation = np.broadcast_to(self._state["model"].head.deviation, outputs.shape)
        return answer, self._in_units(deviation)

    def _in_units(self, outputs: Floats) -> Floats:
        return in_target_units(outputs, self._state["exponents"], self._state["is_flat"])


class ExportedImputer(ExportedModel):
    """An exported :class:`sktspulse.TSPulseImputer`."""

    kind = "TSPulseImputer"
    _roots = (GapFiller,)

    def transform(self, X: ArrayLike, *, return_std: bool = False) -> Any:
        """Fill the missing values, and return the standard deviation of their errors."""
        filler: GapFiller = self._state["filler"]
        if return_std and filler.uncertainty is None:
            raise ValueError(
                "return_std=True needs an imputer fitted with blend=True, because the errors are "
                "estimated together with the blend. Fit again with blend=True."
            )
        if self._state["layout"] == "panel" or is_panel(X):
            panel, restore = self._rules.read_restorable_panel(X)
            is_list = isinstance(panel, list)
            panels = [one[None] for one in panel] if is_list else [np.asarray(panel)]
        else:
            panels, is_list = [self._rules.read_recording(X).T[None]], False

            def restore(answer: Any) -> Any:
                return answer[0].T

        answers = [filler.fill(one, self._reader(), return_std=return_std) for one in panels]
        parts = list(zip(*answers, strict=True))[: 1 + return_std]
        tables = [restore([one[0] for one in part] if is_list else part[0]) for part in parts]
        return tuple(tables) if return_std else tables[0]

    def _reader(self) -> CandidateReader:
        config = self._network.config
        heads = ("time", "frequency" if config.frequency_head else "time")

        def run(rows: Values) -> Floats:
            return reconstruct(self._network, rows, heads, batch_size=self._batch_size)

        stride = self._state["stride"]
        return CandidateReader(run, config.context_length, config.patch_length, stride)


class ExportedDetector(ExportedModel):
    """An exported :class:`sktspulse.TSPulseAnomalyDetector`.

    ``stream`` is left to the estimator.
    """

    kind = "TSPulseAnomalyDetector"
    _roots = (NormalModel,)

    @property
    def heads_(self) -> tuple[str, ...]:
        """The heads in use."""
        return tuple(self._model.heads)

    @property
    def offset_(self) -> float:
        """Threshold of ``score_samples``."""
        return float(self._state["offset"])

    def score_samples(self, X: ArrayLike) -> Floats:
        """Score every point; higher is more normal."""
        return -self._score(X).combined

    def decision_function(self, X: ArrayLike) -> Floats:
        """Score every point relative to the threshold; negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return -1 for outliers, 1 for other points."""
        return 1 - 2 * (self.score_samples(X) < self.offset_).astype(np.int64)

    def score_heads(self, X: ArrayLike) -> Floats:
        """Score every point by each head: ``(n_timepoints, n_heads)``."""
        return -self._score(X).heads.T

    def score_channels(self, X: ArrayLike) -> Floats:
        """Score every point by each channel: ``(n_timepoints, n_channels)``."""
        return -self._model.score_channels(self._signals(X), self._model.n_warm).T

    def predict_segments(self, X: ArrayLike) -> NDArray[np.void]:
        """Find the segments of outliers, and the head and channel that stand out most."""
        return find_segments(self._score(X), self.offset_, self.heads_)

    @property
    def _model(self) -> NormalModel:
        model: NormalModel = self._state["model"]
        return model

    def _score(self, X: ArrayLike) -> AnomalyScores:
        return self._model.score(self._signals(X), self._model.n_warm)

    def _signals(self, X: ArrayLike) -> Iterator[Floats]:
        model, values = self._model, self._rules.read_recording(X)
        first = len(model.recent) - model.n_warm
        values = np.concatenate([model.recent, values])
        settings = self._network, model.heads, self._batch_size
        trailing = model.trailing
        errors = CausalHeadErrors(*settings, first=first) if trailing else HeadErrors(*settings)
        return model.signals(values, errors, first)


_MODELS: dict[str, type[ExportedModel]] = {
    one.kind: one
    for one in (
        ExportedTransformer,
        ExportedClassifier,
        ExportedRegressor,
        ExportedImputer,
        ExportedDetector,
    )
}


def stored_classes(kind: str) -> Iterable[type]:
    """Return the classes that a file of an estimator may hold, by the name of its class."""
    return classes_within(*_MODELS[kind]._roots).values()


def load_exported(path: str | os.PathLike[str], *, n_threads: int | None = None) -> Any:
    """Load an exported model. It needs NumPy and onnxruntime only.

    Nothing in the file is executed but the graph of the network.

    Parameters
    ----------
    path : str or path-like
        File that :func:`sktspulse.export_onnx` wrote.
    n_threads : int, default=None
        Number of threads of the network. None means one for each core.

    Returns
    -------
    ExportedModel
        The model, with the methods of the estimator.

    Raises
    ------
    ValueError
        If the file is absent, damaged, of a newer format, or no exported model.
    ImportError
        If onnxruntime is not installed.

    See Also
    --------
    sktspulse.export_onnx : Writes such a file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import sktspulse
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, _ = make_labelled_panel(4, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     transformer = sktspulse.TSPulseTransformer().fit(X)
    ...     sktspulse.export_onnx(transformer, f"{folder}/embed.onnx")
    ...     model = sktspulse.onnx.load(f"{folder}/embed.onnx", n_threads=1)
    >>> model.transform(X).shape
    (4, 240)
    """
    stored = StoredModel.open(path, n_threads)
    return _MODELS[stored.kind](stored)
