"""Tensors of a model whose head training has replaced: an encoder that filled in words and tells classes now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_audit.files.tensors import StoredTensor

_POOLER = "pooler"


def under_new_names(
    old: Mapping[str, StoredTensor], new: Mapping[str, StoredTensor], parent: Mapping[str, Any], child: Mapping[str, Any]
) -> Mapping[str, StoredTensor]:  # fmt: skip
    """The parent's tensors by the child's names, without those of a head that the child's class has not.

    A class with a head keeps the model below a name of its own (``bert.encoder``), the model alone does not (``encoder``).
    """
    if not parent.get("architectures") or parent.get("architectures") == child.get("architectures"):
        return old
    firsts = {name.partition(".")[0] for name in new}
    known = firsts | {name.split(".")[1] for name in new if "." in name}
    found = {}
    for name, tensor in old.items():
        first, _, rest = name.partition(".")
        longer = next((f"{one}.{name}" for one in firsts if f"{one}.{name}" in new), "")
        if name in new:
            found[name] = tensor
        elif longer or rest in new:
            found[longer or rest] = tensor
        elif _POOLER not in name.split(".") and (first in known or rest.partition(".")[0] in firsts):
            found[name] = tensor  # of the model itself: it should be there
    return found
