"""Train a shipped checkpoint further on one accelerator that does everything itself.

    python examples/pretraining/on_device.py tspulse-p8 --data ../shared/data --output runs/p8 \\
        --seconds 3600

A network this small is done with a batch before a processor has drawn the next one. So the corpus
lies on the device, which cuts, distorts and masks the windows too, and a whole step is one recorded
graph. What is drawn and minimised is as in ``pretrain.py``, only that its order depends on the
device. The learning rate falls over the last part of the given time.

A run cannot be resumed, but ``--start`` goes on from the weights of another.
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

import aside
import numpy as np
import torch
from torch import Tensor

from sktspulse.datasets import make_series
from sktspulse.network.checkpoints import load_checkpoint, save_checkpoint
from sktspulse.network.masks import varied_mask
from sktspulse.network.tspulse import SpectralSignature, Spectrum
from sktspulse.pretraining import corpus
from sktspulse.pretraining.augmentation import noisy, span_length, two_views
from sktspulse.pretraining.losses import LOSS_WEIGHTS, pair_losses, pretraining_losses, weighted_sum
from sktspulse.pretraining.optimizer import MuonAdamW, split_parameters

RECIPES: dict[str, dict[str, Any]] = {
    "tspulse-p8": {
        # What is listed more than once is drawn as often.
        "resolutions": (0.125, 0.25, 0.5, 1, 1, 1, 1, 2, 4, 8),
        "block_share": (0.25, 1.0),
        "signature": 0.5,
        "groups": 5,  # with 11, Triton 3.6 fails to compile a kernel
    },
    "tspulse-p16": {
        "resolutions": (0.125, 0.25, 0.5, 1, 1, 2, 4),
        "block_share": (1.0, 1.0),
        "signature": 1.0,
        "groups": 11,
    },
}
MASK_RATIO = (0.05, 0.6)
SYNTHETIC, BLENDED = 0.25, 0.2
PAIRS = 48  # recordings in a group, which are told apart from each other
AVERAGING, WARMUP, DECAY = 0.999, 300, 0.4
POOL, BLOCK = 32_768, 1024  # synthetic series kept, and drawn at once
RENEWAL, CHECK = 16, 200  # steps between new blocks, and between looks at the losses


class Corpus:
    """Recorded series, also averaged over 2, 4 and 8 points from every place on.

    Parameters
    ----------
    path : Path
        File with ``values``, ``offsets`` and ``source``.
    length : int
        Length of a window [time steps].
    resolutions : tuple of float
        Steps of a recording that become one of a window.
    device : torch.device
        Where they lie.
    """

    def __init__(
        self, path: Path, length: int, resolutions: tuple[float, ...], device: torch.device
    ) -> None:
        read = corpus.Corpus.from_files([path])
        self.length, self.device = length, device
        self.edges = torch.tensor(read.probabilities().cumsum()[:-1], device=device).float()
        self.offsets = torch.tensor(read.offsets[:-1], device=device)
        self.lengths = torch.tensor(read.lengths, device=device)
        paces = torch.tensor(resolutions, device=device)
        self.steps = paces.clamp(min=1).long()
        self.spans = (paces * length).ceil().long()
        self.n_values = len(read.values)
        self.values = _averages(torch.from_numpy(read.values).to(device).float())

    def draw(self, n: int) -> Tensor:
        """Cut ``n`` windows at random places and resolutions; NaN fills up short series."""
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
        """Interpolate where a span is shorter than a window, leave out points where longer."""
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


def _averages(values: Tensor) -> Tensor:
    """Join the values and their averages over 2, 4 and 8 from every place on."""
    levels = [values]
    for width in (1, 2, 4):
        levels.append((levels[-1] + levels[-1].roll(-width)) / 2)
    return torch.cat(levels)


def _below(random: Tensor, bound: Tensor) -> Tensor:
    return (random * bound).long().clamp(max=bound - 1)


class Pool:
    """Synthetic series on the device, renewed all the time by other processes."""

    def __init__(self, length: int, device: torch.device, n_workers: int) -> None:
        self.shared = torch.zeros((POOL, length)).share_memory_()
        self.next = 0
        context = multiprocessing.get_context("spawn")
        self.wanted = context.Event()
        parts = np.array_split(np.arange(POOL // BLOCK), n_workers)
        ready = [context.Event() for _ in parts]
        for seed, (part, event) in enumerate(zip(parts, ready, strict=True)):
            arguments = (self.shared, part.tolist(), seed, event, self.wanted)
            context.Process(target=renew, args=arguments, daemon=True).start()
        for event in ready:
            event.wait()
        self.series = self.shared.to(device)

    def renew(self) -> None:
        """Bring one block over to the device."""
        self.wanted.set()
        rows = slice(self.next, self.next + BLOCK)
        self.series[rows] = self.shared[rows].to(self.series.device)
        self.next = (self.next + BLOCK) % POOL

    def draw(self, n: int) -> Tensor:
        """Take ``n`` series at random."""
        return self.series[torch.randint(POOL, (n,), device=self.series.device)]


def renew(shared: Tensor, blocks: list[int], seed: int, ready: Event, wanted: Event) -> None:
    """Draw series into the blocks of one process, and over again once more are wanted."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    while True:
        for block in blocks:
            drawn = make_series(BLOCK, shared.shape[1], random_state=rng)
            shared[block * BLOCK : (block + 1) * BLOCK] = torch.from_numpy(drawn)
        ready.set()
        wanted.wait()


class Batches:
    """Pairs of windows, as they are and as they are shown."""

    def __init__(self, recipe: dict[str, Any], config: Any, corpus: Corpus, pool: Pool) -> None:
        self.recipe, self.config = recipe, config
        self.corpus, self.pool = corpus, pool
        on_cuda = corpus.device.type == "cuda"
        # Only this one may be drawn from inside a recorded graph.
        self.generator = torch.cuda.default_generators[0] if on_cuda else torch.default_generator

    def draw(self) -> tuple[Tensor, ...]:
        """Return what is shown, the truth, where it is known and observed, and the future."""
        lengths = [self.config.context_length, self.config.forecast_length]
        views = two_views(self._augmented(self._spans()), *lengths, self.generator)
        window, future = views[:, None].split(lengths, -1)
        known, x = window.isfinite(), window.nan_to_num()
        ranges = (MASK_RATIO, self.recipe["block_share"])
        observed = varied_mask(x.shape, *ranges, self.config.patch_length, self.generator) & known
        return noisy(x, known, self.generator), x, known, observed, future

    def _spans(self) -> Tensor:
        n_spans = self.recipe["groups"] * PAIRS
        n_synthetic = round(n_spans * SYNTHETIC)
        spans = torch.cat([self.corpus.draw(n_spans - n_synthetic), self.pool.draw(n_synthetic)])
        return spans[self._uniform((0, 1), n_spans).argsort()]

    def _augmented(self, spans: Tensor) -> Tensor:
        """Blend one span in five with another, and flip every other."""
        n_spans = len(spans)
        share = self._uniform((0.5, 1), n_spans, 1)
        blended = share * spans + (1 - share) * spans.roll(1, 0)
        spans = torch.where(self._uniform((0, 1), n_spans, 1) < BLENDED, blended, spans)
        return torch.where(self._uniform((0, 1), n_spans, 1) < 0.5, -spans, spans)

    def _uniform(self, bounds: tuple[float, float], *shape: int) -> Tensor:
        low, high = bounds
        return low + (high - low) * torch.rand(shape, device=self.corpus.device)


def update(optimizer: torch.optim.Optimizer, weights: list[Tensor], rate: Tensor) -> None:
    """Step by an optimiser of learning rate 1, but only this part of the way.

    The step is linear in the rate, so it is the same as with this one; but a recorded graph
    reads it from the device anew each time.
    """
    before = torch._foreach_mul(weights, 1.0)
    optimizer.step()
    torch._foreach_sub_(weights, before)
    torch._foreach_mul_(weights, rate)
    torch._foreach_add_(weights, before)


class Trainer:
    """One network, what it is fed, and how it learns."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        recipe, device = RECIPES[arguments.name], torch.device(arguments.device)
        network = load_checkpoint(arguments.start or arguments.name).train()
        self.network = network.requires_grad_(True).to(device)
        self.config, self.n_groups, self.device = network.config, recipe["groups"], device
        length = span_length(self.config.context_length, self.config.forecast_length)
        path = arguments.corpus or aside.split(arguments.data / "pretrain", arguments.output)[0]
        corpus = Corpus(path, length, recipe["resolutions"], device)
        pool = Pool(length, device, arguments.workers)
        self.batches = Batches(recipe, self.config, corpus, pool)
        self.signature = SpectralSignature(
            self.config.n_signature_bins, self.config.signature_scale
        )
        self.spectrum = Spectrum(self.config.variance_floor)
        self.weights = LOSS_WEIGHTS | {"signature": recipe["signature"]}
        self.rate = torch.zeros((), device=device)
        self.optimizer = MuonAdamW(*split_parameters(network), lr=1.0)
        # What corrects the first averages would be recorded as of then; the warm-up stands in.
        self.optimizer.param_groups[1]["n_steps"] = 1_000_000
        self.average = deepcopy(network)
        self.n_windows = 2 * PAIRS * self.n_groups
        losses = self._losses(*self.batches.draw())
        self.names, self.recent = list(losses), torch.stack(list(losses.values())).detach()
        self.compute = torch.compile(self._losses, dynamic=False)

    def _losses(
        self, shown: Tensor, x: Tensor, known: Tensor, observed: Tensor, future: Tensor
    ) -> dict[str, Tensor]:
        """Return the loss of every head, those of pairs, and their weighted sum."""
        with torch.autocast(self.device.type, torch.bfloat16):
            prediction = self.network(shown, observed)
        heads = prediction.heads
        heads.update({name: head.float() for name, head in heads.items()})
        truth = (x, known, observed, future)
        losses = pretraining_losses(prediction, *truth, self.signature, self.spectrum)
        registers = prediction.encoding.tokens[self.config.n_register_start :].float()
        losses |= pair_losses(registers, self.n_groups)
        return losses | {"loss": weighted_sum(losses, self.weights)}

    def _step(self) -> None:
        """Draw a batch, and move the weights and their running average."""
        losses = self.compute(*self.batches.draw())
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.recent.lerp_(torch.stack(list(losses.values())).detach(), 0.01)
        weights = [weight.detach() for weight in self.network.parameters()]
        update(self.optimizer, weights, self.rate)
        average = [weight.detach() for weight in self.average.parameters()]
        torch._foreach_lerp_(average, weights, 1 - AVERAGING)
        self.optimizer.zero_grad()

    def recorded(self) -> Callable[[], None]:
        """Return what takes a step: on CUDA, a replayed graph."""
        if self.device.type != "cuda":
            return self._step
        aside_stream = torch.cuda.Stream()
        aside_stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside_stream):
            for _ in range(3):
                self._step()
        torch.cuda.current_stream().wait_stream(aside_stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step()
        return graph.replay

    def losses(self) -> dict[str, float]:
        """Return the recent mean of every loss."""
        recent = dict(zip(self.names, self.recent.tolist(), strict=True))
        if not np.isfinite(recent["loss"]):
            raise FloatingPointError(f"Training has diverged: {recent}. Lower --lr.")
        return recent


class Journal:
    """Write a row every so many steps, of the form that a ``TrainingDisplay`` reads."""

    def __init__(self, file: TextIO, trainer: Trainer) -> None:
        self.file, self.trainer = file, trainer
        names = ["epoch", "n_steps", *trainer.names, "lr", "seconds", "windows_per_second"]
        self.writer = csv.DictWriter(file, names, lineterminator="\n")
        self.writer.writeheader()
        self.last = time.monotonic()

    def write(self, n_steps: int, rate: float) -> None:
        """Write the losses; this waits for the device."""
        losses = self.trainer.losses()
        now = time.monotonic()
        seconds, self.last = now - self.last, now
        numbers = {"epoch": n_steps // CHECK, "n_steps": n_steps, "lr": rate, "seconds": seconds}
        pace = {"windows_per_second": CHECK * self.trainer.n_windows / seconds}
        self.writer.writerow(numbers | losses | pace)
        self.file.flush()


def train(trainer: Trainer, file: TextIO, lr: float, end: float) -> int:
    """Train until the end; return the number of windows."""
    step = trainer.recorded()
    journal = Journal(file, trainer)
    begin, n_steps, left = time.monotonic(), 0, 1.0
    while left > 0:
        rate = lr * min(1.0, (n_steps + 1) / WARMUP, left / DECAY)
        trainer.rate.fill_(rate)
        step()
        n_steps += 1
        left = (end - time.monotonic()) / (end - begin)
        if n_steps % RENEWAL == 0:
            trainer.batches.pool.renew()
        if n_steps % CHECK == 0:
            journal.write(n_steps, rate)
    return n_steps * trainer.n_windows


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--corpus", type=Path, help="file to train on, in the place of --data")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", help="weights to begin from; those shipped unless given")
    parser.add_argument("--seconds", type=float, default=3600, help="in all, with compilation")
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
