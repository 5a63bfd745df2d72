"""Options of pre-training that belong together, as objects with nested parameters."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, TypeVar

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, InvalidParameterError

from ..pages import Documented

__all__ = ["OptimizerOptions", "WindowSampling", "checked_options"]

Group = TypeVar("Group", bound=BaseEstimator)
_FRACTION = Interval(Real, 0, 1, closed="both")
_BELOW_ONE = Interval(Real, 0, 1, closed="neither")
_AT_LEAST_ONE = Interval(Real, 1, None, closed="left")


class WindowSampling(Documented, BaseEstimator):
    """How windows for pre-training are drawn, augmented and masked.

    Pass it as ``windows`` to :class:`TSPulsePretrainer`. Its parameters can then be set, and
    searched over, as ``windows__mask_fraction`` and so on.

    Parameters
    ----------
    mask_fraction : (float, float), default=(0.05, 0.6)
        Range of the fraction of points hidden in a window, in [0, 1].
    block_fraction : (float, float), default=(0.25, 1.0)
        Range of the fraction of hidden points that lie in whole patches, in [0, 1].
    synthetic_fraction : float, default=0.25
        Fraction of windows that are synthetic, in [0, 1].
    resolutions : tuple of float, default=(0.5, 1, 2, 4, 8)
        Time steps of a series that become one time step of a window: a whole number
        downsamples the series, a fraction below 1 upsamples it. Drawn for each window.
    augment : bool, default=True
        Whether to flip windows, blend them and add noise.

    See Also
    --------
    OptimizerOptions : How the weights are updated.
    TSPulsePretrainer : Trains a network.

    Examples
    --------
    >>> from sktspulse import TSPulsePretrainer, WindowSampling
    >>> pretrainer = TSPulsePretrainer(windows=WindowSampling(synthetic_fraction=0.0))
    >>> pretrainer.set_params(windows__mask_fraction=(0.1, 0.4)).windows
    WindowSampling(mask_fraction=(0.1, 0.4), synthetic_fraction=0.0)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "mask_fraction": [tuple, list],
        "block_fraction": [tuple, list],
        "synthetic_fraction": [_FRACTION],
        "resolutions": [tuple, list],
        "augment": ["boolean"],
    }

    def __init__(
        self,
        *,
        mask_fraction: tuple[float, float] = (0.05, 0.6),
        block_fraction: tuple[float, float] = (0.25, 1.0),
        synthetic_fraction: float = 0.25,
        resolutions: tuple[float, ...] = (0.5, 1, 2, 4, 8),
        augment: bool = True,
    ) -> None:
        self.mask_fraction = mask_fraction
        self.block_fraction = block_fraction
        self.synthetic_fraction = synthetic_fraction
        self.resolutions = resolutions
        self.augment = augment

    def _validate_params(self) -> None:
        super()._validate_params()
        for name in ("mask_fraction", "block_fraction"):
            if not _is_range(getattr(self, name)):
                self._refuse(name, "two numbers in [0, 1], the lower one first")
        if not self.resolutions or not all(map(_is_resolution, self.resolutions)):
            self._refuse("resolutions", "whole numbers above 0 and fractions between 0 and 1")

    def _refuse(self, name: str, expected: str) -> None:
        raise InvalidParameterError(
            f"The {name!r} parameter of {type(self).__name__} must be {expected}. "
            f"Got {getattr(self, name)!r} instead."
        )


class OptimizerOptions(Documented, BaseEstimator):
    """How the weights are updated and averaged during pre-training.

    Pass it as ``optimizer`` to :class:`TSPulsePretrainer`. Its parameters can then be set, and
    searched over, as ``optimizer__weight_decay`` and so on.

    Parameters
    ----------
    warmup_steps : int, default=300
        Steps over which the learning rate rises to ``lr``.
    decay_fraction : float, default=0.2
        Fraction of all steps, at the end, over which the learning rate falls to 0, in [0, 1].
    weight_decay : float, default=0.01
        Decoupled weight decay.
    ema_decay : float, default=0.999
        Decay of the exponential moving average of the weights, in [0, 1].

    See Also
    --------
    TSPulsePretrainer : Trains a network.
    WindowSampling : How windows are drawn.

    Examples
    --------
    >>> from sktspulse import OptimizerOptions, TSPulsePretrainer
    >>> pretrainer = TSPulsePretrainer(optimizer=OptimizerOptions(warmup_steps=20))
    >>> pretrainer.set_params(optimizer__ema_decay=0.99).optimizer
    OptimizerOptions(ema_decay=0.99, warmup_steps=20)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "warmup_steps": [Interval(Integral, 0, None, closed="left")],
        "decay_fraction": [_FRACTION],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "ema_decay": [_FRACTION],
    }

    def __init__(
        self,
        *,
        warmup_steps: int = 300,
        decay_fraction: float = 0.2,
        weight_decay: float = 0.01,
        ema_decay: float = 0.999,
    ) -> None:
        self.warmup_steps = warmup_steps
        self.decay_fraction = decay_fraction
        self.weight_decay = weight_decay
        self.ema_decay = ema_decay


def checked_options(options: Group | None, default: type[Group]) -> Group:
    """Check options, or make the default ones if there are none."""
    options = default() if options is None else options
    options._validate_params()
    return options


def _is_range(value: Any) -> bool:
    is_pair = len(value) == 2 and all(map(_FRACTION.is_satisfied_by, value))
    return is_pair and value[0] <= value[1]


def _is_resolution(value: Any) -> bool:
    is_whole = _AT_LEAST_ONE.is_satisfied_by(value) and value % 1 == 0
    return is_whole or _BELOW_ONE.is_satisfied_by(value)
