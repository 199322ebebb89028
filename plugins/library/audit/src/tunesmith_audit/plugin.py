"""What this plugin brings: the kind `artifact_check`, and the check `audit`."""

from __future__ import annotations

from tunesmith.contracts import Kind, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_audit.settings import AuditSettings


@hookimpl
def kind() -> Kind:
    return Kind(
        name="artifact_check",
        summary="looks at what a step made of a model before it is published",
        contract="tunesmith_audit.contract:ArtifactCheck",
        checks="tunesmith_audit.conformance",
        scaffold="scaffold/artifact_check",
        example='Provider("signed", "its files bear the company\'s signature", "acme_signed.check:Signed")',
        examines="check",
    )


@hookimpl
def artifact_check() -> Provider:
    return Provider(
        "audit",
        "tensors, config, tokenizer and what it computes, held against what it was made from",
        "tunesmith_audit.artifact_check:Audit",
        settings=AuditSettings,
        estimator="tunesmith_audit.estimate:estimate",
        priority=10,
    )
