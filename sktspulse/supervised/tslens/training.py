"""Training of a TSLens on labelled series, and the trained model."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    GradientNormClipping,
    LRScheduler,
    ProgressBar,
)
from skorch.helper import predefined_split
from skorch.utils import noop
from torch import Generator, Tensor
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import TensorDataset

from ...embedding import Windowing
from ...network import NewWeights, Progress, TSLensConfig, TSLensNetwork, TSPulse, isolated
from ...series import Floats, Indices, Panel, Values
from ..levels import ColumnScaler, RobustLevelScaler, level_features
from ..samples import Samples
from ..tasks import Task
from .batches import Batch, MaskedCollate, average_windows, cut_panel, validation_mask

if TYPE_CHECKING:
    from ..strategies import TSLens

__all__ = ["MomentScaler", "TSLensModel"]

History = dict[str, list[float]]

_MAX_GRADIENT_NORM = 1.0
_WEIGHT_DECAY = 0.01
_MIN_DEVIATION = 1e-3  # of scaled levels and scales, below which a column counts as constant
_MAX_LOSS = 1e3  # of a training that does not diverge; without any learning it is about 1
_COLUMNS = {"epoch": "epoch", "train_loss": "train_loss", "valid_loss": "valid_loss"}
_COLUMNS |= {"lr": "lr", "dur": "seconds"}  # skorch's name -> ours


class MomentScaler(NamedTuple):
    """Level and scale of channels, standardised over the training series."""

    levels: RobustLevelScaler
    columns: ColumnScaler

    @classmethod
    def fit(cls, panel: Panel, weights: Values) -> Self:
        """Learn the scaling from the training series."""
        features = level_features(panel)
        levels = RobustLevelScaler.fit(features, weights)
        return cls(levels, ColumnScaler.fit(levels(features), weights, _MIN_DEVIATION))

    def __call__(self, panel: Panel) -> Floats:
        """Return standardised levels and scales, ``(n_series, 2 * n_channels)``."""
        return self.columns(self.levels(level_features(panel)))


class TSLensModel(NamedTuple):
    """A trained TSLens without the weights of the backbone."""

    config: TSLensConfig
    weights: dict[str, NDArray[np.float32]]
    moments: MomentScaler
    windowing: Windowing
    factor: Values | float  # brings outputs to calibrated log-odds, or to units of the targets
    shift: Values | float
    history: History

    @classmethod
    def fit(
        cls,
        options: TSLens,
        network: TSPulse,
        samples: Samples,
        task: Task,
        *,
        windowing: Windowing,
        seed: int,
        verbose: int,
    ) -> Self:
        """Train on most of the series, and stop and calibrate on the others."""
        rng = np.random.default_rng(seed)
        held_out = validation_mask(samples.y, options.validation_fraction, rng)
        train = samples.take(~held_out)
        # If no class has two members, only the training series are left to validate on.
        valid = samples.take(held_out) if held_out.any() else train
        moments = MomentScaler.fit(train.X, train.weights)
        cut = partial(_labelled_windows, network, task, moments, windowing)
        (train_set, _), (valid_set, owners) = cut(train), cut(valid)
        lens = _untrained(options, network, len(train.X[0]), task.n_outputs, seed)
        net = _net(options, lens, (train_set, valid_set), task, seed, verbose)
        _train(net, train_set, options)
        outputs = torch.cat([part.cpu() for part in net.forward_iter(valid_set)])
        answers = average_windows(outputs.double().numpy(), owners)
        weights = {name: weight.numpy() for name, weight in lens.trained_weights().items()}
        scale = task.output_scale(answers, valid.y, valid.weights)
        return cls(lens.config, weights, moments, windowing, *scale, _history(net))

    @property
    def temperature(self) -> float:
        """Temperature of a classifier."""
        return 1 / float(self.factor)

    def outputs(
        self, network: TSPulse, panel: Panel, batch_size: int, progress: Progress | None
    ) -> Floats:
        """Return log-odds or predictions, ``(n_series, n_outputs)``."""
        device = next(network.parameters()).device
        with isolated(device), torch.inference_mode():
            lens = self._lens(network, device)
            blocks = (panel[i : i + batch_size] for i in range(0, len(panel), batch_size))
            answers = [self._block(lens, block, batch_size, progress) for block in blocks]
        return np.concatenate(answers) * self.factor + self.shift

    def _lens(self, network: TSPulse, device: torch.device) -> TSLensNetwork:
        weights = {name: torch.from_numpy(weight) for name, weight in self.weights.items()}
        lens = TSLensNetwork.from_weights(network, self.config, weights)
        # In single precision, an answer would depend on its batch by more than scikit-learn's
        # checks allow (1e-7). Not all accelerators have double precision.
        return lens.to(device, torch.float64 if device.type == "cpu" else torch.float32)

    def _block(
        self, lens: TSLensNetwork, panel: Panel, batch_size: int, progress: Progress | None
    ) -> Floats:
        """Return the average outputs of the windows of some series."""
        windows, owners = cut_panel(panel, lens.network.config.context_length, self.windowing)
        moments = self.moments(panel)[owners]
        weight = next(lens.parameters())
        parts = []
        for first in range(0, len(windows), batch_size):
            rows = slice(first, first + batch_size)
            x, levels = (torch.from_numpy(part[rows]).to(weight) for part in (windows, moments))
            parts.append(lens(x.nan_to_num(), ~x.isnan(), levels).cpu().double())
            if progress is not None:
                progress.update(len(x) * x.shape[1])
        return average_windows(torch.cat(parts).numpy(), owners)


class DivergenceError(ArithmeticError):
    """Raised if the training diverges."""


class RecordEpoch(Callback):
    """Record the validation loss, over all windows together, and the learning rate."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Start with no outputs."""
        self.parts: list[list[Tensor]] = []

    def on_batch_end(
        self, net: Any, batch: Batch, training: bool, y_pred: Tensor, **kwargs: Any
    ) -> None:
        """Collect the outputs of a validation batch."""
        if not training:
            self.parts.append([y_pred, batch[1]["targets"], batch[1]["weights"]])

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Write to skorch's history, unless the training diverges."""
        loss = net.history[-1, "train_loss"]
        if not loss < _MAX_LOSS or not all(part[0].isfinite().all() for part in self.parts):
            raise DivergenceError(
                f"its training loss is {loss:.3g} after {len(net.history)} epochs"
            )
        arrays = [torch.cat(part).cpu().double().numpy() for part in zip(*self.parts, strict=True)]
        net.history.record("valid_loss", self.task.validation_loss(*arrays))
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])


def _train(net: NeuralNet, train_set: TensorDataset, options: TSLens) -> None:
    """Train; a ValueError says what to do if the training diverges or a callback fails."""
    try:
        _run(net, train_set)
    except DivergenceError as error:
        raise ValueError(
            f"TSLens diverged: {error}. Lower lr, which is {options.lr}, to 0.005 or less."
        ) from error
    except Exception as error:
        if not options.callbacks:
            raise
        names = [type(one).__name__ for one in options.callbacks]
        raise ValueError(
            f"Training with callbacks {names} failed: {error!r}. The network is trained on "
            "windows, with 'train_loss' and 'valid_loss' in net.history, and has no net.predict. "
            "Leave out callbacks that need more."
        ) from error


def _labelled_windows(
    network: TSPulse, task: Task, moments: MomentScaler, windowing: Windowing, samples: Samples
) -> tuple[TensorDataset, Indices]:
    """Return windows with moments, targets and weights, and the series of each window."""
    windows, owners = cut_panel(samples.X, network.config.context_length, windowing)
    weights = (samples.weights / np.bincount(owners))[owners]
    dataset = TensorDataset(
        torch.from_numpy(windows),
        torch.from_numpy(moments(samples.X)[owners]).float(),
        task.encode(samples.y[owners]),
        torch.from_numpy(weights / weights.mean()).float(),
    )
    return dataset, owners


def _untrained(
    options: TSLens, network: TSPulse, n_channels: int, n_outputs: int, seed: int
) -> TSLensNetwork:
    """Return a TSLens with new weights drawn from the seed."""
    config = TSLensConfig(
        n_channels,
        n_outputs,
        options.channel_expansion,
        options.head_width,
        options.fine_tune_embeddings,
    )
    with NewWeights(Generator().manual_seed(seed)):
        lens = TSLensNetwork(network, config)
    return lens.to(next(network.parameters()).device).eval()


def _net(
    options: TSLens,
    lens: TSLensNetwork,
    datasets: tuple[TensorDataset, TensorDataset],
    task: Task,
    seed: int,
    verbose: int,
) -> NeuralNet:
    """Set up the training."""
    train, valid = datasets
    generator = Generator().manual_seed(seed)
    patch_length = lens.network.config.patch_length

    def weighted_loss(outputs: Tensor, batch: dict[str, Tensor]) -> Tensor:
        return (batch["weights"] * task.loss(outputs, batch["targets"])).mean()

    return NeuralNet(
        lens,
        criterion=lambda: weighted_loss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=_WEIGHT_DECAY,
        max_epochs=options.max_epochs,
        batch_size=options.batch_size,
        train_split=predefined_split(valid),
        device=next(lens.parameters()).device,
        iterator_train__shuffle=True,
        iterator_train__generator=generator,
        iterator_train__collate_fn=MaskedCollate(options.mask_fraction, patch_length, generator),
        iterator_valid__generator=Generator(),
        iterator_valid__collate_fn=MaskedCollate(0, patch_length, generator),
        callbacks=[
            RecordEpoch(task),
            GradientNormClipping(_MAX_GRADIENT_NORM),
            _one_cycle(options, len(train)),
            *([ProgressBar()] if verbose else []),
            *(options.callbacks or []),
            EarlyStopping(patience=options.n_iter_no_change, sink=noop, load_best=True),
        ],
        callbacks__valid_loss=None,
        callbacks__print_log=None,
    )


def _run(net: NeuralNet, dataset: TensorDataset) -> None:
    """Train until the end or an early stop; unlike skorch, let a KeyboardInterrupt through."""
    net.initialize()
    net.notify("on_train_begin", X=dataset, y=None)
    try:
        net.fit_loop(dataset)
    except KeyboardInterrupt:  # from the keyboard, or how skorch's callback stops early
        if not any(_is_exhausted(callback) for _, callback in net.callbacks_):
            raise
    net.notify("on_train_end", X=dataset, y=None)


def _is_exhausted(callback: Callback) -> bool:
    return isinstance(callback, EarlyStopping) and callback.misses_ == callback.patience


def _one_cycle(options: TSLens, n_windows: int) -> LRScheduler:
    n_steps = options.max_epochs * math.ceil(n_windows / options.batch_size)
    return LRScheduler(
        OneCycleLR,
        step_every="batch",
        max_lr=options.lr,
        total_steps=n_steps,
        cycle_momentum=False,
    )


def _history(net: NeuralNet) -> History:
    """Return a list for each column; an interrupted epoch is left out."""
    rows = [row for row in net.history if _COLUMNS.keys() <= row.keys()]
    return {ours: [row[theirs] for row in rows] for theirs, ours in _COLUMNS.items()}
