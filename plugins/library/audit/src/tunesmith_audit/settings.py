"""Settings of the check `audit`: what a user overrides, and why."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class AuditSettings:
    kl: float | None = setting(None, "divergence from the parent in nats a token, at most; null: the bound of its bits and size", gt=0)
    top1: float | None = setting(None, "share of the tokens with the parent's next one, at least; null: as above", ge=0, le=1)
    perplexity: float | None = setting(None, "perplexity as a multiple of the parent's, at most; null: as above", gt=0)
    compare: bool = setting(True, "whether both models are run against each other")
    prompts: list[str] = setting([], "of your own, beside those that are shipped")
    reason: str = setting(
        "", "why a bound is another one, or nothing is compared; it is kept with the artifact", effect={"with": {"kl": 0.5}}
    )  # fmt: skip
