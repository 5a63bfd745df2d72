"""Write a fitted estimator to one ONNX file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from ..anomaly import detector_parts
from ..base import ValueEncoder, fitted_network
from ..embedding import transformer_parts
from ..imputation import imputer_parts
from ..lazy import import_extra
from ..network import TSPulseConfig, write_atomically
from ..supervised import Probe, regressor_units, supervised_parts
from .graph import GraphBuilder
from .models import stored_classes
from .network import output_lengths, write_network
from .session import ARRAYS_KEY, FACTS_KEY, FORMAT
from .state import dump_arrays

__all__ = ["export_onnx"]


class _Parts(NamedTuple):
    """What an estimator answers with."""

    outputs: tuple[str, ...]  # of the network
    state: dict[str, Any]
    least: int | None = None  # time points of a series; None for a patch


def export_onnx(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to one ONNX file, which works without torch.

    The file holds the network and everything that was fitted. :func:`sktspulse.onnx.load` reads
    it with NumPy and onnxruntime, and gives the answers of the estimator, up to rounding.

    Parameters
    ----------
    estimator : estimator instance
        A fitted :class:`TSPulseTransformer`, :class:`TSPulseAnomalyDetector`,
        :class:`TSPulseImputer` without ``freq``, or :class:`TSPulseClassifier` or
        :class:`TSPulseRegressor` with the probe and its own members.
    path : str or path-like
        Name of the file, ending in ``.onnx``. A file of that name is replaced.

    Raises
    ------
    TypeError
        If there is no way to export such an estimator.
    ValueError
        If the estimator has a part that cannot be exported; the message says which can. Also if
        the name has another ending.
    NotFittedError
        If ``fit`` was not called.
    ImportError
        If onnx is not installed.

    See Also
    --------
    sktspulse.onnx.load : Loads the file.

    Notes
    -----
    The graph uses operator set 20 and takes windows of any number, ``(n, context_length)`` with
    NaN where missing. Resampling, standardisation, scoring and trees are done by the package's
    own NumPy code. Fitted values are in the metadata of the file, as JSON and as compressed arrays.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> import sktspulse
    >>> X = np.sin(np.arange(700.0) / 9)[:, None]
    >>> detector = sktspulse.TSPulseAnomalyDetector().fit(X)
    >>> with TemporaryDirectory() as folder:
    ...     sktspulse.export_onnx(detector, f"{folder}/detector.onnx")
    ...     model = sktspulse.onnx.load(f"{folder}/detector.onnx")
    >>> np.allclose(model.score_samples(X), detector.score_samples(X), atol=1e-4)
    True
    """
    from sklearn.utils.validation import check_is_fitted

    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"path is {str(path)!r}, expected a name that ends in '.onnx'.")
    kind, find_parts = _kind_of(estimator)
    check_is_fitted(estimator)
    _check_installed()
    network = fitted_network(estimator)
    parts = find_parts(estimator, network.config)
    graph, lengths = GraphBuilder(), output_lengths(network.config, parts.outputs)
    write_network(graph, network, parts.outputs)
    metadata = _metadata(kind, estimator, network.config, parts)
    model = graph.model(network.config.context_length, lengths, metadata)
    write_atomically(path, model.SerializeToString())


def _kind_of(estimator: Any) -> tuple[str, Callable[[Any, TSPulseConfig], _Parts]]:
    names = [one.__name__ for one in type(estimator).__mro__]
    for kind, find_parts in _KINDS.items():
        if kind in names:
            return kind, find_parts
    raise TypeError(
        f"{type(estimator).__name__} cannot be exported. These can: {', '.join(_KINDS)}."
    )


def _check_installed() -> None:
    import_extra("onnx", "onnx", "export_onnx")


def _metadata(kind: str, estimator: Any, config: TSPulseConfig, parts: _Parts) -> dict[str, str]:
    encoder = ValueEncoder(stored_classes(kind))
    facts = {
        "format": FORMAT,
        "version": import_module("sktspulse").__version__,
        "kind": kind,
        "n_features": int(estimator.n_features_in_),
        "n_channels": int(estimator.n_channels_in_),
        "min_timepoints": parts.least or config.patch_length,
        "batch_size": int(estimator.batch_size),
        "config": asdict(config),
        "state": encoder.encode_all(parts.state),
    }
    return {FACTS_KEY: json.dumps(facts), ARRAYS_KEY: dump_arrays(encoder.tensors)}


def _transformer(estimator: Any, config: TSPulseConfig) -> _Parts:
    parts = transformer_parts(estimator)
    spec = parts["spec"]
    least = 2 if spec.windowing == "resample" else None
    return _Parts(tuple(f"{part}_tokens" for part in spec.parts), parts, least)


def _classifier(estimator: Any, config: TSPulseConfig) -> _Parts:
    return _supervised(estimator, {"classes": estimator.classes_})


def _regressor(estimator: Any, config: TSPulseConfig) -> _Parts:
    return _supervised(estimator, regressor_units(estimator))


def _supervised(estimator: Any, others: dict[str, Any]) -> _Parts:
    parts = supervised_parts(estimator)
    probe = parts.pop("model")
    if not isinstance(probe, Probe):
        raise ValueError(
            "The estimator was fine-tuned by TSLens, which cannot be exported. Fit with "
            "strategy='probe'."
        )
    if probe.extractor.transformers:
        names = [type(one).__name__ for one in probe.extractor.transformers]
        raise ValueError(
            f"members has transformers of other packages, {names[:3]}, which cannot be exported. "
            "Fit with 'network', 'kernels' and 'quantiles' only."
        )
    outputs = ("semantic_tokens",) if probe.extractor.n_representations else ()
    least = 2 if parts.pop("windowing") == "resample" else None
    return _Parts(outputs, {"model": probe, **parts, **others}, least)


def _imputer(estimator: Any, config: TSPulseConfig) -> _Parts:
    parts = imputer_parts(estimator)
    if parts.pop("freq") is not None:
        raise ValueError(
            "freq needs pandas, and cannot be exported. Insert missing rows first, "
            "X.asfreq(freq), and fit without freq."
        )
    outputs = ("time", "frequency") if config.frequency_head else ("time",)
    return _Parts(outputs, parts)


def _detector(estimator: Any, config: TSPulseConfig) -> _Parts:
    parts = detector_parts(estimator)
    heads = set(parts.pop("heads"))
    if "coarse" in heads:
        heads.add("frequency" if config.frequency_head else "time")
    outputs = tuple(name for name in ("time", "frequency", "forecast") if name in heads)
    return _Parts(outputs, parts)


_KINDS: dict[str, Callable[[Any, TSPulseConfig], _Parts]] = {
    "TSPulseTransformer": _transformer,
    "TSPulseClassifier": _classifier,
    "TSPulseRegressor": _regressor,
    "TSPulseImputer": _imputer,
    "TSPulseAnomalyDetector": _detector,
}
