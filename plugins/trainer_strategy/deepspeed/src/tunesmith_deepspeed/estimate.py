"""What a rank holds and sends, as shares, and which settings serve a machine. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith.contracts.settings import build
from tunesmith_deepspeed.config import check, check_said
from tunesmith_deepspeed.known_entries import unknown_entries
from tunesmith_deepspeed.presets import decisions, effective, of_preset
from tunesmith_deepspeed.settings import ZeroSettings

AHEAD = 2.0  # layers that are whole: the one that computes, and the next, which is gathered meanwhile
ON_HOST = 1.5e-9  # seconds of a host for a number in the step of PyTorch's Adam (ZeRO-Offload, arXiv:2101.06840, measures about so much)
AWAY = {"offload_optimizer": "cpu"}


def estimate(request: EstimateRequest) -> Estimate:
    """The shares, and which of the settings' values came from where.

    Raises:
        UserError: TS-TRAIN-063 for a backend by which processes can't talk there; TS-TRAIN-064, -067 and -068 for settings that can't be
            together.
    """
    from tunesmith_torch.api.processes import check_backend

    said = build(ZeroSettings, request.settings)
    settings = effective(said)
    check_backend(said.backend, request.device)
    try:
        check(settings, int(settings.num_processes or 1))
    except UserError as error:
        error.why = f"{error.why} {of_preset(said)}".strip()
        raise
    check_said(said, int(settings.stage or 0))
    return Estimate(shares(settings, away=request.device != "cpu"), decisions=tuple(decisions(said)),
                    warnings=tuple(unknown_entries(said.config)))  # fmt: skip


def shares(settings: Any, *, away: bool) -> Mapping[str, float]:
    """Of parameters, gradients and the optimizer's state on this rank's device (arXiv:1910.02054, 5), and the layers that are whole.

    Gradients are reduced to their owner, in stage 1 once a step and else in every micro-batch; what trains is gathered after the step, or,
    in stage 3, all parameters in the forward and in the backward pass (7).

    Args:
        settings: a `ZeroSettings` with everything filled in.
        away: whether the device has memory of its own, so that the host's is another.
    """
    stage, part = settings.stage, 1.0 / settings.num_processes
    others = 1.0 - part
    optimizer = 0.0 if away and settings.offload_optimizer != "none" else part
    found = {"optimizer": optimizer}
    if not optimizer:
        found |= {"host_optimizer": part, "host_gradients": part, "host_step": ON_HOST, "host_master": part if stage < 3 else 0.0}
    if stage < 3:
        found |= {"parameters": 1.0, "gradients": part if stage == 2 else 1.0, "master": optimizer}
        if others:
            found |= {"reduce": others, "reduce_step": others} if stage == 2 else {"reduce_step": 2 * others}
        return found
    parameters = 0.0 if away and settings.offload_param != "none" else part
    found |= {"parameters": parameters, "gradients": optimizer, "host_loading": 1.0}
    if others or not parameters:
        found["gathered"] = AHEAD
    if others:
        found |= {"gather": 2 * others, "reduce": others}
    return found | ({} if parameters else {"host_parameters": part})


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """A process for each device: the stages of several, and what is offloaded to the host of an accelerator.

    A process without rows brings no speed: where a batch has fewer rows than there are devices, it is a process for each row, and one for
    each device in stage 3, for the memory that they have.
    """
    count = len(request.devices)
    batch = int(request.step_settings.get("batch_size", count))
    working = min(count, batch, int(request.data.get("rows", 0)) or batch)
    each: dict[str, Any] = {"num_processes": working}
    found = [{**each, "stage": stage} for stage in (1, 2, 3)] if working > 1 else []
    if request.device != "cpu":
        found += [{**each, "stage": 2, **AWAY}, {**each, "stage": 3, **AWAY, "offload_param": "cpu"}]
    if working < count:
        found.append({"num_processes": count, "stage": 3})
        found += [{"num_processes": count, "stage": 3, **AWAY, "offload_param": "cpu"}] if request.device != "cpu" else []
    return found
