"""Fine-tuning by TSLens beside the linear probe: one code path for classes and numbers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from torch import Tensor

from ..base import TimeBudget, check_choice, check_number
from ..embedding import context_windows, count_windows
from ..network import LensSizes, TSLens, TSPulse
from ..series import Panel, Values
from .probe.base import BaseProbe
from .probe.features import Levels, levels_of
from .probe.representations import FORMS
from .probe.samples import distinct
from .tasks import Mix, Task, hold_out
from .tslens.batches import Examples
from .tslens.training import Row, Tuning, table, tune

__all__ = ["BaseTSLens"]

_ENOUGH_SERIES = 1000  # below, "auto" does not try fine-tuning, which never paid there
_READ_A_SECOND = 500  # windows of a channel that one core embeds with time left for the rest
_TUNED_A_SECOND = 80  # the same, that one core encodes and sees in ten epochs
_NUMBERS: dict[str, tuple[Any, float, float]] = {
    **dict.fromkeys(
        (
            "max_epochs",
            "train_batch_size",
            "n_iter_no_change",
            "channel_expansion",
            "head_width",
        ),
        (Integral, 1, math.inf),
    ),
    "mask_ratio": (Real, 0, 0.9),
    "validation_fraction": (Real, 0.01, 0.5),
    "max_time": (Real, 0, math.inf),
}


class Labelled(NamedTuple):
    """Different series in an order that does not depend on how they came."""

    series: list[Values]
    targets: Any
    weights: Values

    def take(self, places: Any) -> Labelled:
        """Return those chosen by a mask."""
        chosen = np.flatnonzero(places).tolist()
        series = [self.series[i] for i in chosen]
        return Labelled(series, self.targets[chosen], self.weights[chosen])


class Moments(NamedTuple):
    """Level and scale of channels as TSLens reads them: mean 0 and variance 1 in training."""

    levels: Levels
    mean: Values
    deviation: Values

    @classmethod
    def of(cls, series: list[Values], weights: Values) -> Self:
        found = levels_of(series)
        levels = Levels.of(found, weights)
        mean = np.average(levels(found), axis=0, weights=weights)
        variance = np.average(np.square(levels(found) - mean), axis=0, weights=weights)
        return cls(levels, mean, np.sqrt(np.where(variance > 1e-6, variance, 1)))

    def __call__(self, series: list[Values]) -> Values:
        return np.asarray((self.levels(levels_of(series)) - self.mean) / self.deviation)


class Tuned(NamedTuple):
    """What is left of fine-tuning: the weights that were trained, and what they need."""

    sizes: LensSizes
    tune_embeddings: bool
    weights: dict[str, NDArray[np.float32]]
    moments: Moments

    @classmethod
    def of(cls, lens: TSLens, moments: Moments) -> Self:
        weights = {name: weight.numpy() for name, weight in lens.trained_state().items()}
        return cls(lens.sizes, lens.tune_embeddings, weights, moments)

    def build(self, network: TSPulse) -> TSLens:
        """Put the weights on a network."""
        lens = TSLens(network, self.sizes, tune_embeddings=self.tune_embeddings)
        lens.load_state_dict(self.tensors(), strict=False)
        return lens.eval()

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights that were trained, by name."""
        return {name: torch.from_numpy(weight) for name, weight in self.weights.items()}


class Outcome(NamedTuple):
    """What came of fine-tuning: by default, nothing."""

    tuned: Tuned | None = None
    mix: Mix = Mix(0.0)
    rows: Sequence[Row] = ()


class BaseTSLens(BaseProbe):
    """Base of the estimators that answer by a probe, by a fine-tuned TSLens, or by both.

    Subclasses have the parameters of ``BaseProbe`` and those of fine-tuning.
    """

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._check_choice("strategy", ["auto", "probe", "tslens"])
        for name, bounds in _NUMBERS.items():
            check_number(name, getattr(self, name), *bounds)
        if isinstance(self.lr, str):
            check_choice("lr", self.lr, ["auto"])
        else:
            check_number("lr", self.lr, Real, 0, math.inf)

    def _learn(self, X: ArrayLike, task: Task, targets: Any, weights: Values) -> Any:
        """Fit what the strategy asks for, note what came of it, and return the linear head."""
        clock = TimeBudget(self.max_time)
        network = self._read_checkpoint()
        panel = self._check(X, network, reset=True)
        chosen, sums = distinct(panel, targets, weights)
        labelled = Labelled([panel[i] for i in chosen], targets[chosen], sums)
        head = task.head()
        probe = features = None
        found, self.n_forms_ = Outcome(), 0
        n_windows = count_windows(labelled.series, network.config.context_length, self._windowing)
        reading = (network, labelled.series, self._n_affordable(n_windows), clock)
        if self.strategy != "tslens":
            features, self.n_forms_ = self._extract(*reading)
            probe = self._fit_probe(features, *labelled[1:], head, clock)
        if self.strategy == "tslens" or self._is_worth_tuning(len(chosen), n_windows):
            found = self._tune(network, task, labelled, features, clock)
        if self.strategy == "tslens" and found.tuned is None:
            features, self.n_forms_ = self._extract(*reading)
            probe = self._fit_probe(features, *labelled[1:], head, clock)
        self._probe = probe if found.mix.share < 1 else None
        self.n_forms_ *= self._probe is not None
        self._tuned, self._mix, self.history_ = found.tuned, found.mix, table(found.rows)
        self.strategy_ = found.mix.strategy
        self.n_iter_ = len(found.rows)
        self._fit_network()
        return head

    def _n_affordable(self, n_windows: int) -> int:
        """Count the forms that can be read in time, by the work that it is, not by the clock."""
        affordable = self.max_time * _READ_A_SECOND / n_windows
        return int(max(1, min(len(FORMS[self.length]), affordable)))

    def _is_worth_tuning(self, n_series: int, n_windows: int) -> bool:
        is_affordable = n_windows <= self.max_time * _TUNED_A_SECOND
        return self.strategy == "auto" and n_series >= _ENOUGH_SERIES and is_affordable

    def _tune(
        self,
        network: TSPulse,
        task: Task,
        labelled: Labelled,
        features: Values | None,
        clock: TimeBudget,
    ) -> Outcome:
        """Train on most of the series; mix with the probe as suits the others best."""
        if clock.left <= 0:
            self._warn_of_time(len(labelled.series))
            return Outcome()
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        held = hold_out(labelled.targets, self.validation_fraction, np.random.default_rng(seed))
        # Where no class has two members, there is nothing to watch but the training itself.
        parts = [labelled.take(part) for part in (~held, held if held.any() else ~held)]
        task.learn(*parts[0][1:])
        probe = None
        if features is not None:
            if not held.any():
                return Outcome()
            fitted = self._fit_probe(features[~held], *parts[0][1:], task.head(), clock)
            probe = fitted(features[held])
            if task.is_solved(probe, parts[1].targets):
                return Outcome()
        moments = Moments.of(*parts[0][::2])
        lens = self._new_lens(network, task, seed)
        examples = [self._examples(network, task, moments, part) for part in parts]
        watched = tune(lens, (examples[0][0], examples[1][0]), task, self._tuning(seed), clock)
        if watched is None:
            self._warn_of_time(len(labelled.series))
            return Outcome()
        rows, outputs = watched
        answers = _mean_of_windows(outputs.double().numpy(), examples[1][1])
        mix = task.mix(probe, answers, *parts[1][1:])
        return Outcome(Tuned.of(lens, moments) if mix.share else None, mix, rows)

    def _new_lens(self, network: TSPulse, task: Task, seed: int) -> TSLens:
        sizes = LensSizes(
            self.n_channels_in_, task.n_outputs, self.channel_expansion, self.head_width
        )
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            lens = TSLens(network, sizes, tune_embeddings=self.tune_embeddings)
        before = getattr(self, "_tuned", None) if self.warm_start else None
        if before is not None and before.sizes == sizes:
            lens.load_state_dict(before.tensors(), strict=False)
        return lens.to(next(network.parameters()).device)

    def _examples(
        self, network: TSPulse, task: Task, moments: Moments, part: Labelled
    ) -> tuple[Examples, NDArray[np.intp]]:
        """Return the windows of series as examples, and the series of each."""
        context_length = network.config.context_length
        pieces = [
            np.concatenate(list(blocks)).astype(np.float32)
            for blocks in (
                context_windows(series, context_length, self._windowing) for series in part.series
            )
        ]
        counts = np.array([len(piece) for piece in pieces])
        owners = np.repeat(np.arange(len(counts)), counts)
        weights = (part.weights / counts)[owners]
        x = torch.from_numpy(np.concatenate(pieces))
        examples = Examples(
            x.nan_to_num(),
            ~x.isnan(),
            torch.from_numpy(moments(part.series)[owners]).float(),
            task.encode(part.targets[owners]),
            torch.from_numpy(weights / weights.mean()).float(),
        )
        return examples, owners

    def _tuning(self, seed: int) -> Tuning:
        return Tuning(
            self.max_epochs,
            self.lr,
            self.train_batch_size,
            self.mask_ratio,
            self.n_iter_no_change,
            seed,
            self.callbacks or (),
            show_progress=self.verbose > 0,
        )

    def _warn_of_time(self, n_series: int) -> None:
        warnings.warn(
            f"max_time={self.max_time} s was too short to train TSLens on {n_series} series of "
            f"{self.n_channels_in_} channels, so {type(self).__name__} answers by the probe alone. "
            "Allow more time, or set strategy='probe'.",
            UserWarning,
            stacklevel=5,
        )

    def _decide(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return what is made of each series: ``(n_series, n_outputs)``."""
        network = self._load_network()
        panel = self._check(X, network, reset=False)
        probe = None
        if self._probe is not None:
            probe = self._probe(self._extract(network, panel, self.n_forms_)[0])
        if self._tuned is None:
            return np.asarray(probe)
        lens = self._look(network, self._tuned, panel)
        return np.asarray(self._mix(0 if probe is None else probe, lens))

    def _look(self, network: TSPulse, tuned: Tuned, panel: Panel) -> NDArray[np.float64]:
        """Return the outputs of TSLens, averaged over the windows of each series."""
        lens = tuned.build(network)
        # One by one: in a batch, rounding would depend on the neighbours.
        return np.array([self._look_at(lens, series, tuned.moments([series])) for series in panel])

    def _look_at(self, lens: TSLens, series: Values, moments: Values) -> NDArray[np.float64]:
        device = next(lens.parameters()).device
        outputs = []
        context_length = lens.network.config.context_length
        for windows in context_windows(series, context_length, self._windowing):
            for first in range(0, len(windows), self.batch_size):
                x = torch.from_numpy(windows[first : first + self.batch_size]).float().to(device)
                repeated = torch.from_numpy(moments).float().to(device).expand(len(x), -1)
                with torch.inference_mode():
                    outputs.append(lens(repeated, x=x.nan_to_num(), observed=~x.isnan()))
        return np.asarray(torch.cat(outputs).double().mean(0).cpu())


def _mean_of_windows(outputs: Values, owners: NDArray[np.intp]) -> Values:
    """Average the outputs of the windows of each series."""
    sums = np.zeros((owners[-1] + 1, outputs.shape[1]))
    np.add.at(sums, owners, outputs)
    return np.asarray(sums / np.bincount(owners)[:, None])
