"""The audit of an adapter's files: finite numbers, and something that it changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tunesmith_audit.files.tensors import StoredTensor, tensors_of, values_of
from tunesmith_audit.verdict import Finding, Verdict

#: Ends of names of those tensors that start as zeros, so that a new adapter changes nothing: one of them has to have moved.
#: Sources: PEFT's layers of LoRA and DoRA, AdaLoRA (E), VeRA, OFT and BOFT.
FROM_ZERO = ("lora_B.weight", "lora_embedding_B", "lora_E", "vera_lambda_b", "oft_r.weight", "boft_R")


def audit_adapter(child: Path, parent: Path | None = None) -> Verdict:
    """
    Args:
        parent: an adapter that was trained further; its numbers must have changed.

    Raises:
        UserError: TS-MODEL-008 when a file is missing or not whole.
    """
    new = {name: tensor for name, tensor in tensors_of(child).items() if tensor.floating}
    if not new:
        return Verdict(not_compared=("it has no safetensors files",))
    seen = {name: values_of(tensor) for name, tensor in new.items()}
    findings = [Finding("TS-AUDIT-002", f"{name} holds NaN or infinite numbers") for name, found in seen.items() if not found.finite]
    start = [name for name in seen if name.endswith(FROM_ZERO)]
    if start and all(seen[name].zero for name in start):
        findings.append(Finding("TS-AUDIT-003", f"all of its {len(start)} tensors that start as zeros still are: it changes nothing"))
    elif all(found.zero for found in seen.values()):
        findings.append(Finding("TS-AUDIT-001", "all of its tensors are zeros"))
    elif parent is not None and _same(new, tensors_of(parent)):
        findings.append(Finding("TS-AUDIT-003", "every tensor is the one that it started from, bit by bit"))
    return Verdict(tuple(findings), {"adapter": len(new)})


def _same(new: Mapping[str, StoredTensor], old: Mapping[str, StoredTensor]) -> bool:
    return all(name in old and old[name].shape == one.shape and not values_of(one, old[name]).change for name, one in new.items())
