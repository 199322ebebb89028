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
        reason = f"{figures['adapter']} tensors are finite, and change something"
    else:
        audited = f"{figures['tensors']} tensors, config and tokenizer" if "tensors" in figures else "config and tokenizer"
        reason = f"{audited} agree with the parent"
    if norms:
        most = max(norms, key=norms.__getitem__)
        reason += f"; the largest change of a matrix is {norms[most]:.2g} of its size ({most})"
    if "kl" in figures:
        reason += (
            f"; over {figures['prompts']} conversations ({figures['tokens']} tokens) {figures['top1']:.1%} of the next tokens are the "
            f"parent's, the divergence is {figures['kl']:.2g}{_interval(figures, 'kl', '.2g')} nats a token, the perplexity "
            f"{figures['perplexity_ratio']:.3f}{_interval(figures, 'perplexity_ratio', '.3f')} times its"
        )
    for name, apart in figures.get("parents", {}).items():
        reason += (
            f"; from `{name}` it is {apart['kl']:.2g}{_interval(apart, 'kl', '.2g')} nats a token apart, {apart['top1']:.1%} of the next "
            f"tokens are the same, it has {apart['perplexity_ratio']:.3f} times its perplexity"
        )
    if own := own_bounds(settings):
        listed = ", ".join(f"{name} {value:g}" for name, value in own.items())
        reason += f"; bounds of the user's: {listed} ({settings.reason})"
    if verdict.not_compared:
        reason += "; not compared: " + "; ".join(verdict.not_compared)
    return "held against its parent", reason


def _interval(figures: Mapping[str, Any], name: str, digits: str) -> str:
    """Where the figure lies with 95%, if there are enough conversations to say so."""
    ends = figures.get("intervals", {}).get(name)
    return f" ({ends[0]:{digits}} to {ends[1]:{digits}})" if ends else ""
