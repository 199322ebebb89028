"""The artifact audit and the differential gate of `tunesmith_audit`, as checks of a child against its parent.

A merged adapter is held against its base with the adapter beside it. Weights that went through a quantized format come here unpacked, as
float32 files of changed numbers: the audit takes them as changed weights, the gate has the bounds of the format's bits.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith_audit.audit import audit
from tunesmith_audit.bounds import bits_of, output_bounds
from tunesmith_audit.distance import NotCompared, distance, ids_of, load, log_probs_of
from tunesmith_audit.verdict import Verdict as Audited
from tunesmith_models import configuration, stored_type

from .behaviour import base_of
from .case import Case, Verdict


def by_audit(case: Case, parent: Path, child: Path) -> Verdict:
    """What the files say."""
    base = base_of(parent)
    edge = "update" if base or case.bits or case.changed else "convert"
    return _verdict(audit(base or parent, child, edge), "audit")


def by_gate(case: Case, parent: Path, child: Path) -> Verdict:
    """What both models answer to the shipped conversations; a child that can't be asked at all is none that passes."""
    try:
        return _verdict(_compared(case, parent, child), "gate")
    except (NotCompared, IndexError) as reason:
        return Verdict(False, "gate", (str(reason),))


def _compared(case: Case, parent: Path, child: Path) -> Audited:
    ids, verdict = ids_of(base_of(parent) or parent, child)
    if not verdict.ok:
        return verdict
    config = configuration(child)
    bounds = output_bounds(case.bits or bits_of(config, stored_type(config)))
    return verdict + distance(_expected(parent, tuple(map(tuple, ids))), _log_probs(child, ids), ids, bounds)


@functools.lru_cache(maxsize=16)
def _expected(parent: Path, ids: tuple[tuple[int, ...], ...]) -> Sequence[Any]:
    return _log_probs(parent, ids)


def _log_probs(directory: Path, ids: Sequence[Sequence[int]]) -> Sequence[Any]:
    import torch

    base = base_of(directory)
    model = load(base or directory, "cpu", torch.float32)
    if base:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, directory)
    return log_probs_of(model, ids, "cpu")


def _verdict(found: Audited, by: str) -> Verdict:
    return Verdict(found.ok, "" if found.ok else by, tuple(f"{one.code}: {one.what}" for one in found.findings))
