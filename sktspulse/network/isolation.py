"""Keep torch's settings of the caller from changing answers, and forked processes from hanging."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Generator, nn
from torch.overrides import TorchFunctionMode

__all__ = ["NewWeights", "isolated"]

_FACTORIES = (torch.empty, torch.ones, torch.randn, torch.zeros)
_DRAWS = (torch.randn, nn.init.kaiming_uniform_, nn.init.uniform_)

# The threads of a process do not survive a fork. The child would wait for them for ever, unless it
# computes on one thread, as the workers of torch's data loaders do.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


class _Team:
    """The process that has started threads for torch, if any."""

    process: int | None = None

    def check(self) -> None:
        """Raise a RuntimeError in a fork of that process if it would need these threads."""
        if torch.get_num_threads() == 1:
            return
        if self.process not in (None, os.getpid()):
            raise RuntimeError(
                f"torch.get_num_threads() is {torch.get_num_threads()} in a process that was "
                "forked after its parent had used several threads, which would hang. Call "
                "torch.set_num_threads(1), or start the process with the method 'spawn'."
            )
        self.process = os.getpid()


_team = _Team()


@contextmanager
def isolated(device: torch.device) -> Iterator[None]:
    """Compute on a device as if the caller had not changed torch's settings.

    Gradients are recorded. Inference mode, autocast and the default device of the caller have no
    effect, and are as before afterwards. All of them belong to a thread. The default data type
    belongs to the process, so it is not changed: name the type of new tensors instead.
    """
    _team.check()
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        if torch.amp.is_autocast_available(device.type):
            stack.enter_context(torch.autocast(device.type, enabled=False))
        # torch 2.4 has get_default_device, but it fails after set_default_device(None).
        if torch.empty(0).device.type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


class NewWeights(TorchFunctionMode):
    """Make modules in single precision, whatever torch's defaults.

    With a generator, weights are on the CPU and drawn from it instead of the global one. Without
    one they take no memory: they are on the meta device, and nothing is drawn.
    """

    def __init__(self, generator: Generator | None = None) -> None:
        self.generator = generator
        self.device = "meta" if generator is None else "cpu"

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in _FACTORIES:
            given = {name: value for name, value in kwargs.items() if value is not None}
            kwargs = {"dtype": torch.float32, "device": self.device, **given}
        if func in _DRAWS and self.generator is not None:
            kwargs["generator"] = self.generator
        elif func is torch.randn:  # to draw on the meta device would import sympy
            func = torch.empty
        elif func in _DRAWS:
            return None  # the weight is filled in place
        return func(*args, **kwargs)
