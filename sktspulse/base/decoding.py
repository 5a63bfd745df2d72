"""Values of a fitted estimator from JSON and named tensors, of which nothing is executed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from torch import Tensor

from ..network import TSPulse, TSPulseConfig, build_network
from .values import Node, ValueDecoder, check_names

__all__ = ["Decoder"]


class Decoder(ValueDecoder):
    """Turn JSON and tensors into values, estimators and networks among them.

    ``estimators`` collects those that were made, with the given ``device``.
    """

    _kinds: ClassVar[frozenset[str]] = ValueDecoder._kinds | {"network", "tensor"}

    def __init__(
        self, classes: Iterable[type], tensors: Mapping[str, Tensor], device: Any = "auto"
    ) -> None:
        super().__init__(classes, tensors)
        self.estimators: list[BaseEstimator] = []
        self._device = device

    def estimator(self, cls: type[BaseEstimator], parameters: Node, attributes: Node) -> Any:
        """Return a fitted estimator."""
        settings, fitted = self.decode_all(parameters), self.decode_all(attributes)
        names = cls().get_params(deep=False)
        if "device" in names:
            settings["device"] = self._device
        check_names(cls, settings, names, ())
        odd = [name for name in fitted if name.startswith("__") or hasattr(cls, name)]
        if odd:
            raise ValueError(f"{cls.__name__} has no such attributes: {odd[:3]}.")
        estimator = cls(**settings)
        vars(estimator).update(fitted)
        self.estimators.append(estimator)
        return estimator

    def _make(self, cls: Any, *parts: Node) -> Any:
        is_estimator = issubclass(cls, BaseEstimator)
        return self.estimator(cls, *parts) if is_estimator else super()._make(cls, *parts)

    def _network(self, content: Node) -> TSPulse:
        config, names = content
        weights = {name: self._take(place) for name, place in names.items()}
        return build_network(TSPulseConfig.from_dict(config), weights)

    def _tensor(self, content: Node) -> Tensor:
        tensor: Tensor = self._take(content)
        return tensor
