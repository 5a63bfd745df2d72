"""An exported network in onnxruntime, and the file it is in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import ValueDecoder
from ..lazy import import_extra
from ..network import TSPulseConfig
from .state import load_arrays

__all__ = ["ARRAYS_KEY", "FACTS_KEY", "FORMAT", "SessionNetwork", "StoredModel"]

FORMAT = 1
FACTS_KEY, ARRAYS_KEY = "sktspulse", "sktspulse_arrays"  # of the metadata of a file


@dataclass(frozen=True)
class SessionNetwork:
    """A network that onnxruntime runs."""

    config: TSPulseConfig
    session: Any

    def read_rows(
        self, rows: NDArray[np.floating[Any]], read: Any, batch_size: int
    ) -> NDArray[np.float32]:
        """Run one-channel windows ``(n_rows, context_length)``, NaN where missing, in batches."""
        rows = np.ascontiguousarray(rows, dtype=np.float32)
        names = list(dict.fromkeys(read.outputs))
        parts = []
        for start in range(0, len(rows), batch_size):
            found = self.session.run(names, {"x": rows[start : start + batch_size]})
            answers = dict(zip(names, found, strict=True))
            parts.append(read.join([answers[name] for name in read.outputs]))
        return np.concatenate(parts)


@dataclass(frozen=True)
class StoredModel:
    """What a file holds."""

    network: SessionNetwork
    facts: dict[str, Any]

    @classmethod
    def open(cls, path: str | os.PathLike[str], n_threads: int | None) -> StoredModel:
        """Open a file, or raise a ValueError that says why it cannot be used."""
        path = Path(path)
        if not path.is_file():
            raise ValueError(f"There is no file {str(path)!r}. Check the path.")
        session = _start(path, n_threads)
        stored = session.get_modelmeta().custom_metadata_map
        if FACTS_KEY not in stored:
            raise ValueError(
                f"{str(path)!r} is an ONNX model, but none that sktspulse.export_onnx wrote. Run "
                "it with onnxruntime itself."
            )
        facts = json.loads(stored[FACTS_KEY])
        if facts["format"] > FORMAT:
            raise ValueError(
                f"{str(path)!r} was written by sktspulse {facts['version']}, in a format newer "
                "than this version reads. Install that version, or export the estimator again."
            )
        arrays = load_arrays(stored[ARRAYS_KEY])
        config = TSPulseConfig.from_dict(facts["config"])
        return cls(SessionNetwork(config, session), {**facts, "arrays": arrays})

    @property
    def kind(self) -> str:
        """Name of the class of the estimator."""
        return str(self.facts["kind"])

    def state(self, classes: Iterable[type]) -> dict[str, Any]:
        """Return the fitted values; only the given classes are made."""
        return ValueDecoder(classes, self.facts["arrays"]).decode_all(self.facts["state"])


def _start(path: Path, n_threads: int | None) -> Any:
    runtime = import_extra(
        "onnxruntime",
        "onnx",
        "An exported model",
        otherwise="Without torch: pip install numpy onnxruntime && pip install --no-deps .",
    )
    options = runtime.SessionOptions()
    if n_threads is not None:
        options.intra_op_num_threads = n_threads
    options.log_severity_level = 3  # errors alone
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # it has errors of its own for each kind of damage
        raise ValueError(
            f"{str(path)!r} cannot be read as an ONNX model: {str(error)[:200]}. Copy it again, or "
            "export the estimator again."
        ) from error
