"""What a rank holds and sends, as shares, and which settings serve a machine. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith.contracts import EstimateRequest, UserError

AHEAD = 2.0  # layers that are whole: the one that computes, and the next, which is gathered meanwhile
ON_HOST = 1.5e-9  # seconds of a host for a number in the step of PyTorch's Adam (ZeRO-Offload, arXiv:2101.06840, measures about so much)
ALL = 1e6  # more layers than any model has


def check_groups(count: int, size: int) -> None:
    """
    Raises:
        UserError: TS-TRAIN-064 when groups of `size` processes, 0 for one of all, do not come to `count`.
    """
    if size and count % size:
        raise UserError(
            "TS-TRAIN-064", f"{count} processes can't be divided into groups of {size}",
            fix=f"Set `shard_size` to a divisor of {count}, or to 0: one copy of the model for all.",
        )  # fmt: skip


def shares(request: EstimateRequest) -> Mapping[str, float]:
    """Of parameters, gradients and the optimizer's state on this rank's device (arXiv:1910.02054, 5), and the layers that are whole.

    In a micro-batch parameters are gathered for the forward pass and, where they were freed, for the backward pass; gradients are reduced
    to each rank's piece, and summed over the copies of the model.

    Raises:
        UserError: TS-TRAIN-063 for a backend by which processes can't talk there; TS-TRAIN-064 when `shard_size` does not divide the
            processes.
    """
    from tunesmith_torch.api.processes import check_backend

    check_backend(str(request.settings.get("backend", "auto")), request.device)
    settings, count = request.settings, int(request.settings["num_processes"])
    check_groups(count, int(settings["shard_size"]))
    together = int(settings["shard_size"]) or count
    away = bool(settings["cpu_offload"]) and request.device != "cpu"
    share, others, copies = 1.0 / together, (together - 1) / together, count / together
    here, there = (0.0, share) if away else (share, 0.0)
    found = {"parameters": here, "gradients": here, "optimizer": here, "group": float(together), "host_loading": 1.0}
    if together > 1:
        found["gathered"] = AHEAD if settings["reshard_after_forward"] else ALL
        found["gather"] = others * (2 if settings["reshard_after_forward"] else 1)
    if count > 1:
        found["reduce"] = others + 2 * (copies - 1) / copies / together
    if settings["param_dtype"] != "auto":
        found["cast"] = {"float32": 4.0, "bfloat16": 2.0}[settings["param_dtype"]]
    if there:
        found |= {"host_parameters": there, "host_gradients": there, "host_optimizer": there, "host_step": ON_HOST}
    return found


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """A process for each of several devices: parameters freed after a layer, kept, divided within a node alone, and on the host.

    A process without rows brings no speed: where a batch has fewer rows than there are devices, it is a process for each row, and more,
    a node's and all, for the memory that they have. Where the step computes in bfloat16 parameters are gathered in it, which is half the
    traffic, and no layer is copied into it.
    """
    all_devices = len(request.devices)
    batch = int(request.step_settings.get("batch_size", all_devices))
    working = min(all_devices, batch, int(request.data.get("rows", 0)) or batch)
    node = int(request.devices[0].facts.get("node", all_devices)) if request.devices else 0
    usual: dict[str, Any] = {}
    if "bfloat16" in request.dtypes and request.step_settings.get("dtype", "auto") in ("auto", "bfloat16"):
        usual |= {"param_dtype": "bfloat16", "reduce_dtype": "float32"}
    found = list(_of_count(working, node, usual)) if working > 1 else []
    for count in sorted({node, all_devices}):
        if 1 < count <= all_devices and count > working:
            found += [{"num_processes": count, **usual}, {"num_processes": count, **usual, "cpu_offload": True}]
    return found


def _of_count(count: int, node: int, more: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    usual = {"num_processes": count, **more}
    yield usual
    yield {**usual, "reshard_after_forward": False}
    if 1 < node < count and count % node == 0:
        yield {**usual, "shard_size": node}
    yield {**usual, "cpu_offload": True}
