"""Values of a fitted estimator as JSON and named tensors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from ..network import TSPulse
from .values import Node, ValueEncoder

__all__ = ["Encoder", "split_state"]


class Encoder(ValueEncoder):
    """Turn values into JSON, estimators and networks among them, and collect tensors."""

    _rules: ClassVar[dict[type, str]] = {
        **ValueEncoder._rules,
        Tensor: "_tensor",
        TSPulse: "_network",
    }

    def __init__(self, classes: Iterable[type]) -> None:
        super().__init__(classes)
        self._places: set[int] = set()  # in memory

    def _parts(self, value: Any) -> list[dict[str, Any]]:
        """Return the fields of an object, or the parameters and the attributes of an estimator."""
        is_estimator = isinstance(value, BaseEstimator)
        return list(split_state(value)) if is_estimator else super()._parts(value)

    def _tensor(self, value: Tensor, name: str) -> Node:
        return {"tensor": self._store(value, name)}

    def _network(self, value: TSPulse, name: str) -> Node:
        weights = value.state_dict().items()
        names = {key: self._store(weight, f"{name}.{key}") for key, weight in weights}
        return {"network": [asdict(value.config), names]}

    def _store(self, array: Any, name: str) -> str:
        """Keep a tensor under a new name, which is returned; none may share its memory."""
        tensor = array if isinstance(array, Tensor) else torch.from_numpy(array)
        if tensor.data_ptr() in self._places:
            tensor = tensor.clone()
        self._places.add(tensor.data_ptr())
        return super()._store(tensor, name)

    def _refusal(self, value: Any, name: str) -> ValueError:
        """Say why a value cannot be saved, and what to do."""
        if isinstance(value, np.random.RandomState):
            remedy = "Set it to an integer or None, as a fitted model no longer uses it"
            return ValueError(
                f"{name} is a RandomState instance, which a file cannot hold. {remedy}."
            )
        remedy = "Save the estimator with skops.io.dump or with pickle instead"
        return ValueError(f"{super()._refusal(value, name)} {remedy}.")


def split_state(estimator: BaseEstimator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return parameters, without the device, which belongs to the machine, and attributes."""
    names = estimator.get_params(deep=False)
    state = {name: value for name, value in vars(estimator).items() if name != "device"}
    parameters = {name: value for name, value in state.items() if name in names}
    return parameters, {name: value for name, value in state.items() if name not in names}
