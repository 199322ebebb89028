"""What requests may hold, as JSON Schema. Each field is bounded by what it means, whatever the size of the body."""

from __future__ import annotations

from typing import Any

from tunesmith_transformers.sampling.sampling_params import BOUNDS

_WORD = {"type": "string", "maxLength": 1024}  # a name
_TEXT = {"type": "string"}  # bounded by the body and, in tokens, by the context
_FLAG = {"type": "boolean"}
_WHOLE = 2**31 - 1
_COUNT = {"type": "integer", "minimum": 0, "maximum": _WHOLE}
_STOP = {"type": "string", "minLength": 1, "maxLength": 256}  # each is looked for in each piece of text
_ANYTHING: dict[str, Any] = {"type": "object"}


def _several(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": 4096}


def _number(name: str, **other: Any) -> dict[str, Any]:
    least, most = BOUNDS[name]
    return {"type": "number", "minimum": least, "maximum": most, **other}


_SAMPLING: dict[str, Any] = {
    "model": _WORD,
    "max_tokens": _COUNT,
    "temperature": _number("temperature"),
    "top_p": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "top_k": _number("top_k", type="integer"),
    "min_p": _number("min_p"),
    "seed": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "n": {"type": "integer", "minimum": 1, "maximum": 64},
    "stop": {"anyOf": [_STOP, {"type": "array", "items": _STOP, "maxItems": 32}]},
    "presence_penalty": _number("presence_penalty"),
    "frequency_penalty": _number("frequency_penalty"),
    "repetition_penalty": _number("repetition_penalty"),
    "logit_bias": {"type": "object", "maxProperties": 1024, "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}},
    "ignore_eos": _FLAG,
    "stream": _FLAG,
    "stream_options": {"type": "object", "additionalProperties": False,
                       "properties": {"include_usage": _FLAG, "continuous_usage_stats": _FLAG, "include_obfuscation": _FLAG}},
}  # fmt: skip
_FORMAT = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["text", "json_object", "json_schema"]},
        "json_schema": {
            "type": "object",
            "properties": {"name": _WORD, "description": _TEXT, "schema": _ANYTHING, "strict": _FLAG},
            "required": ["name"],
        },
    },
}
_PART = {"type": "object", "properties": {"type": _WORD, "text": _TEXT}, "required": ["type"]}
_CALL = {
    "type": "object",
    "properties": {
        "id": _WORD,
        "type": _WORD,
        "function": {"type": "object", "properties": {"name": _WORD, "arguments": {"anyOf": [_TEXT, _ANYTHING]}}},
    },
}
_MESSAGE = {
    "type": "object",
    "properties": {
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool", "function"]},
        "content": {"anyOf": [_TEXT, {"type": "array", "items": _PART, "maxItems": 4096}]},
        "name": _WORD,
        "tool_call_id": _WORD,
        "tool_calls": {"type": "array", "items": _CALL, "maxItems": 256},
    },
    "required": ["role"],
}
_TOOL = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["function"]},
        "function": {
            "type": "object",
            "properties": {"name": _WORD, "description": _TEXT, "parameters": _ANYTHING, "strict": _FLAG},
            "required": ["name"],
        },
    },
    "required": ["type", "function"],
}
_MESSAGES = {"type": "array", "items": _MESSAGE, "minItems": 1, "maxItems": 16384}
_TOOLS = {"type": "array", "items": _TOOL, "maxItems": 1024}
_NAMED = {"type": "object", "properties": {"name": _WORD}, "required": ["name"]}
_CHOICE = {
    "anyOf": [
        {"type": "string", "enum": ["auto", "none", "required"]},
        {
            "type": "object",
            "properties": {"type": {"type": "string", "enum": ["function"]}, "function": _NAMED},
            "required": ["type", "function"],
        },
    ]
}
_KWARGS = {"type": "object", "maxProperties": 64}
_IDS = {"type": "array", "items": _COUNT, "minItems": 1}

CHAT: dict[str, Any] = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": _SAMPLING
    | {
        "messages": _MESSAGES,
        "max_completion_tokens": _COUNT,
        "logprobs": _FLAG,
        "top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
        "tools": _TOOLS,
        "tool_choice": _CHOICE,
        "response_format": _FORMAT,
        "chat_template_kwargs": _KWARGS,
    },
}
COMPLETION: dict[str, Any] = {
    "type": "object",
    "required": ["model", "prompt"],
    "properties": _SAMPLING
    | {
        "prompt": {
            "anyOf": [_TEXT, _IDS, *({"type": "array", "items": items, "minItems": 1, "maxItems": 4096} for items in (_TEXT, _IDS))]
        },
        "echo": _FLAG,
        "response_format": _FORMAT,
        "logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
    },
}
_ITEM = {
    "type": "object",
    "properties": {
        "type": _WORD,
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant"]},
        "content": {"anyOf": [_TEXT, {"type": "array", "items": _PART, "maxItems": 4096}]},
        "call_id": _WORD,
        "name": _WORD,
        "arguments": _TEXT,
    },
}
_TEXT_FORMAT = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": ["text", "json_object", "json_schema"]}, "name": _WORD, "schema": _ANYTHING,
                   "strict": _FLAG, "description": _TEXT},
}  # fmt: skip
RESPONSE: dict[str, Any] = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {name: _SAMPLING[name] for name in ("model", "temperature", "top_p", "top_k", "min_p", "seed", "stream")}
    | {
        "input": {"anyOf": [_TEXT, {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": 16384}]},
        "instructions": _TEXT,
        "max_output_tokens": _COUNT,
        "tools": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": {"type": "string", "enum": ["function"]}, "name": _WORD, "description": _TEXT,
                               "parameters": _ANYTHING, "strict": _FLAG},
                "required": ["type", "name"],
            },
            "maxItems": 1024,
        },
        "tool_choice": {
            "anyOf": [
                {"type": "string", "enum": ["auto", "none", "required"]},
                {"type": "object", "properties": {"type": {"type": "string", "enum": ["function"]}, "name": _WORD},
                 "required": ["type", "name"]},
            ]
        },
        "text": {"type": "object", "properties": {"format": _TEXT_FORMAT, "verbosity": _WORD}},
        "chat_template_kwargs": _KWARGS,
        "store": _FLAG,
        "background": _FLAG,
        "previous_response_id": _WORD,
        "conversation": {"anyOf": [_WORD, _ANYTHING]},
        "prompt": _ANYTHING,
        "reasoning": _ANYTHING,
        "truncation": {"type": "string", "enum": ["disabled"]},
        "include": {"type": "array", "items": _WORD, "maxItems": 64},
        "stream_options": _ANYTHING,
    },
}  # fmt: skip
#: vLLM's fields; `prompt` or `messages` has to be there.
TOKENIZE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "model": _WORD,
        "prompt": _TEXT,
        "messages": _MESSAGES,
        "tools": _TOOLS,
        "add_special_tokens": _FLAG,
        "add_generation_prompt": _FLAG,
        "return_token_strs": _FLAG,
        "chat_template_kwargs": _KWARGS,
    },
}
DETOKENIZE: dict[str, Any] = {"type": "object", "required": ["tokens"], "properties": {"model": _WORD, "tokens": _IDS}}
_INPUT = COMPLETION["properties"]["prompt"]  # a text or ids, alone or several
EMBEDDING: dict[str, Any] = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": _WORD,
        "input": _INPUT,
        "encoding_format": {"type": "string", "enum": ["float", "base64"]},
        "dimensions": {"type": "integer", "minimum": 1, "maximum": _WHOLE},
        "prompt_name": {"type": "string", "enum": ["query", "document"]},
    },
}
POOLING: dict[str, Any] = {
    "type": "object",
    "required": ["model"],
    "properties": {
        "model": _WORD,
        "input": _INPUT,
        "messages": CHAT["properties"]["messages"],
        "tools": CHAT["properties"]["tools"],
        "use_activation": _FLAG,
    },
}
#: Fields of the API that change nothing here.
IGNORED = {
    "user", "metadata", "store", "service_tier", "parallel_tool_calls", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "reasoning_effort", "verbosity", "modalities", "best_of", "suffix",
}  # fmt: skip
