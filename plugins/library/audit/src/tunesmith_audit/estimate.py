"""What the check `audit` will look at, for the plan; standard library only."""

from __future__ import annotations

import importlib.util

from tunesmith.contracts.artifacts import fits, role_of
from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith.errors import UserError
from tunesmith_audit.outputs.prompts import conversations
from tunesmith_models import ModelShape

#: formats of checkpoints that transformers loads, with the library that wrote them
LOADED = ("model/hf", "model/gptq", "model/awq", "model/bnb", "model/compressed-tensors", "model/gguf")
RUNTIME = 0.4 * 2**30  # resident size of Python with torch, transformers and the library that quantized
_READ, _COMPUTED = 3e8, 2e10  # bytes a second that the audit and a loader read; operations a second of a slow CPU
_TOKENS = 500.0  # of all conversations


def estimate(request: EstimateRequest) -> Estimate | None:
    """What will be looked at and about how long that takes, and the memory of the comparison where it is more than that of the step's work.

    Raises:
        UserError: TS-AUDIT-009: a bound is another one, or nothing is to be compared, and no reason is given.
    """
    _check_reason(request)
    made = next(iter(request.facts.get("produces", ())), "")
    if not fits(made, ("model/*+*", "adapter/*+*")):
        return None
    work = max(request.parts.values(), key=lambda part: sum(part.values()), default={})
    terms = {name: value for name, value in work.items() if name != "disk"}
    reason = not_compared(request, made)
    shape = ModelShape.of(request)
    if not reason and shape and terms:
        terms = max(terms, comparison_memory(shape, RUNTIME), key=lambda one: sum(one.values()))
    return Estimate(terms, disk=work.get("disk", 0.0), decisions=(planned(request, reason),))


def not_compared(request: EstimateRequest, made: str) -> str:
    """Why both are not run against each other, as far as a plan can know; empty: they are."""
    if not request.settings.get("compare", True):
        return f"`compare` is false: {request.settings['reason']}"
    if reason := request.facts.get("not_compared"):
        return str(reason)
    if fits(made, ("adapter/*+*",)):
        return "an adapter is to change what its model computes"
    if has_role(made, request.format):
        return "it gives no words"
    for one in (request.format, *(() if request.facts.get("log_probs") else (made,))):
        if fits(one, ("model/*",)) and not fits(one, LOADED):
            return f"{one} is no checkpoint that transformers loads"
    return ""


def has_role(made: str, read: str) -> bool:
    """Whether a model does something else than say words: by what is made of it, or by what was read, where that is handed on (``+*``)."""
    return bool({role_of(made), role_of(read)} - {"", "*"})


def planned(request: EstimateRequest, reason: str = "") -> tuple[str, str]:
    """(what, reason) of the plan's decision: what the check will look at, and about how long it takes."""
    size = float(request.model_bytes or request.input_bytes)
    shape = ModelShape.of(request)
    seconds = 1 + 2 * size / _READ
    if reason:
        return "audited before it is published", f"tensors, config and tokenizer, about {seconds:.0f} s; not compared: {reason}"
    seconds += 2 * size / _READ + (4 * shape.parameters * _TOKENS / _COMPUTED if shape else 0)
    count = len(conversations(request.settings.get("prompts", ())))
    if unbounded := request.facts.get("unbounded"):
        looked = f"audit: tensors, config and tokenizer; {count} prompts through all of them"
        return "how far it is from each of its models is told", f"{looked}; no bound: {unbounded}"
    where = "" if importlib.util.find_spec("transformers") else ", if transformers is in the step's environment"
    return (
        "held against its parent before it is published",
        f"audit: tensors, config and tokenizer; gate: {count} prompts through both{where}; together about {seconds:.0f} s",
    )


def comparison_memory(shape: ModelShape, runtime: float) -> dict[str, float]:
    """Bytes at the peak of the comparison: one of the two models at a time in float32, its files' pages, what both say."""
    return {
        "libraries": runtime, "weights": shape.parameters * 4.0, "its files": shape.parameters * 2.0,
        "log-probabilities": 3 * _TOKENS * shape.vocabulary * 4.0,
    }  # fmt: skip


def _check_reason(request: EstimateRequest) -> None:
    settings = request.settings
    changed = [name for name in ("kl", "top1", "perplexity") if settings.get(name) is not None]
    changed += [] if settings.get("compare", True) else ["compare"]
    if changed and not str(settings.get("reason", "")).strip():
        raise UserError(
            "TS-AUDIT-009", f"`{changed[0]}` of the check is set without a reason",
            why="Who reads the report, or uses the model, has to know why it is held to another bound than others.",
            fix="Say it in the setting `reason` beside it.",
        )  # fmt: skip
