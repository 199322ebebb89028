"""JSON Schemas of what lies in a row: a list of turns, media columns, tool descriptions.

Null is let through wherever a key may be absent: tables that were written with one schema for all rows are full of it. A key that stands
here is read; of others it is said that they are not.
"""

from tunesmith_messages.roles import ROLES
from tunesmith_messages.turn_weights import SHARES, WEIGHTS

TEXT_OR_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}
_ROLE = {"anyOf": [{"type": "string", "enum": list(ROLES)}, {"type": "null"}]}
_CALLS = {"anyOf": [{"type": "array", "items": {"type": ["object", "string"]}}, {"type": "string"}, {"type": "null"}]}
_FILE = {"format": "media"}
_PLACES = [form for kind in ("image", "audio", "video") for form in (kind, f"{kind}_url", f"input_{kind}")]
_PART = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string"}, **dict.fromkeys(("text", "input_text", "output_text", "refusal"), TEXT_OR_NULL),
        **dict.fromkeys([*_PLACES, "url", "path"], _FILE),
    },
}  # fmt: skip
_CONTENT = {"anyOf": [{"type": "string"}, {"type": "array", "items": _PART}, {"type": "null"}]}
TURN = {
    "type": "object",
    "properties": {
        "role": _ROLE, "from": _ROLE, "content": _CONTENT, "value": _CONTENT,
        "tool_calls": _CALLS,
        "function_call": {"type": ["object", "string", "null"]},
        **dict.fromkeys(("tool_call_id", "name", "reasoning_content", "reasoning", "thinking", "refusal"), TEXT_OR_NULL),
        **{key: {} for key in (*WEIGHTS, *SHARES)},
    },
}  # fmt: skip
MESSAGES = {"type": "array", "items": TURN, "minItems": 1}

_MEDIUM = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]}
_MEDIA = {"anyOf": [{"type": "array", "items": _MEDIUM}, {"type": "string"}, {"type": "object"}, {"type": "null"}], **_FILE}
MEDIA_COLUMNS = {name: _MEDIA for kind in ("image", "audio", "video") for name in (kind, kind + "s")}
_TOOLS = {"anyOf": [{"type": "array", "items": {"type": ["object", "string"]}}, {"type": "string"}, {"type": "null"}]}
TOOLS = {"tools": _TOOLS, "functions": _TOOLS}
#: whether an answer is a good one: a row that says no is refused, and nothing else is made of it
KTO = {"label": {"deprecated": True}, "kto_tag": {"deprecated": True}}
