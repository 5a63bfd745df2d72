"""What the classifier and the regressor share."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse, TimeBudget
from ..embedding import count_windows
from ..network import TSPulse, isolated
from ..series import Floats, Panel, check_panel
from .probe.kernels import KernelBank
from .probe.probe import FeatureExtractor, LinearHead, Probe
from .probe.representations import REPRESENTATIONS
from .samples import Samples, merge_duplicates
from .strategies import TSLens
from .tasks import Task
from .tslens.training import TSLensModel

__all__ = ["BaseSupervised"]

_WINDOWS_PER_SECOND = 500  # embedded by one core, with time left for the linear models


class BaseSupervised(BaseTSPulse):
    """Base of the estimators that fit a linear probe or a TSLens."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTSPulse._parameter_constraints,
        "strategy": [StrOptions({"auto", "probe", "tslens"}), TSLens],
        "windowing": [StrOptions({"resample", "sliding"})],
        "max_time": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }
    _model: Probe | TSLensModel
    _task_class: type[Task]
    _head_class: type[LinearHead]
    _uses_values = False  # whether the values of the series are features, too

    def _validate_params(self) -> None:
        super()._validate_params()
        if isinstance(self.strategy, TSLens):
            self.strategy._validate_params()

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
        """Fit the linear model on as many representations as ``max_time`` allows."""
        budget = TimeBudget(self.max_time)
        n_windows = self._count_windows(network, samples.X)
        affordable = max(1, int(self.max_time * _WINDOWS_PER_SECOND / n_windows))
        n_representations = min(len(REPRESENTATIONS[self.windowing]), affordable)
        kernels = KernelBank.fit(samples.X)
        extractor = FeatureExtractor(self.windowing, n_representations, self._uses_values, kernels)
        with self._progress(n_representations * n_windows) as progress:
            embeddings = extractor.embed(network, samples.X, self.batch_size, progress, budget)
        return Probe.fit(extractor, embeddings, samples, self._head_class, budget)

    def _outputs(self, X: ArrayLike) -> Floats:
        """Return log-odds or predictions, ``(n_series, n_outputs)``."""
        check_is_fitted(self)
        network = self._load_network()
        panel = self._check_panel(X, network, reset=False)
        n_passes = max(1, self.n_representations_)
        with self._progress(n_passes * self._count_windows(network, panel)) as progress:
            return self._model.outputs(network, panel, self.batch_size, progress)

    def _count_windows(self, network: TSPulse, panel: Panel) -> int:
        return count_windows(panel, network.config.context_length, self._windowing)
