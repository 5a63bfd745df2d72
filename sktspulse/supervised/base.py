"""What the classifier and the regressor share."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse, TimeBudget
from ..embedding import count_windows
from ..network import TSPulse, isolated, limit_threads
from ..series import Floats, Panel, check_panel
from .probe.extraction import FeatureExtractor, NetworkReader
from .probe.probe import LinearHead, Probe
from .probe.representations import count_representations
from .samples import Samples, merge_duplicates
from .saved_classes import SAVED_CLASSES
from .strategies import TSLens
from .tasks import Task
from .tslens.training import TSLensModel

__all__ = ["BaseSupervised", "supervised_parts"]

_MAX_WINDOWS = 12_000  # embedded by fit, unless one representation of the panel has more
_MEMBERS = frozenset({"network", "kernels", "quantiles"})
_LATE = (
    "fit took longer than max_time={:g} seconds, so it left out trees or did not search for the "
    "best strength of regularisation. Raise max_time, or leave it None, for the same result on any "
    "machine."
)


class BaseSupervised(BaseTSPulse):
    """Base of the estimators that fit a linear probe or a TSLens."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTSPulse._parameter_constraints,
        "strategy": [StrOptions({"auto", "probe", "tslens"}), TSLens],
        "windowing": [StrOptions({"resample", "sliding"})],
        "members": [list, tuple],
        "max_time": [Interval(Real, 0, None, closed="left"), None],
        "random_state": ["random_state"],
    }
    _saved_classes = SAVED_CLASSES
    _model: Probe | TSLensModel
    _task_class: type[Task]
    _fit_head: Callable[..., LinearHead]
    _uses_values = False  # whether the values of the series are features, too

    def _validate_params(self) -> None:
        super()._validate_params()
        if isinstance(self.strategy, TSLens):
            self.strategy._validate_params()
        strange = [one for one in self.members if not _is_member(one)]
        if strange or not self.members:
            raise ValueError(
                f"members is {self.members!r}, expected one or more of {sorted(_MEMBERS)} and of "
                "transformers of panels, which have fit and transform."
            )

    def _check_panel(self, X: ArrayLike, network: TSPulse, *, reset: bool) -> Panel:
        if reset:
            self._windowing = self.windowing
        least = 2 if self._windowing == "resample" else network.config.patch_length
        return check_panel(self, X, reset=reset, min_timepoints=least)

    def _fit_model(self, network: TSPulse, samples: Samples) -> Probe | TSLensModel:
        """Fit what ``strategy`` asks for, and set the attributes that describe it."""
        samples = merge_duplicates(samples._replace(X=list(samples.X)))
        options = TSLens() if self.strategy == "tslens" else self.strategy
        if isinstance(options, TSLens):
            self._model = tslens = self._fit_tslens(options, network, samples)
            self.strategy_, self.history_, self.n_representations_ = "tslens", tslens.history, 0
        else:
            self._model = probe = self._fit_probe(network, samples)
            self.strategy_, self.history_ = "probe", {}
            self.n_representations_ = probe.extractor.n_representations
        self.n_iter_ = len(self.history_.get("epoch", ()))
        return self._model

    def _fit_tslens(self, options: TSLens, network: TSPulse, samples: Samples) -> TSLensModel:
        with isolated(next(network.parameters()).device):
            return TSLensModel.fit(
                options,
                network,
                samples,
                self._task_class.fit(samples.y, samples.weights),
                windowing=self.windowing,
                seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
                verbose=self.verbose,
            )

    def _fit_probe(self, network: TSPulse, samples: Samples) -> Probe:
        """Fit the members to as many representations as the size of the panel allows."""
        budget = TimeBudget(np.inf if self.max_time is None else self.max_time)
        n_windows = self._count_windows(network, samples.X)
        affordable = max(1, _MAX_WINDOWS // n_windows)
        worthwhile = count_representations(self.windowing, len(samples.X[0]))
        n_representations = min(worthwhile, affordable)
        extractor = FeatureExtractor.fit(
            self.members, samples.X, self.windowing, n_representations, self._uses_values
        )
        bar = self._progress(extractor.n_representations * n_windows)
        with limit_threads(self.n_jobs), bar as progress:
            probe = Probe.fit(
                extractor,
                NetworkReader(network, self.batch_size, progress),
                samples,
                self._fit_head,
                with_trees="quantiles" in self.members,
                is_late=lambda: budget.left <= 0,
            )
        if budget.left <= 0:
            warnings.warn(_LATE.format(self.max_time), ConvergenceWarning, stacklevel=4)
        return probe

    def _outputs(self, X: ArrayLike) -> Floats:
        """Return log-odds or predictions, ``(n_series, n_outputs)``."""
        check_is_fitted(self)
        network = self._load_network()
        panel = self._check_panel(X, network, reset=False)
        n_passes = self.n_representations_ if self.strategy_ == "probe" else 1
        bar = self._progress(n_passes * self._count_windows(network, panel))
        with limit_threads(self.n_jobs), bar as progress:
            return self._model.outputs(network, panel, self.batch_size, progress)

    def _count_windows(self, network: TSPulse, panel: Panel) -> int:
        return count_windows(panel, network.config.context_length, self._windowing)


def _is_member(one: Any) -> bool:
    if isinstance(one, str):
        return one in _MEMBERS
    return hasattr(one, "fit") and hasattr(one, "transform") and not isinstance(one, type)


def supervised_parts(estimator: BaseSupervised) -> dict[str, Any]:
    """Return what a fitted classifier or regressor predicts with, beside the network."""
    return {"model": estimator._model, "windowing": estimator._windowing}
