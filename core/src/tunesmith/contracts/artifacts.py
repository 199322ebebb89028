"""Artifacts: typed directories, the only thing that passes from step to step (law L3).

A format is ``family/name`` and an open string. Those in use: ``model/hf`` (config.json, safetensors, tokenizer files),
``model/gguf``, ``adapter/peft`` (adapter_config.json, adapter_model.safetensors), ``dataset/chat``,
``dataset/preference``, ``dataset/prompt`` (rows.jsonl), ``report/metrics`` (metrics.json,
samples.jsonl), ``endpoint/openai`` (a running server). A plugin may bring more.

What a model has become that no longer does what its format says is its *role*, written behind it: ``model/hf+score`` gives numbers instead
of words. A provider takes artifacts with a role only where it says so: ``model/hf+score`` in `accepts` takes that one, ``model/*+*`` any.
In `produces`, ``model/hf+*`` is a model with the role of what was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Artifact:
    """A directory (or, for ``file``, one file of the user's; for an endpoint, no files) with what is known of it.

    Args:
        format: ``family/name``.
        path: where its files are; read-only to everyone but the step that makes it.
        digest: ``sha256:...`` over format, files and refs: equal digest, equal content.
        refs: other artifacts that it needs to be used: an adapter's ``base``.
        producer: provider that made it: ``{"kind", "name", "distribution", "version", "settings"}``.
        meta: what the producer recorded: a model's config, a dataset's statistics, an endpoint's ``url`` and ``model``.
    """

    format: str
    path: Path
    digest: str = ""
    refs: Mapping[str, Artifact] = field(default_factory=dict)
    producer: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": self.format, "path": str(self.path), "digest": self.digest,
            "refs": {name: ref.to_json() for name, ref in self.refs.items()},
            "producer": dict(self.producer), "meta": dict(self.meta),
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Artifact:
        refs = {name: cls.from_json(ref) for name, ref in data.get("refs", {}).items()}
        return cls(data["format"], Path(data["path"]), data.get("digest", ""), refs, data.get("producer", {}), data.get("meta", {}))


@dataclass(frozen=True)
class Result:
    """What a step made, returned by its `run`; the files lie in `Step.output`.

    Args:
        format: set it only where the provider produces more than one.
        refs: name -> digest of artifacts that this one needs to be used.
        metrics: final numbers, for gates and tables.
        meta: more for `artifact.json`; must be the same on every run of the same step (no times, no paths).
    """

    format: str = ""
    refs: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)


def fits(format: str, accepts: Iterable[str]) -> bool:
    """Whether a format is among those accepted (``model/*`` accepts a whole family, without roles)."""
    found = _parts(format)
    return any(all(map(fnmatchcase, found, _parts(pattern))) for pattern in accepts)


def role_of(format: str) -> str:
    """What is behind the ``+``; empty for a format without a role."""
    return _parts(format)[1]


def with_role(format: str, role: str) -> str:
    """The format with a role in the place of whatever it has."""
    plain = _parts(format)[0]
    return f"{plain}+{role}" if role else plain


def _parts(format: str) -> tuple[str, str]:
    plain, _, role = format.partition("+")
    return plain, role


def several(inputs: Mapping[str, Artifact], name: str) -> list[Artifact]:
    """The artifacts of an input that may be a list, in the user's order."""
    return [inputs[key] for key in numbered(name, len(inputs)) if key in inputs]


def numbered(name: str, count: int) -> list[str]:
    """The keys under which the artifacts of an input that is a list are found: ``name``, ``name.2``, ``name.3``."""
    return [name if number == 1 else f"{name}.{number}" for number in range(1, count + 1)]
