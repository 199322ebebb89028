"""What a rank holds and sends, as shares; what can't be divided; which settings serve a machine. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_megatron.architecture import Architecture, architecture_of
from tunesmith_megatron.division import check_model, check_processes, expert_size, sizes_of
from tunesmith_models import ModelShape

#: Of the bytes that a layer keeps of its activations for each number of a hidden state, those that ranks that compute it together divide
#: without `sequence_parallel`: all but the norms' and the residual stream's ten (arXiv:2205.05198, 4.1).
_KEPT = 34
_DIVIDED = 24 / _KEPT
_BYTES = 2  # of a number among them


def shares(request: EstimateRequest) -> Mapping[str, float]:
    """Of parameters, gradients and the optimizer's state on the rank that has most of them.

    Raises:
        UserError: TS-TRAIN-063 for a backend by which processes can't talk; TS-TRAIN-080 for a model that is not converted;
            TS-TRAIN-081 and -082 where it or the processes can't be divided so.
    """
    from tunesmith_torch.api.processes import check_backend

    check_backend(str(request.settings.get("backend", "auto")), request.device)
    settings, count = request.settings, int(request.settings["num_processes"])
    check_processes(settings, count)
    tensor, stages, _ = sizes_of(settings)
    context = int(settings["context_parallel_size"])
    together, data = tensor * stages, count // (tensor * stages * context)
    kept = 1 / tensor if settings["sequence_parallel"] else 1 - _DIVIDED * (1 - 1 / tensor)
    found: dict[str, float] = {
        "own_model": 1.0, "computes": 1 / (together * context), "data": float(data),
        "exchange": 8 * (tensor - 1) / tensor / stages / context, "reduce_step": 2 * (data * context - 1) / (data * context),
        "activations": kept / context,
    }  # fmt: skip
    if tensor * context > 1:
        found["group"] = float(tensor * context)
    if stages > 1:
        # Of a stage's micro-batches one after the other, as many as there are stages wait in it for their backward pass.
        micro = max(1.0, float(request.step_settings.get("batch_size", 1)) / data)
        found["idle"] = (stages - 1) / (micro + stages - 1)
    if not request.config:
        return found | dict.fromkeys(("parameters", "gradients", "optimizer"), 1 / together)
    shape, model = architecture_of(request.config), ModelShape.of(request)
    check_model(settings, shape)
    # Keys and values are gathered in the forward pass, their gradients in the backward pass, and between the two each rank keeps all.
    gathered = 2 * shape.kv_heads * shape.head_size / shape.hidden * (context - 1) / context / tensor
    found["exchange"] += 2 * gathered / stages
    found["activations"] += _BYTES * gathered / _KEPT
    held = 1 / together if model is None else _held(settings, shape, float(model.parameters))
    return found | dict.fromkeys(("parameters", "gradients", "optimizer"), held)


def _held(settings: Mapping[str, Any], shape: Architecture, parameters: float) -> float:
    """The share of the stage that has the embedding or the head, and of its rank."""
    tensor, stages, experts = sizes_of(settings)
    table = shape.vocabulary * shape.hidden
    of_experts = sum(shape.expert_layers) * shape.experts * 3 * shape.hidden * shape.expert_intermediate
    layers = parameters - of_experts - table * (1 if shape.tied else 2)
    tables = table * (1 if shape.tied or stages > 1 else 2)
    return ((tables + layers / stages) / tensor + of_experts / (stages * expert_size(settings) * experts)) / parameters


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """A process for each of several devices, for a model that is converted: layers divided within a node, and stages across.

    Processes that compute no rows of a batch bring no speed and no memory: there are no more copies of the model than rows, and where
    devices would be left over, several divide the tokens of a row.
    """
    count = len(request.devices)
    if count < 2 or not request.config:
        return []
    batch = int(request.step_settings.get("batch_size", count))
    rows = min(batch, int(request.data.get("rows", 0)) or batch)
    return list(_possible(request, count, int(request.devices[0].facts.get("node", count)), rows))


def _possible(request: EstimateRequest, devices: int, node: int, rows: int) -> Iterator[Mapping[str, Any]]:
    for tensor, stages, context in product((1, 2, 4, 8), (1, 2, 4, 8), (1, 2, 4, 8)):
        copy = tensor * stages * context
        left_over = context == 1 or rows * copy // 2 < devices
        if tensor * context == 1 or tensor * context > node or copy > devices or not left_over:
            continue
        found = {
            "num_processes": min(devices, copy * rows), "tensor_model_parallel_size": tensor, "pipeline_model_parallel_size": stages,
            **({"sequence_parallel": True} if tensor > 1 else {}), **({"context_parallel_size": context} if context > 1 else {}),
        }  # fmt: skip
        filled = {
            "sequence_parallel": False, "context_parallel_size": 1, "expert_model_parallel_size": 1, "expert_tensor_parallel_size": None,
        } | found  # fmt: skip
        try:
            check_processes(filled, found["num_processes"])
            check_model(filled, architecture_of(request.config))
        except UserError:
            continue
        yield found
