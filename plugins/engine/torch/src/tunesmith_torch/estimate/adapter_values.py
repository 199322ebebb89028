"""What an adapter can't do where the strategy lets the first process alone have the model's values. Standard library and contracts only."""

from __future__ import annotations

from tunesmith.contracts import EstimateRequest, UserError


def check_values(request: EstimateRequest) -> None:
    """Raises:
    UserError: TS-TRAIN-073 where the adapter has to see them.
    """
    adapter, objective, strategy = (request.parts.get(slot, {}) for slot in ("adapter", "objective", "strategy"))
    if request.processes == 1 or not strategy.get("host_loading"):
        return
    if adapter.get("sees_values"):
        raise values_needed("its start follows from what the model gives")
    if adapter.get("keeps_values") and objective.get("reference"):
        raise values_needed("the values from before training are kept whole, for the objective asks for that model")


def values_needed(why: str) -> UserError:
    return UserError(
        "TS-TRAIN-073", "The adapter has to see the model's values to begin, and the strategy gives each process a piece", why=why,
        fix="Use another start (`init_lora_weights: kaiming`, say) or another adapter, or the strategy `single` or `ddp`.",
    )  # fmt: skip
