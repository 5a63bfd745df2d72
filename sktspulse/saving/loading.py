"""Load a fitted estimator of any class."""

from __future__ import annotations

import os
from pathlib import Path

from ..anomaly import TSPulseAnomalyDetector
from ..base import KIND, BaseTSPulse, find_class_name, load_opened
from ..embedding import TSPulseTransformer
from ..imputation import TSPulseImputer
from ..network import TensorFile, explained
from ..retrieval import TSPulseRetriever, is_index
from ..supervised import TSPulseClassifier, TSPulseRegressor

__all__ = ["load"]

_CLASSES: dict[str | None, type[BaseTSPulse]] = {
    cls.__name__: cls
    for cls in (
        TSPulseAnomalyDetector,
        TSPulseClassifier,
        TSPulseImputer,
        TSPulseRegressor,
        TSPulseTransformer,
    )
}
_REMEDY = (
    "Pass a file that the method save of an estimator wrote. If a newer version of sktspulse did, "
    "install that one."
)


def load(
    path: str | os.PathLike[str], *, checkpoint: str | None = None, device: str = "auto"
) -> BaseTSPulse:
    """Load a fitted estimator of any class from a file.

    Use it for files from others, too: unlike a pickle, a file cannot run code.

    Parameters
    ----------
    path : str or path-like
        Name of a file that the method ``save`` of an estimator wrote. Nothing in it is
        executed, and it starts no download.
    checkpoint : str or path, default=None
        Where the network is. None takes the one named when the estimator was saved, which
        must be on this machine.
    device : str, default="auto"
        Where the network runs.

    Returns
    -------
    estimator instance
        A fitted estimator of the class that was saved.

    Raises
    ------
    ValueError
        If the file holds no estimator, is damaged, is of a newer format, needs another
        network than the one found, or names one that is not on this machine.

    See Also
    --------
    TSPulseClassifier.load : Load a file that must hold a classifier.
    TSPulsePretrainer : Trains a network, and saves it as a checkpoint.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import sktspulse
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(30, random_state=0)
    >>> model = sktspulse.TSPulseClassifier(members=["kernels"]).fit(X[:20], y[:20])
    >>> with TemporaryDirectory() as folder:
    ...     model.save(Path(folder) / "model.safetensors")
    ...     again = sktspulse.load(Path(folder) / "model.safetensors")
    >>> bool((again.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    path = Path(path)
    with TensorFile.opened(path, KIND, _REMEDY) as file:
        with explained(path, KIND, _REMEDY):
            cls = _find_class(file)
        return load_opened(cls, file, path, checkpoint, device)


def _find_class(file: TensorFile) -> type[BaseTSPulse]:
    name = find_class_name(file)
    if name is None and is_index(file):
        return TSPulseRetriever
    if name not in _CLASSES:
        raise ValueError(
            "It was not written by the method save of an estimator."
            if name is None
            else f"It holds {name!r}, which this version does not know."
        )
    return _CLASSES[name]
