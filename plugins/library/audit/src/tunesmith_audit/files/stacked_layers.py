"""A model of other models' layers, each held against the layer that it was: equal bit by bit, but for its dtype."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith_audit.bounds import weight_bound
from tunesmith_audit.files.config_facts import config_findings
from tunesmith_audit.files.tensors import StoredTensor, tensors_of, values_of
from tunesmith_audit.files.tokenizer_facts import template_identity, tokenizer_findings
from tunesmith_audit.verdict import Finding, Verdict

_LAYER = re.compile(r"\b(layers|h|blocks)\.(\d+)\.")


def audit_stacked(sources: Mapping[str, Path], child: Path, layers: Sequence[tuple[str, int]]) -> Verdict:
    """
    Args:
        sources: directories of the models by the names of a step's inputs, the base first.
        layers: of each of the child's layers, from below: the source's name, and which of its layers it is.
    """
    parents = {name: tensors_of(path) for name, path in sources.items()}
    new, base = tensors_of(child), next(iter(sources.values()))
    config = [one for one in config_findings(base, child) if "num_hidden_layers" not in one.what]
    findings = [*config, *tokenizer_findings(base, child), *_missing(parents, new, layers)]
    for name, tensor in new.items():
        findings += _tensor(name, tensor, _origins(name, parents, layers))
    return Verdict(tuple(findings), {"template": template_identity(child), "tensors": len(new)})


def _origins(name: str, parents: Mapping[str, Mapping[str, Any]], layers: Sequence[tuple[str, int]]) -> list[StoredTensor]:
    """What a tensor may be: that of its layer; outside of layers, that of the first or the last layer's model."""
    if found := _LAYER.search(name):
        if int(found[2]) >= len(layers):
            return []
        source, layer = layers[int(found[2])]
        wanted = [(source, f"{name[: found.start(2)]}{layer}{name[found.end(2) :]}")]
    else:
        wanted = [(layers[0][0], name), (layers[-1][0], name)]
    return [parents[source][other] for source, other in wanted if other in parents.get(source, {})]


def _tensor(name: str, tensor: StoredTensor, origins: Sequence[StoredTensor]) -> Iterator[Finding]:
    if not origins:
        yield Finding("TS-AUDIT-004", f"{name} is in none of the models")
        return
    alike = [one for one in origins if one.shape == tensor.shape]
    changes = [(values_of(tensor, one).change, weight_bound(tensor.dtype if tensor.floating else "F32")) for one in alike]
    if not changes:
        yield Finding("TS-AUDIT-004", f"{name} has another shape than in the model that it is from")
    elif not values_of(tensor).finite:
        yield Finding("TS-AUDIT-002", f"{name} holds NaN or infinite numbers")
    elif not any(change <= bound for change, bound in changes):
        least = min((change for change, _ in changes), default=math.inf)
        yield Finding("TS-AUDIT-007", f"{name} differs by {least:.2g} of its size from the layer that it is")


def _missing(
    parents: Mapping[str, Mapping[str, Any]], new: Mapping[str, StoredTensor], layers: Sequence[tuple[str, int]]
) -> Iterator[Finding]:  # fmt: skip
    for at, (source, layer) in enumerate(layers):
        for name in parents.get(source, {}):
            found = _LAYER.search(name)
            if found and int(found[2]) == layer:
                there = f"{name[: found.start(2)]}{at}{name[found.end(2) :]}"
                if there not in new:
                    yield Finding("TS-AUDIT-004", f"{there} is not there")
