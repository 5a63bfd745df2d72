"""The estimator that trains a network on unlabelled series."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, GradientNormClipping

from ..network import (
    NewWeights,
    TSPulse,
    TSPulseConfig,
    isolated,
    load_checkpoint,
    resolve_device,
    save_checkpoint,
)
from ..pages import Documented
from ..series import check_panel, fitted_copy
from .augmentation import span_length
from .batches import MaskedBatches, loader_settings, random_mask
from .callbacks import HistoryLog, ProgressBar, WeightEMA, history_columns
from .corpus import Corpus, WindowStream
from .losses import LOSS_WEIGHTS, PAIR_LOSSES, PretrainingLoss, needs_pairs
from .net import AcceleratedNet, PretrainingNet
from .optimizer import MAX_GRADIENT_NORM, MuonAdamW
from .options import OptimizerOptions, WindowSampling, checked_options
from .run_state import RunCheckpoint, check_writable, load_state
from .schedule import Schedule

__all__ = ["TSPulsePretrainer"]

_COUNT = Interval(Integral, 1, None, closed="left")


class _Settings(NamedTuple):
    """Parameters after validation, with the defaults filled in."""

    config: TSPulseConfig
    loss_weights: dict[str, float]
    windows: WindowSampling
    optimizer: OptimizerOptions


class TSPulsePretrainer(Documented, BaseEstimator):
    """Pre-train a TSPulse network on many unlabelled series.

    The network learns to fill hidden parts of windows, to describe their spectrum, to
    forecast what follows, and to tell series apart. The result is a checkpoint for
    the other estimators. They come with a network that is already trained: use this
    class only if you have many series of an unusual kind, or want other sizes.

    Parameters
    ----------
    config : TSPulseConfig, default=None
        Sizes of the network, with one channel; None takes those of ``checkpoint``, or
        else the defaults.
    checkpoint : str or path-like, default=None
        Network to start from: name of a shipped one, or path; None starts from random
        weights.
    max_epochs : int, default=100
        Total number of epochs, including those before a resumption.
    steps_per_epoch : int, default=500
        Steps per epoch. The state is saved after each epoch.
    batch_size : int, default=64
        Windows per step and process.
    lr : float, default=2e-3
        Peak learning rate.
    loss_weights : dict of str to float, default=None
        Weights of the losses that differ from the defaults: ``time`` 1, ``frequency`` 1,
        ``spectrum`` 0.3, ``signature`` 1, ``forecast`` 0.2, ``agreement`` 0.25 and
        ``alignment`` 0.25. Unless the last two are 0, windows come in pairs, two crops of
        one series.
    windows : WindowSampling, default=None
        How windows are drawn, augmented and masked; None takes ``WindowSampling()``.
    optimizer : OptimizerOptions, default=None
        Warm-up, decay and weight decay of the optimizer, and the average of the weights;
        None takes ``OptimizerOptions()``.
    precision : {"float32", "bfloat16"}, default="float32"
        Arithmetic of the network; weights and losses stay in single precision.
        ``"bfloat16"`` is faster if the hardware supports it.
    compile : bool, default=False
        Whether to use ``torch.compile``: it takes about a minute at the start and makes
        steps faster. On the CPU it needs a C++ compiler.
    device : str or torch.device, default="auto"
        Where to train; ``"auto"`` takes CUDA, else MPS, else the CPU. Ignored with an
        ``accelerator``.
    num_workers : int, default=0
        Background processes that draw windows; 0 draws them in the main process.
    path : path-like, default=None
        Folder for the state, ``history.csv`` and ``checkpoint.safetensors``, written
        after every epoch; None saves nothing. If that fails later, as on a full disk, a
        warning says so and the training goes on.
    resume : bool, default=False
        Whether to continue the run that is saved in ``path``, if there is one.
    accelerator : accelerate.Accelerator, default=None
        Trains together with all processes started by ``accelerate launch`` or
        ``torchrun``. They must share the folder ``path``.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, windows and masks.
    verbose : int, default=0
        Whether to show a progress bar with the losses and windows per second.

    Attributes
    ----------
    network_ : TSPulse
        The trained network: the moving average of the weights.
    history_ : dict of str to list
        One value per epoch: ``epoch``, ``n_steps`` done, the mean of each loss and of their
        weighted sum ``loss``, ``lr``, ``seconds`` and ``windows_per_second``.
    n_steps_ : int
        Steps done.
    n_channels_in_ : int
        Channels of a series, unless ``X`` came as files.
    n_features_in_ : int
        Time points of a panel with two axes, otherwise channels.
    feature_names_in_ : ndarray of str
        Names of the time points, if ``X`` was a data frame that names them by strings.

    See Also
    --------
    TSPulseTransformer : Embeds series with a trained network.
    TrainingDisplay : Draws the losses of a training.

    Notes
    -----
    One CPU core trains the default network on about 300 windows per second; the shipped
    checkpoint was trained on millions. NaN is missing and infinity is an error. Series are
    standardised one by one, channels are separate series, and series shorter than a window
    are padded with NaN. Windows are cut at random places, each at most once in an epoch.

    The same ``random_state`` gives the same network on the same machine, also if the run was
    killed and resumed. The global random generators are not used. Resume with the same
    parameters and data; only ``max_epochs`` may grow, as long as the decay has not begun.
    If the training is interrupted from the keyboard, a warning says so, and the result is
    the network reached so far.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033,
       section 3.4.

    Examples
    --------
    >>> from sktspulse import TSPulseConfig, TSPulsePretrainer
    >>> from sktspulse.datasets import make_series
    >>> X = make_series(20, 200, random_state=0)
    >>> small = TSPulseConfig(context_length=64, n_layers=1, n_signature_bins=32)
    >>> pretrainer = TSPulsePretrainer(
    ...     small, max_epochs=2, steps_per_epoch=3, batch_size=8, random_state=0
    ... )
    >>> pretrainer.fit(X).history_["n_steps"]
    [3, 6]
    >>> pretrainer.save(getfixture("tmp_path") / "small.safetensors")
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "config": [TSPulseConfig, None],
        "checkpoint": [str, os.PathLike, None],
        "max_epochs": [_COUNT],
        "steps_per_epoch": [_COUNT],
        "batch_size": [_COUNT],
        "lr": [Interval(Real, 0, None, closed="left")],
        "loss_weights": [dict, None],
        "windows": [WindowSampling, None],
        "optimizer": [OptimizerOptions, None],
        "precision": [StrOptions({"float32", "bfloat16"})],
        "compile": ["boolean"],
        "device": "no_validation",  # ``resolve_device`` does it
        "num_workers": [Interval(Integral, 0, None, closed="left")],
        "path": [str, os.PathLike, None],
        "resume": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        config: TSPulseConfig | None = None,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        max_epochs: int = 100,
        steps_per_epoch: int = 500,
        batch_size: int = 64,
        lr: float = 2e-3,
        loss_weights: dict[str, float] | None = None,
        windows: WindowSampling | None = None,
        optimizer: OptimizerOptions | None = None,
        precision: Literal["float32", "bfloat16"] = "float32",
        compile: bool = False,
        device: str | torch.device = "auto",
        num_workers: int = 0,
        path: str | os.PathLike[str] | None = None,
        resume: bool = False,
        accelerator: Any = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.config = config
        self.checkpoint = checkpoint
        self.max_epochs = max_epochs
        self.steps_per_epoch = steps_per_epoch
        self.batch_size = batch_size
        self.lr = lr
        self.loss_weights = loss_weights
        self.windows = windows
        self.optimizer = optimizer
        self.precision = precision
        self.compile = compile
        self.device = device
        self.num_workers = num_workers
        self.path = path
        self.resume = resume
        self.accelerator = accelerator
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: None = None) -> TSPulsePretrainer:
        """Train the network.

        Parameters
        ----------
        X : array-like, iterable of array-like, path-like, or list of path-like
            The series: a panel of shape ``(n_series, n_timepoints)`` or ``(n_series,
            n_channels, n_timepoints)``; an iterable of series of any length, each of shape
            ``(n_timepoints_i,)`` or ``(n_channels, n_timepoints_i)``; or ``.npz`` files with
            ``values`` (all series, one after the other), ``offsets`` (where each starts, and
            the end of the last) and ``source`` (the number of the data set of each series;
            sources are sampled in proportion to the square root of their points).
        y : None
            Ignored.

        Returns
        -------
        TSPulsePretrainer
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter or ``X`` is not valid, if nothing can be written in ``path``, or
            if ``path`` holds a run that is damaged, is not to be resumed, or has other sizes
            or loss weights.
        FloatingPointError
            If the training diverges.
        """
        with fitted_copy(self) as fitted:
            fitted._train(X)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the network as a checkpoint that other estimators load by its path.

        Parameters
        ----------
        path : path-like
            Name of the file, ending in ``.safetensors``.
        """
        check_is_fitted(self)
        save_checkpoint(self.network_, path, {"n_steps": self.n_steps_})

    def _train(self, X: Any) -> None:
        """Train the network and set the fitted attributes."""
        settings = self._check_parameters()
        corpus = self._read_corpus(X)
        folder = None if self.path is None else Path(self.path)
        check_writable(folder)
        state = load_state(folder, settings.config, settings.loss_weights, resume=self.resume)
        seed = state.seed if state else self._draw_seed()
        n_steps, options = self.max_epochs * self.steps_per_epoch, settings.optimizer
        steps = options.warmup_steps, round(options.decay_fraction * n_steps), n_steps
        schedule = Schedule(self.lr, *steps, state.step if state else 0)
        ema = WeightEMA(options.ema_decay)
        checkpoint = RunCheckpoint(folder, state, seed, settings.loss_weights, schedule, ema)
        with isolated(self._device()):
            net = self._net(settings, seed, checkpoint)
            _train(net, self._batches(corpus, settings, seed), schedule)
            self.network_ = ema.network()
        self.history_ = history_columns(net.history)
        self.n_steps_ = schedule.step

    def _check_parameters(self) -> _Settings:
        self._validate_params()
        if self.accelerator is None:
            resolve_device(self.device)
        windows = checked_options(self.windows, WindowSampling)
        optimizer = checked_options(self.optimizer, OptimizerOptions)
        config = self._config()
        weights = self._loss_weights(config)
        if config.n_channels * config.channel_expansion != 1:
            raise ValueError(
                f"config has {config.n_channels} channels with channel_expansion="
                f"{config.channel_expansion}, but pre-training takes channels one by one. Set "
                "n_channels=1 and channel_expansion=1."
            )
        if needs_pairs(weights) and self.batch_size % 2:
            raise ValueError(
                f"batch_size is {self.batch_size}, but must be even, as windows come in pairs. "
                "Change it, or set loss_weights={'agreement': 0, 'alignment': 0}."
            )
        return _Settings(config, weights, windows, optimizer)

    def _config(self) -> TSPulseConfig:
        """Return ``config``, or else that of the checkpoint, or else the default."""
        start = None if self.checkpoint is None else load_checkpoint(self.checkpoint).config
        config = self.config or start or TSPulseConfig()
        if start is not None and config != start:
            raise ValueError(
                f"config differs from that of checkpoint={self.checkpoint!r}, which is {start}. "
                "Leave config out, or start from random weights with checkpoint=None."
            )
        return config

    def _loss_weights(self, config: TSPulseConfig) -> dict[str, float]:
        weights = self.loss_weights or {}
        unknown = sorted(set(weights) - set(LOSS_WEIGHTS))
        if unknown:
            raise ValueError(
                f"loss_weights has {unknown}, but its keys must be among {list(LOSS_WEIGHTS)}."
            )
        without_pairs = {} if config.n_registers else dict.fromkeys(PAIR_LOSSES, 0.0)
        return {**LOSS_WEIGHTS, **weights, **without_pairs}

    def _read_corpus(self, X: Any) -> Corpus:
        if isinstance(X, str | os.PathLike):
            return Corpus.from_files([X])
        if isinstance(X, Iterable) and not hasattr(X, "__len__"):
            X = list(X)
        if isinstance(X, list | tuple) and X and all(isinstance(x, str | os.PathLike) for x in X):
            return Corpus.from_files(X)
        panel = check_panel(self, X, reset=True, min_timepoints=1)
        return Corpus.from_series(channel for series in panel for channel in series)

    def _draw_seed(self) -> int:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if self.accelerator is None:
            return seed
        from accelerate.utils import broadcast_object_list

        return int(broadcast_object_list([seed])[0])

    def _net(self, settings: _Settings, seed: int, checkpoint: RunCheckpoint) -> PretrainingNet:
        config, schedule = settings.config, checkpoint.schedule
        steps_left = schedule.n_steps - schedule.step
        arguments = {
            "module": self._initial_network(config, seed),
            "criterion": partial(PretrainingLoss, config, settings.loss_weights),
            "optimizer": MuonAdamW,
            "optimizer__weight_decay": settings.optimizer.weight_decay,
            "lr": self.lr,
            "max_epochs": max(math.ceil(steps_left / self.steps_per_epoch), 0),
            "callbacks": self._callbacks(checkpoint),
            "compile": self.compile,
            "compile__dynamic": False,
            "bfloat16": self.precision == "bfloat16",
            **loader_settings(schedule.step, self.steps_per_epoch, self.num_workers),
        }
        if self.accelerator is None:
            net = PretrainingNet(device=self._device(), **arguments)
        else:
            net = AcceleratedNet(accelerator=self.accelerator, **arguments)
        return net.initialize()

    def _initial_network(self, config: TSPulseConfig, seed: int) -> TSPulse:
        with NewWeights(torch.Generator().manual_seed(seed)):
            network = TSPulse(config)
        if self.checkpoint is not None:
            network.load_state_dict(load_checkpoint(self.checkpoint).state_dict())
        return network

    def _device(self) -> torch.device:
        if self.accelerator is None:
            return resolve_device(self.device)
        return torch.device(self.accelerator.device)

    def _callbacks(self, checkpoint: RunCheckpoint) -> list[Callback]:
        """Return the callbacks in the order in which they must run: the state is saved last."""
        schedule, clipping = checkpoint.schedule, GradientNormClipping(MAX_GRADIENT_NORM)
        bar = [ProgressBar(schedule, self.batch_size)] if self.verbose else []
        log = HistoryLog(schedule, self.batch_size)
        return [clipping, schedule, checkpoint.ema, *bar, log, checkpoint]

    def _batches(self, corpus: Corpus, settings: _Settings, seed: int) -> MaskedBatches:
        config, windows = settings.config, settings.windows
        lengths = config.context_length, config.forecast_length
        length, n_spans = sum(lengths), self.batch_size
        if needs_pairs(settings.loss_weights):
            length, n_spans = span_length(*lengths), self.batch_size // 2
        rank, n_processes = 0, 1
        if self.accelerator is not None:
            rank, n_processes = self.accelerator.process_index, self.accelerator.num_processes
        drawing = (windows, seed, self.steps_per_epoch, n_processes)
        stream = WindowStream(corpus, length, n_spans, *drawing)
        return MaskedBatches(stream, config, random_mask(windows, config), rank)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags


def _train(net: PretrainingNet, batches: MaskedBatches, schedule: Schedule) -> None:
    """Train to the end; if interrupted from the keyboard after a step, warn and stop."""
    first = schedule.step
    net.notify("on_train_begin", X=batches, y=None)
    try:
        net.fit_loop(batches)
    except KeyboardInterrupt:
        if schedule.step == first:
            raise
        warnings.warn(
            f"fit was interrupted after {schedule.step} of {schedule.n_steps} steps. network_ is "
            "the network reached so far. To train on, give a path and set resume=True.",
            stacklevel=4,
        )
    net.notify("on_train_end", X=batches, y=None)
