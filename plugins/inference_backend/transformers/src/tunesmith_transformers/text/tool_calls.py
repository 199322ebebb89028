"""Calls of tools in a model's own words, and back: as Hermes and Qwen write them, and as Llama 3 does."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tunesmith_transformers.text.tags import cut

START, END = "<tool_call>", "</tool_call>"
Style = Literal["hermes", "llama3_json", ""]


@dataclass(frozen=True)
class Call:
    """A call of a tool; `arguments` is JSON."""

    name: str
    arguments: str


def style_of(template: str) -> Style:
    """How a model whose chat template this is writes calls; empty where that is not known."""
    if START in template:
        return "hermes"
    if '"parameters"' in template and ("ipython" in template or "<|python_tag|>" in template):
        return "llama3_json"
    return ""


def opening(style: Style, name: str) -> str:
    """What a call of the tool begins with, up to its arguments; without a name up to the call itself."""
    before = f"{START}\n" if style == "hermes" else ""
    if not name:
        return before
    return f'{before}{{"name": {json.dumps(name, ensure_ascii=False)}, "{"parameters" if style == "llama3_json" else "arguments"}": '


def call_schema(tools: Mapping[str, Mapping[str, Any]], style: Style) -> dict[str, Any]:
    """JSON schema of a call of one of the tools, given by name with the schema of their arguments."""
    key = "parameters" if style == "llama3_json" else "arguments"
    return {
        "anyOf": [
            {
                "type": "object", "properties": {"name": {"const": name}, key: dict(arguments)}, "required": ["name", key],
                "additionalProperties": False,
            }
            for name, arguments in tools.items()
        ]
    }  # fmt: skip


def read_call(text: str) -> Call | None:
    """The call in a JSON object, or in the XML that Qwen's coders write; None where it is none."""
    if found := re.fullmatch(r"\s*<function=([^>\n]+)>(.*?)(?:</function>)?\s*", text, re.DOTALL):
        values = re.findall(r"<parameter=([^>\n]+)>\n?(.*?)\n?</parameter>", found[2], re.DOTALL)
        return Call(found[1].strip(), json.dumps({name.strip(): _value(value) for name, value in values}, ensure_ascii=False))
    try:
        return _call(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _call(value: Any) -> Call | None:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, dict):
        return Call(value["name"], json.dumps(arguments, ensure_ascii=False))
    return Call(value["name"], arguments) if isinstance(arguments, str) else None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


class HermesCalls:
    """Finds ``<tool_call>`` ... ``</tool_call>`` in a text that grows. What stands there and is no call stays text."""

    def __init__(self) -> None:
        self._text = ""  # not shown yet
        self._within = self._called = False

    def push(self, text: str, last: bool = False) -> tuple[str, list[Call]]:
        """(text, calls) that it makes certain; with `last`, all that was held back."""
        self._text += text
        shown, calls = "", []
        while True:
            part, rest = cut(self._text, END if self._within else START)
            if not self._within:
                shown += part
                if rest is None:
                    self._text = self._text[len(part) :]
                    break
                self._text, self._within = rest, True
                continue
            if rest is None and not last:
                break
            call = read_call(self._text if rest is None else part)
            if call is not None:
                calls.append(call)
                self._called = True
            else:
                shown += START + (self._text if rest is None else self._text[: len(self._text) - len(rest)])
            self._text, self._within = rest or "", False
        if last:
            # spaces around calls are no text
            shown, self._text = shown + (self._text if self._text.strip() or not self._called else ""), ""
        return shown, calls


class JsonCalls:
    """Llama 3's: an answer that is calls from beginning to end, JSON objects one after the other.

    Args:
        names: of the tools; objects that name none of them are an answer in JSON.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._text = ""
        self._plain = False

    def push(self, text: str, last: bool = False) -> tuple[str, list[Call]]:
        """As `HermesCalls.push`."""
        self._text += text
        if not self._plain and self._text.strip():
            self._plain = not self._text.lstrip().startswith("{")
        if not (self._plain or last):
            return "", []
        text, self._text = self._text, ""
        calls = [] if self._plain else list(self._calls(text))
        if not calls or None in calls:
            self._plain = True
            return text, []
        return "", [call for call in calls if call is not None]

    def _calls(self, text: str) -> Iterator[Call | None]:
        decoder, at = json.JSONDecoder(), 0
        while at < len(text):
            if text[at] in " \t\r\n;,":
                at += 1
                continue
            try:
                value, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                yield None
                return
            call = _call(value)
            yield call if call is not None and call.name in self._names else None
