"""Both checks as a step's code calls them, before what it made is published."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts.estimates import EstimateRequest
from tunesmith.contracts.step import Step
from tunesmith_audit.bounds import Bounds, bits_of, output_bounds
from tunesmith_audit.distance import NotCompared, distance, ids_of, load, log_probs_of
from tunesmith_audit.prompts import conversations
from tunesmith_audit.verdict import Verdict
from tunesmith_models import ModelShape, configuration, stored_type
from tunesmith_models.model_directory import weights_size

REFUSED = "refused"  # folder in the step's work folder for the files of a child that is not published
_READ, _COMPUTED = 3e8, 2e10  # bytes a second that the audit and a loader read; operations a second of a slow CPU
_TOKENS = 500.0  # of all conversations


def check_artifact(
    step: Step, parent: Path, *, edge: str, child: Path | None = None, bounds: Bounds | None = None,
    expected: Sequence[Any] | None = None, not_compared: str = "",
) -> Verdict:  # fmt: skip
    """Audit what lies in `step.output`, hold it against its parent, and say in the step's decisions what was found.

    Args:
        edge: as in `audit`.
        child: where the child lies, if not in `step.output`.
        bounds: else those of its bits and size.
        expected: the log-probabilities that the child should have, as `log_probs_of` gives them of the conversations in the parent's
            tokens; else the parent's, which is loaded for it.
        not_compared: why the two are not run against each other, as a clause; empty: they are.

    Raises:
        UserError: the first finding's code; the files are in the folder `refused` of the step's work folder.
    """
    from tunesmith_audit.audit import audit  # numpy

    child = child or step.output
    verdict = audit(parent, child, edge)  # type: ignore[arg-type]
    if not_compared:
        verdict += Verdict(not_compared=(not_compared,))
    elif verdict.ok or not verdict.unless_computed_alike().findings:
        room = step.placement.torch != "cpu" or expected is not None or _free() > 4.0 * weights_size(parent)
        reason = "" if room else f"the parent takes {weights_size(parent) / 1e9:.1f} GB, and less than four times that is free"
        verdict = compared(verdict, parent, child, step.placement.torch, bounds=bounds, expected=expected, not_compared=reason)
    if not verdict.ok:
        kept = step.work / REFUSED
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(child, kept)
        raise verdict.error(f"What `{step.name}` made", f"Its files are in {kept}.")
    step.decide(*told(verdict))
    return verdict


def told(verdict: Verdict) -> tuple[str, str]:
    """(what, reason) as the run's report has it."""
    figures = verdict.figures
    audited = f"{figures['tensors']} tensors, config and tokenizer" if "tensors" in figures else "config and tokenizer"
    norms: Mapping[str, float] = figures.get("update_norm") or {}
    reason = f"{audited} agree with the parent"
    if norms:
        most = max(norms, key=norms.__getitem__)
        reason += f"; the largest change of a matrix is {norms[most]:.2g} of its size ({most})"
    if "kl" in figures:
        reason += (
            f"; over {figures['prompts']} conversations ({figures['tokens']} tokens) {figures['top1']:.1%} of the next tokens are the "
            f"parent's, the divergence is {figures['kl']:.2g} nats a token, the perplexity {figures['perplexity_ratio']:.3f} times its"
        )
    if verdict.not_compared:
        reason += "; not compared: " + "; ".join(verdict.not_compared)
    return "held against its parent", reason


def compared(
    verdict: Verdict, parent: Path, child: Path, device: str = "cpu", *, bounds: Bounds | None = None, bits: int = 0,
    expected: Sequence[Any] | None = None, not_compared: str = "",
) -> Verdict:  # fmt: skip
    """The audit's verdict with what both compute.

    Args:
        bits: that the child's weights have been through, where its config does not say so.
    """
    if not_compared:
        return verdict + Verdict(not_compared=(not_compared,))
    try:
        ids, gated = ids_of(parent, child)
        if gated.ok:
            config = configuration(child)
            before = list(expected) if expected is not None else _said(parent, ids, device)
            after = _said(child, ids, device)
            shape = ModelShape.from_config(config)
            size = shape.parameters if shape else 0.0
            gated += distance(before, after, ids, bounds or output_bounds(bits or bits_of(config, stored_type(config)), size))
            if not distance(before, after, ids, output_bounds(16)).findings:
                verdict = verdict.unless_computed_alike()
    except NotCompared as reason:
        return verdict + Verdict(not_compared=(str(reason),))
    return verdict + gated


def _said(directory: Path, ids: Sequence[Sequence[int]], device: str) -> list[Any]:
    import torch

    dtype = torch.float32 if device == "cpu" else getattr(torch, stored_type(configuration(directory)) or "float32")
    return log_probs_of(load(directory, device, dtype), ids, device)


def _free() -> float:
    """Bytes of memory that can be had; endless where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return float("inf")


def comparison_memory(shape: ModelShape, runtime: float) -> dict[str, float]:
    """Bytes at the peak of the comparison: one of the two models at a time in float32, its files' pages, what both say."""
    return {
        "libraries": runtime, "weights": shape.parameters * 4.0, "its files": shape.parameters * 2.0,
        "log-probabilities": 3 * _TOKENS * shape.vocabulary * 4.0,
    }  # fmt: skip


def planned(request: EstimateRequest, not_compared: str = "") -> tuple[str, str]:
    """(what, reason) for an estimator's `decisions`: what the checks will look at, and about how long they take."""
    size = float(request.model_bytes or request.input_bytes)
    shape = ModelShape.of(request)
    seconds = 1 + 2 * size / _READ
    if not_compared:
        return "audited before it is published", f"tensors, config and tokenizer, about {seconds:.0f} s; not compared: {not_compared}"
    seconds += 2 * size / _READ + (4 * shape.parameters * _TOKENS / _COMPUTED if shape else 0)
    return (
        "held against its parent before it is published",
        f"audit: tensors, config and tokenizer; gate: {len(conversations())} prompts through both; together about {seconds:.0f} s",
    )
