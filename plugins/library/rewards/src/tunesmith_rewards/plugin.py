"""What this plugin brings: the kind `reward`."""

from __future__ import annotations

from tunesmith.contracts import Kind
from tunesmith.hookspecs import hookimpl


@hookimpl
def kind() -> Kind:
    return Kind(
        name="reward",
        summary="says how good a completion is, as a number, or that it can't tell",
        contract="tunesmith_rewards.api.reward:Reward",
        checks="tunesmith_rewards.conformance",
        scaffold="scaffold/reward",
        example='Provider("polite", "1 for a completion that says please", "acme_polite.reward:Polite")',
    )
