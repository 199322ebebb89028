"""An assistant's message as its text grows: what it thinks, what it says, which tools it calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tunesmith_transformers.text.reasoning import Reasoning
from tunesmith_transformers.text.tool_calls import Call, HermesCalls, JsonCalls, Style, read_call


@dataclass(frozen=True)
class MessageForm:
    """How the text of an answer is to be read.

    Args:
        reasons: the model's template knows thoughts.
        thinking: the prompt ends within thoughts.
        style: how calls are written, where the request has tools; empty: they stay text.
        tools: names of the request's tools.
        forced: the whole answer is the arguments of this tool; ``*``: it is a call.
    """

    reasons: bool = False
    thinking: bool = False
    style: Style = ""
    tools: Collection[str] = ()
    forced: str = ""


@dataclass(frozen=True)
class CallPart:
    """A call, or more of one: the first part has its name, later ones more of its arguments."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True)
class Parts:
    """What a piece of text added to a message."""

    reasoning: str = ""
    content: str = ""
    calls: tuple[CallPart, ...] = ()


class MessageParser:
    """One answer's."""

    def __init__(self, form: MessageForm) -> None:
        self._form = form
        self._reasoning = Reasoning(form.thinking) if form.reasons and not form.forced else None
        self._calls = {"hermes": HermesCalls, "llama3_json": lambda: JsonCalls(form.tools)}.get(form.style, lambda: None)()
        self._held = ""  # of a forced call
        self.count = 0  # calls so far

    @property
    def thinking(self) -> bool:
        """Whether the text so far is thoughts."""
        return self._reasoning is not None and bool(self._reasoning.thinking)

    def push(self, text: str, last: bool = False) -> Parts:
        """What `text` adds; with `last`, the message is complete."""
        if self._form.forced:
            return self._forced(text, last)
        thoughts = ""
        if self._reasoning is not None:
            thoughts, text = self._reasoning.push(text, last)
        if self._calls is None:
            return Parts(thoughts, text)
        text, calls = self._calls.push(text, last)
        return Parts(thoughts, text, tuple(map(self._numbered, calls)))

    def _numbered(self, call: Call) -> CallPart:
        self.count += 1
        return CallPart(self.count - 1, call.name, call.arguments)

    def _forced(self, text: str, last: bool) -> Parts:
        if self._form.forced != "*":
            self.count += 1
            return Parts(calls=(CallPart(0, self._form.forced if self.count == 1 else "", text),)) if text or self.count == 1 else Parts()
        self._held += text
        call = read_call(self._held) if last else None
        if call is not None:
            return Parts(calls=(self._numbered(call),))
        return Parts(content=self._held) if last else Parts()
