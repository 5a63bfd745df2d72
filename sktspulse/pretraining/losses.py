"""The losses of pre-training, and their weighted sum.

Those of the heads are means in standardised units, so that a series weighs the same whatever
its unit. Points that are missing in the data count nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ..network import Prediction, SpectralSignature, Spectrum, TSPulseConfig

__all__ = [
    "LOSS_WEIGHTS",
    "OF_PAIRS",
    "PretrainingLoss",
    "agreement",
    "alignment",
    "evened",
    "in_pairs",
    "masked_mse",
    "pair_losses",
    "pretraining_losses",
    "signature_cross_entropy",
    "weighted_sum",
]

LOSS_WEIGHTS = {
    "time": 1.0,
    "frequency": 1.0,
    "spectrum": 0.3,
    "signature": 1.0,
    "forecast": 0.2,
    "agreement": 0.25,
    "alignment": 0.25,
}

_TEMPERATURE = 0.1  # of the agreement; cosines are divided by it


def masked_mse(
    prediction: Tensor, target: Tensor, where: Tensor, weight: Tensor | float = 1.0
) -> Tensor:
    """Average the squared error over the chosen points; 0 if there are none.

    Parameters
    ----------
    prediction, target : tensor of shape (B, C, T)
        Values [standardised units].
    where : tensor of bool, of shape (B, C, T)
        Points that count.
    weight : tensor of shape (B, C, 1) or float, default=1.0
        How much those of each series count.

    Returns
    -------
    tensor of shape ()
        The mean squared error.
    """
    error = torch.where(where, prediction - target, 0).square() * weight
    return error.sum() / where.sum().clamp(min=1)


def evened(target: Tensor, known: Tensor) -> Tensor:
    """Weigh series down whose points lie far out, so that none outweighs the others.

    A series that is flat where it is observed has a tiny scale, and in units of that scale a
    step in its hidden part is huge.

    Parameters
    ----------
    target : tensor of shape (B, C, T)
        Values [standardised units].
    known : tensor of bool, of shape (B, C, T)
        Points that count.

    Returns
    -------
    tensor of shape (B, C, 1)
        One over the mean square of the known values, at most 1.
    """
    squares = torch.where(known, target, 0).square().sum(-1, keepdim=True)
    return 1 / (squares / known.sum(-1, keepdim=True).clamp(min=1)).clamp(min=1)


def signature_cross_entropy(log_signature: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy between two signatures, summed over frequencies.

    Parameters
    ----------
    log_signature : tensor of shape (B, C, F)
        Predicted log-probabilities.
    target : tensor of shape (B, C, F)
        Probabilities.

    Returns
    -------
    tensor of shape ()
        Mean over windows and channels [nats].
    """
    return -(target * log_signature).sum(-1).mean()


def _centred(registers: Tensor, n_groups: int) -> Tensor:
    """Return embeddings less the mean of their group: ``(n_groups, B / n_groups, R * D)``."""
    embeddings = registers[:, :, 0].movedim(0, 1).flatten(1)
    groups = embeddings.unflatten(0, (2, n_groups, -1)).transpose(0, 1).flatten(1, 2)
    return groups - groups.mean(1, keepdim=True)


def agreement(registers: Tensor, n_groups: int = 1) -> Tensor:
    """Ask that the two views of a recording be each other's nearest in the batch.

    Parameters
    ----------
    registers : tensor of shape (R, B, 1, D)
        Decoded registers; those of the windows ``i`` and ``i + B / 2`` are of one recording.
    n_groups : int, default=1
        Equal parts of the batch, each a batch of its own here, so that a larger batch does
        not ask to tell more recordings apart.

    Returns
    -------
    tensor of shape ()
        Mean cross-entropy of finding the partner of a window among all others by the
        cosine between semantic embeddings, of which the mean is taken off [nats].

    References
    ----------
    .. [1] Chen et al., "A Simple Framework for Contrastive Learning of Visual
       Representations", 2020, arXiv:2002.05709, equation 1.
    """
    unit = torch.nn.functional.normalize(_centred(registers, n_groups), dim=-1)
    n_windows = unit.shape[1]
    itself = torch.eye(n_windows, dtype=torch.bool, device=unit.device)
    likeness = (unit @ unit.mT / _TEMPERATURE).masked_fill(itself, -torch.inf)
    partner = torch.arange(n_windows, device=unit.device).roll(n_windows // 2).repeat(n_groups)
    return torch.nn.functional.cross_entropy(likeness.flatten(0, 1), partner)


def alignment(registers: Tensor, n_groups: int = 1) -> Tensor:
    """Ask that the two views of a recording have one embedding.

    Agreement is content once partners are nearer than others are; this one never is, and so
    what tells the views apart, as gaps and noise, loses its place in the embedding.

    Parameters
    ----------
    registers : tensor of shape (R, B, 1, D)
        Decoded registers; those of the windows ``i`` and ``i + B / 2`` are of one recording.
    n_groups : int, default=1
        Equal parts of the batch, each a batch of its own here.

    Returns
    -------
    tensor of shape ()
        Share of the variance of semantic embeddings that is between views of one recording:
        0 if they have one embedding, 1 if they differ as any two.

    References
    ----------
    .. [1] Wang and Isola, "Understanding Contrastive Representation Learning through Alignment
       and Uniformity on the Hypersphere", 2020, arXiv:2005.10242, section 4.1.
    """
    centred = _centred(registers, n_groups)
    one, other = centred.chunk(2, 1)
    apart, spread = (part.square().sum((1, 2)) for part in (one - other, centred))
    return (apart / spread.clamp(min=torch.finfo(spread.dtype).tiny)).mean()


OF_PAIRS = {"agreement": agreement, "alignment": alignment}


def in_pairs(weights: Mapping[str, float]) -> bool:
    """Tell whether windows must come in pairs.

    Parameters
    ----------
    weights : mapping of str to float
        Weights of the losses by name.

    Returns
    -------
    bool
        Whether anything that is asked of pairs counts.
    """
    return any(weights.get(name, 0.0) for name in OF_PAIRS)


def pair_losses(registers: Tensor, n_groups: int = 1) -> dict[str, Tensor]:
    """Compute what is asked of windows that come in pairs.

    Parameters
    ----------
    registers : tensor of shape (R, B, 1, D)
        Decoded registers; those of the windows ``i`` and ``i + B / 2`` are of one recording.
    n_groups : int, default=1
        Equal parts of the batch, each a batch of its own here.

    Returns
    -------
    dict of str to tensor of shape ()
        ``"agreement"`` and ``"alignment"``.
    """
    return {name: loss(registers, n_groups) for name, loss in OF_PAIRS.items()}


def weighted_sum(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Add up the losses, each times its weight; a loss without a weight counts nothing.

    Parameters
    ----------
    losses : mapping of str to tensor of shape ()
        Losses by name.
    weights : mapping of str to float
        Weights by name.

    Returns
    -------
    tensor of shape ()
        The sum.
    """
    return torch.stack([weights.get(name, 0.0) * loss for name, loss in losses.items()]).sum()


def pretraining_losses(
    prediction: Prediction,
    x: Tensor,
    known: Tensor,
    observed: Tensor,
    future: Tensor,
    signature: SpectralSignature,
    spectrum: Spectrum,
) -> dict[str, Tensor]:
    """Compute the loss of every head the network has.

    Parameters
    ----------
    prediction : Prediction
        What the network made of ``x`` under ``observed``.
    x : tensor of shape (B, C, T)
        The true window [input units].
    known : tensor of bool, of shape (B, C, T)
        True where the data has a value.
    observed : tensor of bool, of shape (B, C, T)
        True where the network was shown it.
    future : tensor of shape (B, C, H)
        The true values after the window [input units]; NaN where there are none.
    signature, spectrum : SpectralSignature, Spectrum
        The maps that make the targets of the frequency heads.

    Returns
    -------
    dict of str to tensor of shape ()
        ``"time"`` and ``"frequency"`` over hidden points, ``"spectrum"``,
        ``"signature"`` and ``"forecast"``, as far as the heads exist.

    References
    ----------
    .. [1] Ekambaram et al., 2025, arXiv:2505.13033, section 3.4.
    """
    heads, scaling = prediction.heads, prediction.encoding
    hidden = known & ~observed
    target = torch.where(known, (x - scaling.loc) / scaling.scale, 0)
    weight = evened(target, known)
    losses = {"time": masked_mse(heads["time"], target, hidden, weight)}
    if "spectrum" in heads:
        losses["frequency"] = masked_mse(heads["frequency"], target, hidden, weight)
        losses["spectrum"] = (heads["spectrum"] - spectrum(target)[0]).square().mean()
    if "signature" in heads:
        losses["signature"] = signature_cross_entropy(heads["signature"], signature(target))
    if "forecast" in heads:
        there = future.isfinite()
        ahead = torch.where(there, (future - scaling.loc) / scaling.scale, 0)
        losses["forecast"] = masked_mse(heads["forecast"], ahead, there, evened(ahead, there))
    return losses


class PretrainingLoss:
    """Weigh and add the losses of all heads, and remember each."""

    def __init__(self, config: TSPulseConfig, weights: Mapping[str, float]) -> None:
        self.signature = SpectralSignature(config.n_signature_bins, config.signature_scale)
        self.spectrum = Spectrum(config.variance_floor)
        self.n_register_start = config.n_register_start
        self.weights = weights
        self.parts: dict[str, Tensor] = {}

    def __call__(self, prediction: Prediction, truth: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of the losses, and keep them in ``parts``."""
        series = (truth["x"], truth["known"], truth["observed"], truth["future"])
        losses = pretraining_losses(prediction, *series, self.signature, self.spectrum)
        if in_pairs(self.weights):
            losses |= pair_losses(prediction.encoding.tokens[self.n_register_start :])
        total = weighted_sum(losses, self.weights)
        self.parts = {name: loss.detach() for name, loss in losses.items()}
        self.parts["loss"] = total.detach()
        return total
