"""The estimator that trains a network from nothing."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..base import check_choice, check_choices, check_number, check_range, check_resolutions
from ..network import TSPulse, TSPulseConfig, load_checkpoint, resolve_device, save_checkpoint
from ..series import check_panel
from .augmentation import span_length
from .batches import MaskedBatches, loading
from .callbacks import Averaging, table
from .corpus import Corpus, WindowStream
from .losses import LOSS_WEIGHTS, OF_PAIRS, PretrainingLoss, in_pairs
from .net import AcceleratedNet, PretrainingNet
from .optimizer import MuonAdamW
from .run_state import StateKeeper, find_state, in_order
from .schedule import Schedule

__all__ = ["TSPulsePretrainer"]

_NUMBERS: dict[str, tuple[Any, float, float]] = {
    **dict.fromkeys(("max_epochs", "steps_per_epoch", "batch_size"), (Integral, 1, math.inf)),
    **dict.fromkeys(("warmup", "n_loaders"), (Integral, 0, math.inf)),
    **dict.fromkeys(("lr", "weight_decay"), (Real, 0, math.inf)),
    **dict.fromkeys(("decay", "averaging", "synthetic_share"), (Real, 0, 1)),
}


class TSPulsePretrainer(BaseEstimator):
    """Train a TSPulse network on many series, from nothing or further.

    The network learns to fill hidden parts of windows, to describe their spectrum, to
    forecast what follows, and to tell recordings apart. The result is a checkpoint for
    the other estimators. Those come with a network that is already trained: use this
    class only when you have many series of a kind of their own, or want other sizes.

    Parameters
    ----------
    config : TSPulseConfig, default=None
        Sizes of the network, with one channel; None takes those of ``checkpoint``, or
        the defaults.
    checkpoint : str or path-like, default=None
        Network to start from: name of a shipped one, or path; None starts from random
        weights.
    max_epochs : int, default=100
        Epochs in all, those before a resumption included.
    steps_per_epoch : int, default=500
        Steps in an epoch. After each epoch the state is saved.
    batch_size : int, default=64
        Windows in a step of one process.
    lr : float, default=2e-3
        Learning rate between warm-up and decay.
    warmup : int, default=300
        Steps over which the learning rate rises to ``lr``.
    decay : float, default=0.2
        Share of all steps, at the end, over which it falls to 0, in [0, 1].
    weight_decay : float, default=0.01
        Decoupled weight decay.
    averaging : float, default=0.999
        Weight of the past in the running average of the weights, in [0, 1].
    mask_ratio : (float, float), default=(0.05, 0.6)
        Range of the share of points hidden in a window, in [0, 1].
    block_share : (float, float), default=(0.25, 1.0)
        Range of the share of hidden points that lie in whole patches, in [0, 1].
    loss_weights : dict of str to float, default=None
        Weights of the losses that shall differ from ``time`` 1, ``frequency`` 1,
        ``spectrum`` 0.3, ``signature`` 1, ``forecast`` 0.2, ``agreement`` 0.25 and
        ``alignment`` 0.25. As long as either of the last two counts, windows come in
        pairs, two of one recording.
    synthetic_share : float, default=0.25
        Share of windows that are synthetic, in [0, 1].
    resolutions : tuple of float, default=(0.5, 1, 2, 4, 8)
        Steps of a recording that become one step of a window: a whole number shrinks
        the recording, a fraction below 1 stretches it. Drawn for each window.
    augment : bool, default=True
        Whether windows are flipped, blended and shown with noise.
    precision : {"float32", "bfloat16"}, default="float32"
        Arithmetic of the network; weights and losses stay in single precision.
        ``"bfloat16"`` is faster where the processor has it in hardware.
    compile : bool, default=False
        Whether the network goes through ``torch.compile``: a minute or so at the
        start, then faster steps. On the CPU it needs a C++ compiler.
    device : str or torch.device, default="auto"
        Where to train; ``"auto"`` takes CUDA, else MPS, else the CPU. Ignored with an
        ``accelerator``.
    n_loaders : int, default=0
        Background processes that draw windows; 0 draws them between the steps.
    path : path-like, default=None
        Folder for the state, ``history.csv`` and ``checkpoint.safetensors``, written
        after every epoch; None saves nothing.
    resume : bool, default=False
        Whether to go on with the run that is saved in ``path``, if there is one.
    accelerator : accelerate.Accelerator, default=None
        Lets all processes started by ``accelerate launch`` or ``torchrun`` train
        together. They must share the folder ``path``.
    random_state : int, RandomState instance or None, default=None
        Source of the seed of weights, windows and masks.
    verbose : int, default=0
        Whether to show a progress bar with the loss of each head and windows a second.

    Attributes
    ----------
    network_ : TSPulse
        The trained network: the running average of the weights.
    history_ : dict of str to list
        One value for each epoch: ``epoch``, ``n_steps`` done, the mean loss of each
        head and their weighted sum ``loss``, ``lr``, ``seconds`` and
        ``windows_per_second``.
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
    TSPulseImputer : Fills gaps with a trained network.

    Notes
    -----
    One core trains the default network on some 300 windows a second; the shipped
    checkpoint has seen millions.

    NaN is missing and infinity an error. Series are standardised one by one, channels
    are series of their own, and series shorter than a window are filled up with NaN.
    Windows are cut at random places, in each epoch nowhere twice.

    Windows and masks of a step depend on the seed, the step and the process alone: the
    same ``random_state`` gives the same network on the same machine, a run that was
    killed and resumed included. The global random generators are left alone. Resume
    with the same parameters and data; only ``max_epochs`` may grow, as long as the
    decay has not begun. Interrupting ``fit`` ends the training early, and the estimator
    is fitted with what was reached.

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

    def __init__(
        self,
        config: TSPulseConfig | None = None,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        max_epochs: int = 100,
        steps_per_epoch: int = 500,
        batch_size: int = 64,
        lr: float = 2e-3,
        warmup: int = 300,
        decay: float = 0.2,
        weight_decay: float = 0.01,
        averaging: float = 0.999,
        mask_ratio: tuple[float, float] = (0.05, 0.6),
        block_share: tuple[float, float] = (0.25, 1.0),
        loss_weights: dict[str, float] | None = None,
        synthetic_share: float = 0.25,
        resolutions: tuple[float, ...] = (0.5, 1, 2, 4, 8),
        augment: bool = True,
        precision: Literal["float32", "bfloat16"] = "float32",
        compile: bool = False,
        device: str | torch.device = "auto",
        n_loaders: int = 0,
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
        self.warmup = warmup
        self.decay = decay
        self.weight_decay = weight_decay
        self.averaging = averaging
        self.mask_ratio = mask_ratio
        self.block_share = block_share
        self.loss_weights = loss_weights
        self.synthetic_share = synthetic_share
        self.resolutions = resolutions
        self.augment = augment
        self.precision = precision
        self.compile = compile
        self.device = device
        self.n_loaders = n_loaders
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
            The series: a panel of shape ``(n_series, n_timepoints)`` or
            ``(n_series, n_channels, n_timepoints)``; or an iterable of series of any
            length, each of shape ``(n_timepoints_i,)`` or ``(n_channels, n_timepoints_i)``;
            or ``.npz`` files that hold ``values`` (all series, one after the other),
            ``offsets`` (where each begins, and the end of the last) and ``source`` (a
            number for each series; a source weighs as the root of its points).
        y : None
            Ignored.

        Returns
        -------
        TSPulsePretrainer
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter or ``X`` is out of bounds, or ``path`` holds a run that is
            not to be resumed, or has other sizes or weights of the losses.
        FloatingPointError
            If the training diverges.
        """
        config = self._check_parameters()
        corpus = self._check_corpus(X)
        weights = self._weights(config)
        state = find_state(self.path, config, weights, resume=self.resume)
        seed = state["seed"] if state else self._draw_seed()
        schedule = self._schedule(state["step"] if state else 0)
        averaging = Averaging(self.averaging)
        keeper = StateKeeper(self.path, state, seed, weights, schedule, averaging)
        net = self._net(config, seed, (schedule, averaging, keeper))
        net.partial_fit(self._batches(corpus, config, seed))
        self.network_ = averaging.network()
        self.history_ = table(net.history)
        self.n_steps_ = schedule.step
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network as a checkpoint that other estimators take by its path.

        Parameters
        ----------
        path : path-like
            Name of the file, ending in ``.safetensors``.
        """
        check_is_fitted(self)
        save_checkpoint(self.network_, path, {"n_steps": self.n_steps_})

    def _check_parameters(self) -> TSPulseConfig:
        for name, bounds in _NUMBERS.items():
            check_number(name, getattr(self, name), *bounds)
        for name in ("mask_ratio", "block_share"):
            check_range(name, getattr(self, name), Real, 0, 1)
        check_resolutions(self.resolutions)
        check_choice("precision", self.precision, ["float32", "bfloat16"])
        check_choices("loss_weights", self.loss_weights or {}, LOSS_WEIGHTS)
        config = self._config()
        if not isinstance(config, TSPulseConfig):
            raise ValueError(f"config is {config!r}, but must be a TSPulseConfig or None.")
        if config.n_channels * config.channel_expansion != 1:
            raise ValueError(
                f"config mixes {config.n_channels} channels, but pre-training takes channels one "
                "by one. Set n_channels=1 and channel_expansion=1."
            )
        if in_pairs(self._weights(config)) and self.batch_size % 2:
            raise ValueError(
                f"batch_size is {self.batch_size}, but must be even, as windows come in pairs. "
                "Change it, or set loss_weights={'agreement': 0, 'alignment': 0}."
            )
        return config

    def _config(self) -> TSPulseConfig:
        """Return the sizes asked for: those given, else those of the network to start from."""
        start = None if self.checkpoint is None else load_checkpoint(self.checkpoint).config
        config = self.config or start or TSPulseConfig()
        if start is not None and config != start:
            raise ValueError(
                f"config differs from that of checkpoint={self.checkpoint!r}, which is {start}. "
                "Leave config out, or start from nothing with checkpoint=None."
            )
        return config

    def _weights(self, config: TSPulseConfig) -> dict[str, float]:
        weights = {**LOSS_WEIGHTS, **(self.loss_weights or {})}
        return weights if config.n_registers else {**weights, **dict.fromkeys(OF_PAIRS, 0.0)}

    def _check_corpus(self, X: Any) -> Corpus:
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

    def _schedule(self, step: int) -> Schedule:
        n_steps = self.max_epochs * self.steps_per_epoch
        return Schedule(self.lr, self.warmup, round(self.decay * n_steps), n_steps, step)

    def _net(
        self, config: TSPulseConfig, seed: int, stateful: tuple[Schedule, Averaging, StateKeeper]
    ) -> PretrainingNet:
        schedule = stateful[0]
        steps_left = schedule.n_steps - schedule.step
        settings = {
            "module": TSPulse,
            "module__config": config,
            "criterion": partial(PretrainingLoss, config, self._weights(config)),
            "optimizer": MuonAdamW,
            "optimizer__weight_decay": self.weight_decay,
            "lr": self.lr,
            "max_epochs": max(math.ceil(steps_left / self.steps_per_epoch), 0),
            "callbacks": in_order(*stateful, self.batch_size, show_progress=self.verbose > 0),
            "compile": self.compile,
            "compile__dynamic": False,
            "bfloat16": self.precision == "bfloat16",
            **loading(schedule.step, self.steps_per_epoch, self.n_loaders),
        }
        if self.accelerator is None:
            net = PretrainingNet(device=resolve_device(self.device), **settings)
        else:
            net = AcceleratedNet(accelerator=self.accelerator, **settings)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            net.initialize()
        if self.checkpoint is not None:
            net.network.load_state_dict(load_checkpoint(self.checkpoint).state_dict())
        return net

    def _batches(self, corpus: Corpus, config: TSPulseConfig, seed: int) -> MaskedBatches:
        lengths = config.context_length, config.forecast_length
        length, n_spans = sum(lengths), self.batch_size
        if in_pairs(self._weights(config)):
            length, n_spans = span_length(*lengths), self.batch_size // 2
        drawing = (n_spans, self.synthetic_share, self.resolutions, self.augment, seed)
        rank, n_processes = 0, 1
        if self.accelerator is not None:
            rank, n_processes = self.accelerator.process_index, self.accelerator.num_processes
        stream = WindowStream(corpus, length, *drawing, self.steps_per_epoch, n_processes)
        return MaskedBatches(stream, config, self.mask_ratio, self.block_share, rank)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags
