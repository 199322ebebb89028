"""JSON Schemas of what lies in a row: a list of messages, media columns, tool descriptions.

Null is let through wherever a key may be absent: tables that were written with one schema for all rows are full of it.
"""

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
TEXT_OR_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}
_OBJECTS_OR_NULL = {"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "null"}]}
_FILE = {"format": "media"}
_PLACES = [form for kind in ("image", "audio", "video") for form in (kind, f"{kind}_url", f"input_{kind}")]
_PART = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"type": "string"}, "text": TEXT_OR_NULL, **dict.fromkeys([*_PLACES, "url", "path"], _FILE)},
}
_MESSAGE = {
    "type": "object",
    "required": ["role"],
    "properties": {
        "role": {"type": "string", "enum": list(ROLES)},
        "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": _PART}, {"type": "null"}]},
        "tool_calls": _OBJECTS_OR_NULL,
        "function_call": {"anyOf": [{"type": "object"}, {"type": "null"}]},
        "tool_call_id": TEXT_OR_NULL,
        "name": TEXT_OR_NULL,
        "reasoning_content": TEXT_OR_NULL,
    },
}
MESSAGES = {"type": "array", "items": _MESSAGE, "minItems": 1}

_MEDIUM = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]}
_MEDIA = {"anyOf": [{"type": "array", "items": _MEDIUM}, {"type": "string"}, {"type": "object"}, {"type": "null"}], **_FILE}
MEDIA_COLUMNS = {name: _MEDIA for kind in ("image", "audio", "video") for name in (kind, kind + "s")}
TOOLS = {"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "string"}, {"type": "null"}]}
