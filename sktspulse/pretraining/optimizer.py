"""The optimizer of pre-training: Muon for matrices, AdamW for the other parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["MAX_GRADIENT_NORM", "MuonAdamW", "orthogonalize", "split_parameters"]

MAX_GRADIENT_NORM = 1.0
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic that moves singular values to one
_NEWTON_SCHULZ_STEPS = 5
_MATCH_ADAM = 0.2  # updates of matrices are scaled to the root mean square of an Adam update


def orthogonalize(matrices: Tensor) -> Tensor:
    """Move all singular values of matrices ``(n, rows, columns)`` near one, in bfloat16.

    References
    ----------
    .. [1] Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(_NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def split_parameters(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the matrices of the mixers, and all other parameters."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        inside = ".mlp." in name or ".gate." in name
        (matrices if inside and parameter.ndim == 2 else others).append(parameter)
    return matrices, others


class MuonAdamW(torch.optim.Optimizer):
    """Update matrices by Muon with ``momentum``, and all other parameters by AdamW."""

    # torch.optim.Muon (torch 2.9 on) gives the same updates, but orthogonalises one matrix
    # after the other. Orthogonalising all matrices of one shape together makes a step faster.

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float = 0.01,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.95),
    ) -> None:
        groups = [
            {"params": list(matrices), "orthogonal": True},
            {"params": list(others), "orthogonal": False},
        ]
        defaults = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "betas": betas}
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; return the result of the closure, if any."""
        with torch.enable_grad():
            loss = closure() if closure is not None else None
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if not parameters:
                continue
            torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            update = self._step_matrices if group["orthogonal"] else self._step_others
            update(parameters, group)
        return loss

    def _state(self, parameters: list[nn.Parameter], name: str) -> list[Tensor]:
        for parameter in parameters:
            if name not in self.state[parameter]:
                self.state[parameter][name] = torch.zeros_like(parameter)
        return [self.state[parameter][name] for parameter in parameters]

    def _step_matrices(self, parameters: list[nn.Parameter], group: dict[str, Any]) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        buffers = self._state(parameters, "momentum")
        torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
        nesterov = torch._foreach_lerp(gradients, buffers, group["momentum"])
        shapes: dict[torch.Size, list[int]] = defaultdict(list)
        for index, parameter in enumerate(parameters):
            shapes[parameter.shape].append(index)
        for shape, indices in shapes.items():
            stacked = torch.stack([nesterov[i] for i in indices])
            updates = orthogonalize(stacked).to(stacked.dtype)
            rate = group["lr"] * _MATCH_ADAM * max(shape) ** 0.5
            torch._foreach_add_([parameters[i] for i in indices], updates.unbind(), alpha=-rate)

    def _step_others(self, parameters: list[nn.Parameter], group: dict[str, Any]) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        means, squares = self._state(parameters, "mean"), self._state(parameters, "square")
        group["n_steps"] = group.get("n_steps", 0) + 1
        first, second = group["betas"]
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
        deviations = torch._foreach_sqrt(squares)
        torch._foreach_div_(deviations, (1 - second ** group["n_steps"]) ** 0.5)
        torch._foreach_add_(deviations, 1e-8)
        rate = group["lr"] / (1 - first ** group["n_steps"])
        torch._foreach_addcdiv_([*parameters], means, deviations, -rate)
