"""What a manifest looks like, as JSON Schema. Keys that are not named here come from newer kernels and are passed over."""

from __future__ import annotations

from typing import Any

VERSION = 1  #: of the manifest's own layout

_STRING: dict[str, Any] = {"type": "string"}
_BOOLEAN: dict[str, Any] = {"type": "boolean"}
_OBJECT: dict[str, Any] = {"type": "object"}
_STRINGS: dict[str, Any] = {"type": "array", "items": _STRING}
_WORD: dict[str, Any] = {"type": "string", "minLength": 1}


def _records(needed: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": properties, "required": list(needed)}}


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["manifest", "distribution", "module"],
    "properties": {
        "manifest": {"type": "integer", "minimum": 1},
        "distribution": _WORD,
        "version": _STRING,
        "module": _WORD,
        "runtime": _STRINGS,
        "environment": {
            "type": "object",
            "properties": {
                "prefer": {"type": "string", "enum": ["auto", "host", "isolated"]},
                "python": _STRING,
                "runtime": {"type": "object", "additionalProperties": _STRINGS},
                "without_dependencies": _STRINGS,
                "absent": _STRINGS,
                "probe": _STRING,
            },
        },
        "events": _STRINGS,
        "errors": {"type": "object", "additionalProperties": _STRING},
        "commands": _records(("name", "summary", "target"), name=_WORD, summary=_STRING, target=_WORD),
        "kinds": _records(
            ("name", "summary", "contract"),
            name=_WORD,
            summary=_STRING,
            contract=_WORD,
            api={"type": "integer", "minimum": 0},
            until=_STRING,
            checks=_STRING,
            scaffold=_STRING,
            example=_STRING,
        ),
        "providers": _records(
            ("kind", "name", "summary", "target"),
            kind=_WORD,
            name=_WORD,
            summary=_STRING,
            target=_WORD,
            api={"type": "integer", "minimum": 0},
            kind_from=_STRING,
            settings=_STRING,
            schema=_OBJECT,
            accepts=_STRINGS,
            produces=_STRINGS,
            capabilities={"type": "object", "additionalProperties": {"type": "string", "enum": ["full", "partial", "none", "unknown"]}},
            limits={"type": "object", "additionalProperties": _STRING},
            needs=_records(("of", "capability", "why"), of=_STRING, capability=_STRING, why=_STRING, when=_OBJECT, formats=_STRINGS),
            facts=_OBJECT,
            estimator=_STRING,
            priority={"type": "integer"},
            secrets=_STRINGS,
            main_kind=_STRING,
            many=_BOOLEAN,
            slots=_records(("name", "kind", "summary"), name=_WORD, kind=_WORD, summary=_STRING, default=_STRING, told=_BOOLEAN),
            inputs=_records(
                ("name", "summary"),
                name=_WORD,
                summary=_STRING,
                accepts=_STRINGS,
                of=_STRING,
                required=_BOOLEAN,
                required_by=_STRING,
                many=_BOOLEAN,
            ),
            produces_of=_STRING,
            converts=_STRING,
            service=_BOOLEAN,
            promote=_BOOLEAN,
            computes=_BOOLEAN,
        ),
    },
}
