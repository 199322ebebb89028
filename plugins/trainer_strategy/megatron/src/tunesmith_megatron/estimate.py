"""What a rank holds, as shares, and what can't be divided. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_megatron.architecture import architecture_of
from tunesmith_megatron.division import check_model, check_processes
from tunesmith_models import ModelShape


def shares(request: EstimateRequest) -> Mapping[str, float]:
    """Of parameters, gradients and the optimizer's state on the rank that has most of them.

    Raises:
        UserError: TS-TRAIN-080 for a model that is not converted; TS-TRAIN-081 and -082 where it or the processes can't be divided so.
    """
    settings = request.settings
    check_processes(settings, int(settings["num_processes"]))
    if not request.config:
        return {}
    found = architecture_of(request.config)
    check_model(settings, found)
    shape = ModelShape.of(request)
    if shape is None:
        return {}
    tensor, stages, expert = (
        int(settings[name]) for name in ("tensor_model_parallel_size", "pipeline_model_parallel_size", "expert_model_parallel_size")
    )
    table = found.vocabulary * found.hidden
    experts = sum(found.expert_layers) * found.experts * 3 * found.hidden * found.expert_intermediate
    layers = shape.parameters - experts - table * (1 if found.tied else 2)
    # The first stage has the embedding, the last one the head: the larger of them is all of it where there is one stage.
    tables = table * (1 if found.tied or stages > 1 else 2)
    held = (tables + layers / stages) / tensor + experts / (stages * tensor * expert)
    share = held / shape.parameters
    return {"parameters": share, "gradients": share, "optimizer": share, "gathered": 0.0}
