"""Train a shipped checkpoint further on one GPU that does everything itself.

    python examples/pretraining/on_device.py tspulse-p8 --data ../shared/data --output runs/p8 \\
        --seconds 3600

The network is so small that a GPU finishes a batch before a CPU has drawn the next one. So the
corpus is stored on the GPU, which also cuts, augments and masks the windows, and a whole step is
captured as one CUDA graph. Windows, losses, optimizer and averaging are those of
``TSPulsePretrainer``; only the order of the windows differs. The learning rate decays over the last
part of the given time.

A run cannot be resumed, but ``--start`` continues from the weights of another.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import time
from collections.abc import Callable
from copy import deepcopy
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TextIO

import holdout
import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sktspulse import OptimizerOptions, WindowSampling, pretraining
from sktspulse.datasets import make_series
from sktspulse.network import TSPulseConfig, load_checkpoint, save_checkpoint
from sktspulse.pretraining import LOSS_WEIGHTS, MuonAdamW, PretrainingLoss

RECIPES: dict[str, dict[str, Any]] = {
    "tspulse-p8": {
        # A resolution that is listed more than once is drawn as often.
        "windows": WindowSampling(resolutions=(0.125, 0.25, 0.5, 1, 1, 1, 1, 2, 4, 8)),
        "loss_weights": {"signature": 0.5},
        "n_groups": 5,  # with 11, Triton 3.6 fails to compile a kernel
    },
    "tspulse-p16": {
        "windows": WindowSampling(
            resolutions=(0.125, 0.25, 0.5, 1, 1, 2, 4), block_fraction=(1.0, 1.0)
        ),
        "loss_weights": {},
        "n_groups": 11,
    },
}
OPTIMIZER = OptimizerOptions(decay_fraction=0.4)
PAIRS = 48  # series in a group, within which crops are compared
POOL, BLOCK = 32_768, 1024  # synthetic series in memory, and drawn at once
STEPS_PER_REFRESH, STEPS_PER_ROW = 16, 200  # of the pool, of the history


class Corpus:
    """Recorded series on the device, with their moving averages over 2, 4 and 8 points.

    Parameters
    ----------
    path : Path
        File with ``values``, ``offsets`` and ``source``.
    length : int
        Length of a window [time steps].
    resolutions : tuple of float
        Time steps of a series that become one of a window.
    device : torch.device
        Where the series are stored.
    """

    def __init__(
        self, path: Path, length: int, resolutions: tuple[float, ...], device: torch.device
    ) -> None:
        corpus = pretraining.Corpus.from_files([path])
        self.length, self.device = length, device
        self.edges = torch.tensor(corpus.probabilities().cumsum()[:-1], device=device).float()
        self.offsets = torch.tensor(corpus.offsets[:-1], device=device)
        self.lengths = torch.tensor(corpus.lengths, device=device)
        ratios = torch.tensor(resolutions, device=device)
        self.steps = ratios.clamp(min=1).long()
        self.spans = (ratios * length).ceil().long()
        self.n_values = len(corpus.values)
        self.values = _with_averages(torch.from_numpy(corpus.values).to(device).float())

    def draw(self, n: int) -> Tensor:
        """Cut ``n`` windows at random places and resolutions; short series are padded with NaN."""
        chosen = torch.searchsorted(self.edges, self._random(n), right=True)
        offset, available = self.offsets[chosen][:, None], self.lengths[chosen][:, None]
        scores = self._random(n, len(self.spans)).masked_fill(self.spans > available, -1)
        best, kind = scores.max(1, keepdim=True)
        fits = best >= 0
        step = torch.where(fits, self.steps[kind], 1)
        span = torch.where(fits, self.spans[kind], available)
        start = _below(self._random(n, 1), available - span + 1)
        averaged = self._random(n, 1) < 0.5
        level = torch.where(averaged, step.float().log2().round().long(), 0) * self.n_values
        return self._read(level + offset + start, step, span, fits)

    def _read(self, origin: Tensor, step: Tensor, span: Tensor, fits: Tensor) -> Tensor:
        """Upsample spans that are shorter than a window, downsample longer ones."""
        last, point = self.length - 1, torch.arange(self.length, device=self.device)
        place = _below(self._random(len(span), 1), (self.length - span + 1).clamp(min=1))
        whole = point * torch.where(span < self.length, span - 1, last)
        left = torch.where(fits, whole // last * step, point - place)
        part = torch.where(fits, whole % last, 0)
        inside = (left >= 0) & (left < span)
        left = left.clamp(min=0).minimum(span - 1)
        before = self.values[origin + left]
        after = self.values[origin + (left + 1).minimum(span - 1)]
        between = before.lerp(after, part / last)
        nearer = torch.where(2 * part <= last, before, after)
        drawn = torch.where(between.isnan() | (part == 0), nearer, between)
        return drawn.masked_fill(~inside, torch.nan)

    def _random(self, *shape: int) -> Tensor:
        return torch.rand(shape, device=self.device)


def _with_averages(values: Tensor) -> Tensor:
    """Join the values and their moving averages over 2, 4 and 8 points."""
    levels = [values]
    for width in (1, 2, 4):
        levels.append((levels[-1] + levels[-1].roll(-width)) / 2)
    return torch.cat(levels)


def _below(random: Tensor, bound: Tensor) -> Tensor:
    return (random * bound).long().clamp(max=bound - 1)


class Pool:
    """Synthetic series on the device, replaced continuously by other processes."""

    def __init__(self, length: int, device: torch.device, n_workers: int) -> None:
        self.shared = torch.zeros((POOL, length)).share_memory_()
        self.next = 0
        context = multiprocessing.get_context("spawn")
        self.wanted = context.Event()
        parts = np.array_split(np.arange(POOL // BLOCK), n_workers)
        ready = [context.Event() for _ in parts]
        for seed, (part, event) in enumerate(zip(parts, ready, strict=True)):
            arguments = (self.shared, part.tolist(), seed, event, self.wanted)
            context.Process(target=draw_blocks, args=arguments, daemon=True).start()
        for event in ready:
            event.wait()
        self.series = self.shared.to(device)

    def refresh(self) -> None:
        """Copy one block to the device."""
        self.wanted.set()
        rows = slice(self.next, self.next + BLOCK)
        self.series[rows] = self.shared[rows].to(self.series.device)
        self.next = (self.next + BLOCK) % POOL

    def draw(self, n: int) -> Tensor:
        """Take ``n`` series at random."""
        return self.series[torch.randint(POOL, (n,), device=self.series.device)]


def draw_blocks(shared: Tensor, blocks: list[int], seed: int, ready: Event, wanted: Event) -> None:
    """Draw the series of one process, and new ones whenever more are wanted."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    while True:
        for block in blocks:
            drawn = make_series(BLOCK, shared.shape[1], random_state=rng)
            shared[block * BLOCK : (block + 1) * BLOCK] = torch.from_numpy(drawn)
        ready.set()
        wanted.wait()


class Batches:
    """Draw batches as ``TSPulsePretrainer`` does, from a corpus and a pool on the device."""

    def __init__(
        self, recipe: dict[str, Any], config: TSPulseConfig, corpus: Corpus, pool: Pool
    ) -> None:
        self.windows, self.config = recipe["windows"], config
        self.n_spans = PAIRS * recipe["n_groups"]
        self.corpus, self.pool = corpus, pool
        self.mask = pretraining.random_mask(self.windows, config)
        on_cuda = corpus.device.type == "cuda"
        # A captured graph may draw from this generator only.
        self.generator = torch.cuda.default_generators[0] if on_cuda else torch.default_generator

    def draw(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the input of the network, and the truth."""
        spans = self._spans()
        uniform = torch.rand((3, len(spans), 1), device=spans.device)
        augmented = pretraining.blend_and_flip(spans, spans.roll(1, 0), uniform)
        arguments = (augmented, self.config, self.mask, self.generator)
        return pretraining.masked_batch(*arguments, noise=True)

    def _spans(self) -> Tensor:
        n_synthetic = round(self.n_spans * self.windows.synthetic_fraction)
        recorded = self.corpus.draw(self.n_spans - n_synthetic)
        spans = torch.cat([recorded, self.pool.draw(n_synthetic)])
        return spans[torch.rand(self.n_spans, device=spans.device).argsort()]


def update(optimizer: torch.optim.Optimizer, weights: list[Tensor], rate: Tensor) -> None:
    """Take a step at learning rate 1 and move the weights by ``rate`` times that.

    A step is linear in its rate, so the result is the same; but a captured graph reads
    ``rate`` from the device at every replay.
    """
    before = torch._foreach_mul(weights, 1.0)
    optimizer.step()
    torch._foreach_sub_(weights, before)
    torch._foreach_mul_(weights, rate)
    torch._foreach_add_(weights, before)


class Trainer:
    """One network with its batches, losses, optimizer and average."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        recipe, self.device = RECIPES[arguments.name], torch.device(arguments.device)
        network = load_checkpoint(arguments.start or arguments.name).train()
        self.network = network.requires_grad_(True).to(self.device)
        self.batches = self._batches(arguments, recipe)
        weights = LOSS_WEIGHTS | recipe["loss_weights"]
        self.criterion = PretrainingLoss(network.config, weights, recipe["n_groups"])
        self.rate = torch.zeros((), device=self.device)
        self.optimizer = MuonAdamW(*pretraining.split_parameters(network), lr=1.0)
        # A captured graph would repeat the bias correction of the first steps for ever, so it
        # is turned off; the warm-up of the learning rate stands in for it.
        self.optimizer.param_groups[1]["n_steps"] = 1_000_000
        self.average = deepcopy(network)
        self.update_average = get_ema_multi_avg_fn(OPTIMIZER.ema_decay)
        self.n_windows = 2 * self.batches.n_spans
        losses = self._losses(*self.batches.draw())
        self.names, self.recent = list(losses), torch.stack(list(losses.values())).detach()
        self.compute = torch.compile(self._losses, dynamic=False)

    def _batches(self, arguments: argparse.Namespace, recipe: dict[str, Any]) -> Batches:
        config, folder = self.network.config, arguments.data / "pretrain"
        length = pretraining.span_length(config.context_length, config.forecast_length)
        path = arguments.corpus or holdout.split(folder, arguments.output)[0]
        corpus = Corpus(path, length, recipe["windows"].resolutions, self.device)
        return Batches(recipe, config, corpus, Pool(length, self.device, arguments.workers))

    def _losses(self, inputs: dict[str, Tensor], truth: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return all losses and their weighted sum."""
        prediction = pretraining.mixed_precision(self.network, inputs, bfloat16=True)
        return self.criterion.losses(prediction, truth)

    def _step(self) -> None:
        """Draw a batch, and update the weights and their average."""
        losses = self.compute(*self.batches.draw())
        losses["loss"].backward()
        parameters = list(self.network.parameters())
        torch.nn.utils.clip_grad_norm_(parameters, pretraining.MAX_GRADIENT_NORM)
        self.recent.lerp_(torch.stack(list(losses.values())).detach(), 0.01)
        weights = [parameter.detach() for parameter in parameters]
        update(self.optimizer, weights, self.rate)
        average = [weight.detach() for weight in self.average.parameters()]
        self.update_average(average, weights, 1)
        self.optimizer.zero_grad()

    def captured_step(self) -> Callable[[], None]:
        """Return a function that takes a step: on CUDA, the replay of a graph."""
        if self.device.type != "cuda":
            return self._step
        side_stream = torch.cuda.Stream()
        side_stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side_stream):
            for _ in range(3):
                self._step()
        torch.cuda.current_stream().wait_stream(side_stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step()
        return graph.replay

    def losses(self) -> dict[str, float]:
        """Return the recent mean of every loss; this waits for the device."""
        recent = dict(zip(self.names, self.recent.tolist(), strict=True))
        if not np.isfinite(recent["loss"]):
            raise FloatingPointError(f"The training diverged: {recent}. Lower --lr.")
        return recent


class HistoryWriter:
    """Write a file that ``TrainingDisplay`` reads."""

    def __init__(self, file: TextIO, trainer: Trainer) -> None:
        self.file, self.trainer = file, trainer
        names = ["epoch", "n_steps", *trainer.names, "lr", "seconds", "windows_per_second"]
        self.writer = csv.DictWriter(file, names, lineterminator="\n")
        self.writer.writeheader()
        self.last = time.monotonic()

    def write(self, n_steps: int, rate: float) -> None:
        """Write a row."""
        losses = self.trainer.losses()
        now = time.monotonic()
        seconds, self.last = now - self.last, now
        epoch = {"epoch": n_steps // STEPS_PER_ROW, "n_steps": n_steps}
        speed = {"windows_per_second": STEPS_PER_ROW * self.trainer.n_windows / seconds}
        self.writer.writerow(epoch | losses | {"lr": rate, "seconds": seconds} | speed)
        self.file.flush()


def train(trainer: Trainer, file: TextIO, lr: float, end: float) -> int:
    """Train until the end; return the number of windows."""
    take_step = trainer.captured_step()
    history = HistoryWriter(file, trainer)
    start, n_steps, left = time.monotonic(), 0, 1.0
    while left > 0:
        rising = (n_steps + 1) / OPTIMIZER.warmup_steps
        rate = lr * pretraining.trapezoid(rising, left / OPTIMIZER.decay_fraction)
        trainer.rate.fill_(rate)
        take_step()
        n_steps += 1
        left = (end - time.monotonic()) / (end - start)
        if n_steps % STEPS_PER_REFRESH == 0:
            trainer.batches.pool.refresh()
        if n_steps % STEPS_PER_ROW == 0:
            history.write(n_steps, rate)
    return n_steps * trainer.n_windows


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--corpus", type=Path, help="file to train on instead of --data")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", help="checkpoint to start from, by default the shipped one")
    parser.add_argument("--seconds", type=float, default=3600, help="total time, with compilation")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--workers", type=int, default=3, help="processes for synthetic series")
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    end = time.monotonic() + arguments.seconds
    arguments.output.mkdir(parents=True, exist_ok=True)
    history = arguments.output / "history.csv"
    torch.manual_seed(0)
    trainer = Trainer(arguments)
    with history.open("w", newline="") as file:
        n_windows = train(trainer, file, arguments.lr, end)
    path = arguments.output / f"{arguments.name}.safetensors"
    save_checkpoint(deepcopy(trainer.average).cpu(), path, {"windows": n_windows})
    print(path, f"{n_windows} windows", trainer.losses())


if __name__ == "__main__":
    main()
