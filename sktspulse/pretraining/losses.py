"""The losses of pre-training, and their weighted sum.

The losses of the heads are means in standardised units, so that a series counts the same
whatever its unit. Points that are missing in the data are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from ..network import Prediction, SpectralSignature, Spectrum, TSPulseConfig

__all__ = ["LOSS_WEIGHTS", "PAIR_LOSSES", "PretrainingLoss", "agreement", "alignment"]
__all__ += ["masked_mse", "needs_pairs", "series_weights", "signature_cross_entropy"]

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
    """Average the squared error over the points ``where``; 0 if there are none.

    All have shape ``(B, C, T)``, except for ``weight`` of every series: ``(B, C, 1)``.
    """
    error = torch.where(where, prediction - target, 0).square() * weight
    return error.sum() / where.sum().clamp(min=1)


def series_weights(target: Tensor, known: Tensor) -> Tensor:
    """Return one over the mean square of the known values of every series, at most 1.

    If a series is flat where it is observed, its scale is tiny, and a step in its hidden part
    is huge in units of that scale. The weight keeps such a series from dominating the loss.
    """
    squares = torch.where(known, target, 0).square().sum(-1, keepdim=True)
    return 1 / (squares / known.sum(-1, keepdim=True).clamp(min=1)).clamp(min=1)


def signature_cross_entropy(log_signature: Tensor, target: Tensor) -> Tensor:
    """Sum the cross-entropy ``(B, C, F)`` over frequencies, average over windows [nats]."""
    return -(target * log_signature).sum(-1).mean()


def _centred(registers: Tensor, n_groups: int) -> Tensor:
    """Return embeddings minus the mean of their group: ``(n_groups, B / n_groups, R * D)``."""
    embeddings = registers[:, :, 0].movedim(0, 1).flatten(1)
    groups = embeddings.unflatten(0, (2, n_groups, -1)).transpose(0, 1).flatten(1, 2)
    return groups - groups.mean(1, keepdim=True)


def agreement(registers: Tensor, n_groups: int = 1) -> Tensor:
    """Contrastive loss: the two crops of a series are each other's nearest neighbours.

    Mean cross-entropy of identifying the partner of a window among all others, by the cosine
    similarity of centred semantic embeddings [nats]. ``registers`` has shape ``(R, B, 1, D)``;
    windows ``i`` and ``i + B / 2`` come from the same series. ``n_groups`` equal parts of the
    batch are compared separately, so that a larger batch does not have more negatives.

    References
    ----------
    .. [1] Chen et al., "A Simple Framework for Contrastive Learning of Visual
       Representations", 2020, arXiv:2002.05709, equation 1.
    """
    unit = normalize(_centred(registers, n_groups), dim=-1)
    n_windows = unit.shape[1]
    itself = torch.eye(n_windows, dtype=torch.bool, device=unit.device)
    similarity = (unit @ unit.mT / _TEMPERATURE).masked_fill(itself, -torch.inf)
    partner = torch.arange(n_windows, device=unit.device).roll(n_windows // 2).repeat(n_groups)
    return cross_entropy(similarity.flatten(0, 1), partner)


def alignment(registers: Tensor, n_groups: int = 1) -> Tensor:
    """Invariance loss: the two crops of a series have the same embedding.

    Fraction of the variance of semantic embeddings that is between the crops of a series: 0 if
    they are equal, 1 if they differ as much as crops of different series. The agreement no
    longer falls once partners are nearest neighbours. This loss does, and so removes from the
    embedding what differs between crops, such as gaps and noise. For the arguments, see
    :func:`agreement`.

    References
    ----------
    .. [1] Wang and Isola, "Understanding Contrastive Representation Learning through Alignment
       and Uniformity on the Hypersphere", 2020, arXiv:2005.10242, section 4.1.
    """
    centred = _centred(registers, n_groups)
    first, second = centred.chunk(2, 1)
    within, total = (part.square().sum((1, 2)) for part in (first - second, centred))
    return (within / total.clamp(min=torch.finfo(total.dtype).tiny)).mean()


PAIR_LOSSES = {"agreement": agreement, "alignment": alignment}


def needs_pairs(weights: Mapping[str, float]) -> bool:
    """Return whether a loss that compares pairs of windows has a weight."""
    return any(weights.get(name, 0.0) for name in PAIR_LOSSES)


class PretrainingLoss:
    """Compute the weighted sum of all losses, and keep the losses of the last batch in ``parts``.

    A loss that is not in ``weights`` has weight 0. See :func:`agreement` for ``n_groups``.
    """

    def __init__(
        self, config: TSPulseConfig, weights: Mapping[str, float], n_groups: int = 1
    ) -> None:
        self.signature = SpectralSignature(config.n_signature_bins, config.signature_scale)
        self.spectrum = Spectrum(config.variance_floor)
        self.n_register_start = config.n_register_start
        self.weights = weights
        self.n_groups = n_groups
        self.parts: dict[str, Tensor] = {}

    def __call__(self, prediction: Prediction, truth: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of the losses, and keep them in ``parts``."""
        losses = self.losses(prediction, truth)
        self.parts = {name: loss.detach() for name, loss in losses.items()}
        return losses["loss"]

    def losses(self, prediction: Prediction, truth: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compute the losses by name, and their weighted sum ``"loss"``."""
        losses = self.head_losses(prediction, **truth)
        if needs_pairs(self.weights):
            registers = prediction.encoding.tokens[self.n_register_start :]
            pairs = PAIR_LOSSES.items()
            losses |= {name: loss(registers, self.n_groups) for name, loss in pairs}
        weighted = [self.weights.get(name, 0.0) * loss for name, loss in losses.items()]
        return losses | {"loss": torch.stack(weighted).sum()}

    def head_losses(
        self, prediction: Prediction, x: Tensor, known: Tensor, observed: Tensor, future: Tensor
    ) -> dict[str, Tensor]:
        """Compute the loss of every head that the network has.

        ``x`` ``(B, C, T)`` and ``future`` ``(B, C, H)``, which may be NaN, are the true values.
        The data has a value where ``known``, and the network was shown it where ``observed``.

        References
        ----------
        .. [1] Ekambaram et al., 2025, arXiv:2505.13033, section 3.4.
        """
        heads, scaling = prediction.heads, prediction.encoding
        hidden = known & ~observed
        target = torch.where(known, (x - scaling.loc) / scaling.scale, 0)
        weight = series_weights(target, known)
        losses = {"time": masked_mse(heads["time"], target, hidden, weight)}
        if "spectrum" in heads:
            losses["frequency"] = masked_mse(heads["frequency"], target, hidden, weight)
            losses["spectrum"] = (heads["spectrum"] - self.spectrum(target)[0]).square().mean()
        if "signature" in heads:
            signature = self.signature(target)
            losses["signature"] = signature_cross_entropy(heads["signature"], signature)
        if "forecast" in heads:
            exists = future.isfinite()
            ahead = torch.where(exists, (future - scaling.loc) / scaling.scale, 0)
            weight = series_weights(ahead, exists)
            losses["forecast"] = masked_mse(heads["forecast"], ahead, exists, weight)
        return losses
