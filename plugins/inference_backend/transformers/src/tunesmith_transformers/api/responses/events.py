"""The events of a response as it grows, and the response that they end in."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith_transformers.api.generation_response import new_id
from tunesmith_transformers.engine.sequence import Delta
from tunesmith_transformers.text.message import CallPart, MessageForm, MessageParser

Event = dict[str, Any]
ECHOED = ("instructions", "max_output_tokens", "metadata", "reasoning", "safety_identifier", "temperature", "top_p", "user")


class Recorder:
    """Turns the deltas of one answer into events; the last has the whole response.

    Args:
        asked: the request, of which a response repeats much.
        form: how the answer's text is to be read.
    """

    def __init__(self, asked: Mapping[str, Any], form: MessageForm) -> None:
        self._parser = MessageParser(form)
        self._output: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None  # the item under way
        self._number = 0
        self._thoughts = 0  # tokens
        self.response: dict[str, Any] = {
            "id": new_id("resp"), "object": "response", "created_at": int(time.time()), "status": "in_progress", "model": asked["model"],
            "output": [], "error": None, "incomplete_details": None, "usage": None, "store": False, "previous_response_id": None,
            "parallel_tool_calls": asked.get("parallel_tool_calls", True), "tool_choice": asked.get("tool_choice", "auto"),
            "tools": asked.get("tools", []), "text": asked.get("text", {"format": {"type": "text"}}), "truncation": "disabled",
            **{name: asked.get(name) for name in ECHOED},
        }  # fmt: skip
        self.response["metadata"] = self.response["metadata"] or {}

    def begin(self) -> Iterator[Event]:
        for kind in ("created", "in_progress"):
            yield self._event(f"response.{kind}", response=dict(self.response))

    def push(self, delta: Delta) -> Iterator[Event]:
        """What a step added."""
        parts = self._parser.push(delta.text, last=bool(delta.finish))
        if self._parser.thinking:
            self._thoughts = delta.tokens
        if parts.reasoning:
            yield from self._grow("reasoning", "reasoning_text", parts.reasoning)
        if parts.content:
            yield from self._grow("message", "output_text", parts.content)
        for call in parts.calls:
            yield from self._call(call)

    def end(self, finish: str, prompt: int, cached: int, generated: int) -> Iterator[Event]:
        """The answer is complete, or has as many tokens as it may."""
        whole = finish != "length"
        yield from self._close("completed" if whole else "incomplete")
        self.response |= {
            "status": "completed" if whole else "incomplete", "output": self._output,
            "incomplete_details": None if whole else {"reason": "max_output_tokens"},
            "usage": {
                "input_tokens": prompt, "output_tokens": generated, "total_tokens": prompt + generated,
                "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": self._thoughts},
            },
        }  # fmt: skip
        yield self._event("response.completed" if whole else "response.incomplete", response=self.response)

    def fail(self, message: str) -> Event:
        self.response |= {"status": "failed", "output": self._output, "error": {"code": "server_error", "message": message}}
        return self._event("response.failed", response=self.response)

    def _event(self, kind: str, **fields: Any) -> Event:
        self._number += 1
        return {"type": kind, "sequence_number": self._number - 1, **fields}

    def _place(self) -> dict[str, Any]:
        assert self._open is not None
        place = {"item_id": self._open["id"], "output_index": len(self._output)}
        return place if self._open["type"] == "function_call" else {**place, "content_index": 0}

    def _grow(self, item: str, part: str, text: str) -> Iterator[Event]:
        """More text of a message, or of thoughts; another item before it ends."""
        if self._open is None or self._open["type"] != item:
            yield from self._close("completed")
            own = {"role": "assistant"} if item == "message" else {"summary": []}
            self._open = {"id": new_id("msg" if item == "message" else "rs"), "type": item, "status": "in_progress", "content": [], **own}
            yield self._event("response.output_item.added", output_index=len(self._output), item={**self._open})
            empty = _part(part, "")
            self._open["content"] = [empty]
            yield self._event("response.content_part.added", **self._place(), part={**empty})
        self._open["content"][0]["text"] += text
        extra = {"logprobs": []} if part == "output_text" else {}
        yield self._event(f"response.{part}.delta", **self._place(), delta=text, **extra)

    def _call(self, call: CallPart) -> Iterator[Event]:
        if call.name:
            yield from self._close("completed")
            self._open = {
                "id": new_id("fc"), "type": "function_call", "status": "in_progress", "call_id": new_id("call"), "name": call.name,
                "arguments": "",
            }  # fmt: skip
            yield self._event("response.output_item.added", output_index=len(self._output), item={**self._open})
        assert self._open is not None
        self._open["arguments"] += call.arguments
        if call.arguments:
            yield self._event("response.function_call_arguments.delta", **self._place(), delta=call.arguments)

    def _close(self, status: str) -> Iterator[Event]:
        """The item under way is complete."""
        item = self._open
        if item is None:
            return
        if item["type"] == "function_call":
            yield self._event("response.function_call_arguments.done", **self._place(), name=item["name"], arguments=item["arguments"])
        else:
            part = item["content"][0]
            extra = {"logprobs": []} if part["type"] == "output_text" else {}
            yield self._event(f"response.{part['type']}.done", **self._place(), text=part["text"], **extra)
            yield self._event("response.content_part.done", **self._place(), part=part)
        item["status"] = status
        yield self._event("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)
        self._open = None


def _part(kind: str, text: str) -> dict[str, Any]:
    return {"type": kind, "text": text, **({"annotations": [], "logprobs": []} if kind == "output_text" else {})}
