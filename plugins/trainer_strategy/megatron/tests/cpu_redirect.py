"""megatron-core on processors, for tests alone: its calls of CUDA are answered by the CPU. Nothing of its mathematics is touched.

What is redirected, and no more: torch's functions about the current device, its generators and streams; `device="cuda"` in the factories of
tensors; the two functions by which Megatron reads and sets a CUDA generator's state, and the one that brings counts of tokens to the host.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

CPU = torch.device("cpu")


class Stream:
    """One queue of work, which is done when it returns."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def wait_stream(self, other: Any) -> None: ...

    def synchronize(self) -> None: ...

    def record_event(self) -> Stream:
        return self


class Factories(TorchFunctionMode):
    """What is made, or moved, with `device="cuda"` is made on the CPU."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = dict(kwargs or {})
        if str(options.get("device", "")).startswith("cuda"):
            options["device"] = CPU
        return function(*args, **options)


def redirect() -> None:
    """From here on, in this process."""
    cuda = torch.cuda
    queue = Stream()
    answers: dict[str, Any] = {
        "current_device": lambda: CPU, "synchronize": lambda *_: None, "set_device": lambda *_: None, "manual_seed": torch.manual_seed,
        "get_rng_state": lambda *_: torch.get_rng_state(), "set_rng_state": lambda state, *_: torch.set_rng_state(state),
        "Stream": Stream, "current_stream": lambda *_: queue, "default_stream": lambda *_: queue,
        "stream": lambda *_: contextlib.nullcontext(),
    }  # fmt: skip
    for name, answer in answers.items():
        setattr(cuda, name, answer)
    cuda.nvtx.range_push = cuda.nvtx.range_pop = lambda *_: None
    Factories().__enter__()
    torch.Tensor.cuda = lambda self, *_, **__: self  # type: ignore[assignment, method-assign]
    from megatron.core.tensor_parallel import random
    from megatron.core.transformer.moe import token_dispatcher

    random._get_cuda_rng_state = lambda *_, **__: torch.get_rng_state()
    random._set_cuda_rng_state = lambda state, *_, **__: torch.set_rng_state(state)
    # It leaves what is on the CPU as it is, and so does not make lists of numbers of it either.
    token_dispatcher.maybe_move_tensor_to_cpu = lambda tensor, as_numpy=False, record_stream=False: (
        tensor.numpy() if as_numpy and tensor is not None else tensor
    )
