"""Measure a network on series that were set aside from the corpus it was trained on.

All choices about pre-training are made with these numbers, so that the evaluation sets stay
unseen: how well gaps are filled, whether a distorted window finds its kind, and how far noise
moves its embedding.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.distance import cdist, pdist
from torch import Tensor

from sktspulse import TSPulseTransformer
from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.network.masks import block_mask, hybrid_mask
from sktspulse.network.scaling import standardize
from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.corpus import Corpus, WindowStream

EVERY = 50  # series set aside: one in so many
LENGTH, MARGIN = 512, 128
RATIOS = (0.125, 0.25, 0.375, 0.5)
WINDOWS_PER_SOURCE, K = 8, 3
NOISE = 0.5  # of a window's deviation
CHUNK = 128


def split(folder: Path, output: Path) -> tuple[Path, Corpus]:
    """Write the part to train on as one file; return it, and the part set aside."""
    training, aside = Corpus.from_files(sorted(folder.glob("corpus-*.npz"))).split(EVERY)
    path = output / "corpus.npz"
    if not path.exists():
        output.mkdir(parents=True, exist_ok=True)
        draft = path.with_name("draft.npz")
        np.savez(draft, **{part.name: getattr(training, part.name) for part in fields(training)})
        draft.replace(path)
    return path, aside


def measure(checkpoint: Path | str, aside: Corpus) -> dict[str, float]:
    """Return errors under both kinds of gaps, and what embeddings of distorted windows find."""
    network = load_checkpoint(checkpoint)
    errors = {f"{kind} gaps": gap_error(network, aside, kind) for kind in ("hybrid", "block")}
    if not network.config.n_registers:
        return errors
    return errors | embedded(checkpoint, aside)


def gap_error(network: TSPulse, aside: Corpus, kind: str) -> float:
    """Return the error of the better head, mean over ratios [variance of the window]."""
    drawn = WindowStream(aside, LENGTH, 512, 0.0, (1, 2, 4, 8), False, 1).batch(0)
    x = torch.from_numpy(drawn)[:, None]
    known, x = x.isfinite(), x.nan_to_num()
    heads = ["time", "frequency"] if network.config.frequency_head else ["time"]
    errors = np.zeros(len(heads))
    for ratio in RATIOS:
        observed = _mask(x.shape, kind, ratio, network.config.patch_length) & known
        errors += [_error(network, head, x, known, observed) / len(RATIOS) for head in heads]
    return float(errors.min())


def _mask(shape: torch.Size, kind: str, ratio: float, patch: int) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    if kind == "hybrid":
        return hybrid_mask(shape, ratio, patch, generator)
    return block_mask(shape, int(shape[-1] // patch * ratio), patch, generator)


@torch.inference_mode()
def _error(network: TSPulse, head: str, x: Tensor, known: Tensor, observed: Tensor) -> float:
    """Average the error of windows, each at most 4 and counted alike."""
    parts = zip(x.split(CHUNK), observed.split(CHUNK), strict=True)
    filled = torch.cat([network(*part).in_units(head) for part in parts])
    hidden = known & ~observed
    errors = torch.where(hidden, filled - x, 0).square().sum(-1) / hidden.sum(-1).clamp(min=1)
    errors /= x.var(-1, correction=0).clamp(min=0.01)
    return float(errors.clamp(max=4)[hidden.any(-1)].mean())


def embedded(checkpoint: Path | str, aside: Corpus) -> dict[str, float]:
    """Return the share of the nearest three that are of the source of a distorted window.

    The last entry is how far noise moves embeddings [mean distance between two windows].
    """
    spans, sources = _spans(aside)
    rng = np.random.default_rng(1)
    middle = _scaled(spans[:, MARGIN // 2 :][:, :LENGTH])
    shifts = rng.integers(-LENGTH // 5, LENGTH // 5, len(spans), endpoint=True)
    starts = rng.integers(MARGIN, size=len(spans), endpoint=True)
    rolled = [np.roll(one, shift) for one, shift in zip(middle, shifts, strict=True)]
    crops = [one[start : start + LENGTH] for one, start in zip(spans, starts, strict=True)]
    model = TSPulseTransformer(checkpoint=str(checkpoint)).fit(middle)
    index = model.transform(middle)
    result = {}
    for name, views in (("shifted", rolled), ("crops", crops)):
        queries = _scaled(np.stack(views)) + 0.08 * rng.standard_normal(middle.shape)
        result[name] = _precision(cdist(model.transform(queries), index), sources)
    noisy = model.transform(middle + NOISE * rng.standard_normal(middle.shape))
    moved = np.linalg.norm(noisy - index, axis=1).mean()
    return result | {"moved by noise": float(moved / pdist(index).mean())}


def _spans(aside: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Cut a few stretches without gaps from every source."""
    rng = np.random.default_rng(0)
    n_timepoints = LENGTH + MARGIN
    spans, sources = [], []
    for source in np.unique(aside.source):
        long = np.flatnonzero((aside.source == source) & (aside.lengths >= n_timepoints))
        for index in rng.choice(long, WINDOWS_PER_SOURCE) if len(long) else ():
            start = aside.offsets[index] + rng.integers(aside.lengths[index] - n_timepoints + 1)
            span = aside.values[start : start + n_timepoints].astype(np.float32)
            if span.std() > 1e-3:
                spans.append(span)
                sources.append(source)
    return np.stack(spans), np.array(sources)


def _scaled(panel: np.ndarray) -> np.ndarray:
    return standardize(panel).values.astype(np.float32)


def _precision(distances: np.ndarray, sources: np.ndarray) -> float:
    """Leave the window a query was made of out: row i is of column i."""
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argpartition(K, 1)[:, :K]
    return float((sources[nearest] == sources[:, None]).mean())
