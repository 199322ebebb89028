"""The gate, and the command."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import StepFacts, UserError
from tunesmith.hookspecs import hookimpl


@hookimpl
def step_starting(step: StepFacts) -> None:
    """Fails closed: approvals that can't be read approve nothing."""
    if step.verb != "serve":
        return
    from acme_approval.approvals import approved

    model = step.inputs.get("model", "")
    try:
        known = approved()
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError("ACME-APPROVAL-003", "the approvals can't be read", why=str(error), fix="Fix the file.") from error
    if model not in known:
        fix = f"Have it approved: tunesmith approve {model} --by NAME"
        raise UserError("ACME-APPROVAL-001", f"the model of the step `{step.name}` is not approved: {model}", fix=fix)


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("approve", "approve a model for serving", "acme_approval.approvals:main")]
