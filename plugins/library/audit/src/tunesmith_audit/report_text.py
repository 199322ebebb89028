"""What a check found, as the run's report says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_audit.outputs.comparison import own_bounds
from tunesmith_audit.settings import AuditSettings
from tunesmith_audit.verdict import Verdict


def told(verdict: Verdict, settings: AuditSettings) -> tuple[str, str]:
    """(what, reason) of a step's decision."""
    figures = verdict.figures
    norms: Mapping[str, float] = figures.get("update_norm") or {}
    if "adapter" in figures:
        said = [f"{figures['adapter']} tensors are finite, and change something"]
    else:
        audited = f"{figures['tensors']} tensors, config and tokenizer" if "tensors" in figures else "config and tokenizer"
        said = [f"{audited} agree with the parent"]
    if norms:
        most = max(norms, key=norms.__getitem__)
        said.append(f"the largest change of a matrix is {norms[most]:.2g} of its size ({most})")
    if "kl" in figures:
        divergence = f"{figures['kl']:.2g}{_interval(figures, 'kl', '.2g')}"
        times = f"{figures['perplexity_ratio']:.3f}{_interval(figures, 'perplexity_ratio', '.3f')}"
        said.append(
            f"over {figures['prompts']} conversations ({figures['tokens']} tokens) {figures['top1']:.1%} of the next tokens are the "
            f"parent's, the divergence is {divergence} nats a token, the perplexity {times} times its"
        )
    for name, apart in figures.get("parents", {}).items():
        divergence = f"{apart['kl']:.2g}{_interval(apart, 'kl', '.2g')}"
        said.append(
            f"from `{name}` it is {divergence} nats a token apart, {apart['top1']:.1%} of the next tokens are the same, it has "
            f"{apart['perplexity_ratio']:.3f} times its perplexity"
        )
    if own := own_bounds(settings):
        listed = ", ".join(f"{name} {value:g}" for name, value in own.items())
        said.append(f"bounds of the user's: {listed} ({settings.reason})")
    if verdict.not_compared:
        not_compared = "; ".join(verdict.not_compared)
        said.append(f"not compared: {not_compared}")
    return "held against its parent", "; ".join(said)


def _interval(figures: Mapping[str, Any], name: str, digits: str) -> str:
    """Where the figure lies with 95%, if there are enough conversations to say so."""
    ends = figures.get("intervals", {}).get(name)
    return f" ({ends[0]:{digits}} to {ends[1]:{digits}})" if ends else ""
