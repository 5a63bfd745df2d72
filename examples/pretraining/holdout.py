"""Measure a network on series that were held out from its pre-training corpus.

All choices about pre-training are made with these numbers, so that the evaluation sets stay
unseen: how well gaps are filled, whether the nearest neighbours of a distorted window come from
its source, and how far noise moves its embedding.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.distance import cdist, pdist
from torch import Tensor

from sktspulse import TSPulseTransformer, WindowSampling
from sktspulse.network import TSPulse, block_mask, hybrid_mask, load_checkpoint, standardize
from sktspulse.pretraining import Corpus, WindowStream

EVERY = 50  # one series in so many is held out
LENGTH, MARGIN = 512, 128
MASK_FRACTIONS = (0.125, 0.25, 0.375, 0.5)
WINDOWS_PER_SOURCE, K = 8, 3
NOISE = 0.5  # standard deviations of a window
CHUNK = 128
SAMPLING = WindowSampling(synthetic_fraction=0.0, resolutions=(1, 2, 4, 8), augment=False)


def split(folder: Path, output: Path) -> tuple[Path, Corpus]:
    """Write the training part as one file; return its path, and the held-out part."""
    training, held_out = Corpus.from_files(sorted(folder.glob("corpus-*.npz"))).split(EVERY)
    path = output / "corpus.npz"
    if not path.exists():
        output.mkdir(parents=True, exist_ok=True)
        draft = path.with_name("draft.npz")
        np.savez(draft, **{part.name: getattr(training, part.name) for part in fields(training)})
        draft.replace(path)
    return path, held_out


def measure(checkpoint: Path | str, held_out: Corpus) -> dict[str, float]:
    """Return errors for both kinds of gaps, and the retrieval precision of distorted windows."""
    network = load_checkpoint(checkpoint)
    errors = {f"{kind} gaps": gap_error(network, held_out, kind) for kind in ("hybrid", "block")}
    if not network.config.n_registers:
        return errors
    return errors | embedded(checkpoint, held_out)


def gap_error(network: TSPulse, held_out: Corpus, kind: str) -> float:
    """Return the error of the better head, mean over mask fractions [variance of the window]."""
    drawn = WindowStream(held_out, LENGTH, 512, SAMPLING, seed=1).batch(0)
    x = torch.from_numpy(drawn)[:, None]
    known, x = x.isfinite(), x.nan_to_num()
    heads = ["time", "frequency"] if network.config.frequency_head else ["time"]
    errors = np.zeros(len(heads))
    for fraction in MASK_FRACTIONS:
        observed = _mask(x.shape, kind, fraction, network.config.patch_length) & known
        errors += [
            _error(network, head, x, known, observed) / len(MASK_FRACTIONS) for head in heads
        ]
    return float(errors.min())


def _mask(shape: torch.Size, kind: str, fraction: float, patch: int) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    if kind == "hybrid":
        return hybrid_mask(shape, fraction, patch, generator)
    return block_mask(shape, int(shape[-1] // patch * fraction), patch, generator)


@torch.inference_mode()
def _error(network: TSPulse, head: str, x: Tensor, known: Tensor, observed: Tensor) -> float:
    """Average the errors of windows, each clipped at 4."""
    parts = zip(x.split(CHUNK), observed.split(CHUNK), strict=True)
    filled = torch.cat([network(*part).in_units(head) for part in parts])
    hidden = known & ~observed
    errors = torch.where(hidden, filled - x, 0).square().sum(-1) / hidden.sum(-1).clamp(min=1)
    errors /= x.var(-1, correction=0).clamp(min=0.01)
    return float(errors.clamp(max=4)[hidden.any(-1)].mean())


def embedded(checkpoint: Path | str, held_out: Corpus) -> dict[str, float]:
    """Return precision@3 for distorted windows: the fraction of neighbours of the same source.

    The last entry is how far noise moves embeddings [mean distance between two windows].
    """
    spans, sources = _spans(held_out)
    rng = np.random.default_rng(1)
    middle = _scaled(spans[:, MARGIN // 2 :][:, :LENGTH])
    shifts = rng.integers(-LENGTH // 5, LENGTH // 5, len(spans), endpoint=True)
    starts = rng.integers(MARGIN, size=len(spans), endpoint=True)
    rolled = [np.roll(one, shift) for one, shift in zip(middle, shifts, strict=True)]
    crops = [one[start : start + LENGTH] for one, start in zip(spans, starts, strict=True)]
    model = TSPulseTransformer(checkpoint=str(checkpoint)).fit(middle)
    index = model.transform(middle)
    result = {}
    for name, distorted in (("shifted", rolled), ("crops", crops)):
        queries = _scaled(np.stack(distorted)) + 0.08 * rng.standard_normal(middle.shape)
        result[name] = _precision(cdist(model.transform(queries), index), sources)
    noisy = model.transform(middle + NOISE * rng.standard_normal(middle.shape))
    moved = np.linalg.norm(noisy - index, axis=1).mean()
    return result | {"moved by noise": float(moved / pdist(index).mean())}


def _spans(held_out: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Cut a few windows without gaps from every source."""
    rng = np.random.default_rng(0)
    n_timepoints = LENGTH + MARGIN
    spans, sources = [], []
    for source in np.unique(held_out.source):
        long = np.flatnonzero((held_out.source == source) & (held_out.lengths >= n_timepoints))
        for index in rng.choice(long, WINDOWS_PER_SOURCE) if len(long) else ():
            start = held_out.offsets[index] + rng.integers(
                held_out.lengths[index] - n_timepoints + 1
            )
            span = held_out.values[start : start + n_timepoints].astype(np.float32)
            if span.std() > 1e-3:
                spans.append(span)
                sources.append(source)
    return np.stack(spans), np.array(sources)


def _scaled(panel: np.ndarray) -> np.ndarray:
    return standardize(panel).values.astype(np.float32)


def _precision(distances: np.ndarray, sources: np.ndarray) -> float:
    """Exclude the window that a query was made of: column i for row i."""
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argpartition(K, 1)[:, :K]
    return float((sources[nearest] == sources[:, None]).mean())
