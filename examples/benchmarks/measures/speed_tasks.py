"""What is timed on either side, and what only the package does, in pieces of growing size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

__all__ = ["GROWING", "PAIRED", "Run", "measure_limits"]

# Torch is imported by the workers alone: the peak memory that the system reports of a process
# is never less than that of the process which started it.

LENGTH, PATCH, HORIZON = 512, 8, 16
BATCH, EMBEDDED, EMBEDDING_BATCH = 128, 10_000, 64
REFERENCE_CONFIG = {
    "context_length": LENGTH,
    "patch_length": PATCH,
    "patch_stride": PATCH,
    "mask_block_length": PATCH,
    "d_model": 24,
    "decoder_d_model": 24,
    "num_layers": 8,
    "decoder_num_layers": 2,
    "patch_register_tokens": 10,
    "register_mixer_layers": 3,
    "fuse_fft": True,
    "fft_prob_length": 256,
    "fft_prob_mode": "log",
    "minimum_scale": 1e-3,
    "mask_type": "user",
    "fft_time_add_forecasting_pt_loss": True,
    "prediction_length": HORIZON,
    # We train without dropout; without it the reference has less to do.
    "dropout": 0.0,
    "head_dropout": 0.0,
}
Run = Callable[[], object]


def windows(n_windows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw windows ``(n, 1, T)``, what is shown of them, and the steps that follow."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n_windows, 1, LENGTH + HORIZON)).cumsum(-1).astype(np.float32)
    observed = rng.uniform(size=(n_windows, 1, LENGTH)) > 0.15
    observed &= np.repeat(rng.uniform(size=(n_windows, 1, LENGTH // PATCH)) > 0.15, PATCH, -1)
    return x[..., :LENGTH], observed, x[..., LENGTH:]


def our_network():
    from sktspulse.network import TSPulse, TSPulseConfig

    return TSPulse(TSPulseConfig())


def reference_network():
    from tsfm_public.models.tspulse import TSPulseConfig, TSPulseForReconstruction

    return TSPulseForReconstruction(TSPulseConfig(**REFERENCE_CONFIG))


def our_tensors() -> dict:
    import torch

    x, observed, future = map(torch.from_numpy, windows(BATCH))
    return {"x": x, "observed": observed, "future": future, "known": torch.ones_like(observed)}


def reference_tensors() -> dict:
    tensors = our_tensors()
    names = {"past_values": "x", "past_observed_mask": "observed", "future_values": "future"}
    return {theirs: tensors[ours].mT.contiguous() for theirs, ours in names.items()}


def our_forward() -> Run:
    import torch

    network, data = our_network().eval(), our_tensors()
    return torch.inference_mode()(lambda: network(data["x"], data["observed"]))


def reference_forward() -> Run:
    import torch

    model, data = reference_network().eval(), reference_tensors()
    del data["future_values"]
    return torch.inference_mode()(lambda: model(**data, return_loss=False))


def stepper(optimizer, loss: Run) -> Run:
    """Return one training step."""

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def our_step(recipe: bool = False) -> Run:
    """Train in single precision with AdamW, or as the shipped checkpoint is trained."""
    import torch

    from sktspulse.pretraining import MuonAdamW, PretrainingLoss, split_parameters

    network, data = our_network().train(), our_tensors()
    weights = dict.fromkeys(("time", "frequency", "spectrum", "signature", "forecast"), 1.0)
    criterion = PretrainingLoss(network.config, weights)
    if recipe:
        optimizer = MuonAdamW(*split_parameters(network), lr=1e-3)
        forward = torch.compile(network, dynamic=False)
    else:
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
        forward = network

    def loss():
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe):
            prediction = forward(data["x"], data["observed"])
        heads = {name: head.float() for name, head in prediction.heads.items()}
        return criterion(replace(prediction, heads=heads), data)

    return stepper(optimizer, loss)


def reference_step() -> Run:
    import torch

    model, data = reference_network().train(), reference_tensors()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    return stepper(optimizer, lambda: model(**data).loss)


def our_embedding() -> Run:
    """Embed with the shipped weights: which they are does not change the time."""
    from sktspulse import TSPulseTransformer

    x, _, _ = windows(EMBEDDED)
    settings = {"embedding": "semantic", "batch_size": EMBEDDING_BATCH, "device": "cpu"}
    transformer = TSPulseTransformer(**settings).fit(x)
    return lambda: transformer.transform(x)


def reference_embedding() -> Run:
    import torch
    from tsfm_public.models.tspulse.utils.helpers import get_embeddings

    model = reference_network().eval()
    x = windows(EMBEDDED)[0]

    def embed() -> np.ndarray:
        batches = torch.from_numpy(x).mT.contiguous().split(EMBEDDING_BATCH)
        parts = [get_embeddings(model, batch) for batch in batches]
        return torch.cat(parts).numpy()

    return torch.inference_mode()(embed)


# What is timed on each side.
PAIRED: dict[str, tuple[Callable[[], Run], Callable[[], Run]]] = {
    f"forward, {BATCH} windows": (our_forward, reference_forward),
    f"training step, {BATCH} windows": (our_step, reference_step),
    "the same step, ours by the recipe": (lambda: our_step(recipe=True), reference_step),
    f"embedding of {EMBEDDED:,} windows": (our_embedding, reference_embedding),
}


def embed(n: int) -> Run:
    from sktspulse import TSPulseTransformer

    x, _, _ = windows(n)
    transformer = TSPulseTransformer(device="cpu").fit(x[:1])
    return lambda: transformer.transform(x)


def score(n: int) -> Run:
    from sktspulse import TSPulseAnomalyDetector

    x = recording(1000 + n, 1)
    detector = TSPulseAnomalyDetector(device="cpu").fit(x[:1000])
    return lambda: detector.score_samples(x[1000:])


def fill(n: int) -> Run:
    from sktspulse import TSPulseImputer

    x = recording(n, 7)
    x[np.random.default_rng(1).random(x.shape) < 0.2] = np.nan
    imputer = TSPulseImputer(device="cpu", random_state=0)
    return lambda: imputer.fit_transform(x)


def classify(n: int) -> Run:
    from sktspulse import TSPulseClassifier

    x, y = windows(n)[0][..., :128], np.arange(n) % 2
    classifier = TSPulseClassifier(device="cpu")
    return lambda: classifier.fit(x, y).predict(x)


def answer_one(batch_size: int) -> Run:
    from sktspulse import TSPulseClassifier

    x, y = windows(40)[0][..., :128], np.arange(40) % 2
    classifier = TSPulseClassifier(device="cpu", batch_size=batch_size).fit(x, y)
    return lambda: classifier.predict(x[:1])


def recording(n_timepoints: int, n_channels: int) -> np.ndarray:
    """Return noisy waves ``(n_timepoints, n_channels)``."""
    rng = np.random.default_rng(0)
    phases = np.arange(n_timepoints)[:, None] / (10 + np.arange(n_channels))
    return np.sin(phases) + 0.1 * rng.standard_normal((n_timepoints, n_channels))


# What is timed, and with how much work.
GROWING: dict[str, tuple[Callable[[int], Run], tuple[int, ...]]] = {
    "windows embedded": (embed, (100, 1000, 10_000)),
    "points scored": (score, (1000, 10_000, 100_000)),
    "rows of 7 channels filled": (fill, (700, 7000, 70_000)),
    "series of 128 classified": (classify, (20, 200, 2000)),
    "one series classified, batches of": (answer_one, (1, 32)),
}


def measure_limits(seconds: Callable[[Sequence[Run]], list[float]]) -> dict[str, float]:
    """Measure on one thread what the machine gives, and how much of it a forward pass takes."""
    import torch

    from sktspulse.network import load_checkpoint

    torch.set_num_threads(1)
    network = load_checkpoint("tspulse-p8")
    config, n = network.config, 32
    n_tokens = config.n_tokens
    narrow, wide = torch.randn(n_tokens, n * config.d_model), torch.randn(2 * n_tokens, n_tokens)
    large = torch.randn(1 << 25)
    x, observed = torch.randn(n, 1, LENGTH), torch.ones(n, 1, LENGTH, dtype=torch.bool)
    product = 2e-9 * wide.numel() * narrow.shape[1]
    with torch.inference_mode():
        runs = (
            lambda: torch.mm(wide, narrow),
            large.neg_,
            lambda: network.decode(network.encode(x, observed)),
        )
        a_product, a_copy, a_pass = seconds(runs)
    rate, bandwidth = product / a_product, 2e-9 * large.numel() * 4 / a_copy
    reached = n * count_products(config) / a_pass
    return {
        "rate of these products [GFLOP/s]": rate,
        "memory bandwidth [GB/s]": bandwidth,
        "forward pass, products only [GFLOP/s]": reached,
        "forward pass over rate": reached / rate,
        "one window [ms]": 1000 * a_pass / n,
        "one window at the rate [ms]": count_products(config) / rate * 1000,
    }


def count_products(config) -> float:
    """Count the operations in matrix products for a window [GFLOP]."""
    n_tokens, width = config.n_tokens, config.d_model
    tokens = width * (2 * 2 * n_tokens**2 + n_tokens**2)
    features = n_tokens * (2 * 2 * width**2 + width**2)
    return 2e-9 * (config.n_layers + config.n_decoder_layers) * (tokens + features)
