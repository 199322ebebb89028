"""A conversation's request made ready: its prompt, its sampling, the grammar of its answer and how that is to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.request.prompts import Prompt, chat_prompt
from tunesmith_transformers.api.request.sampling_request import sampling
from tunesmith_transformers.api.service import Service
from tunesmith_transformers.sampling.sampling_params import Sampling
from tunesmith_transformers.text.grammar import Grammar, Ungrammatical
from tunesmith_transformers.text.message import MessageForm
from tunesmith_transformers.text.reasoning import CLOSE, OPEN
from tunesmith_transformers.text.tool_calls import call_schema, opening, style_of

NO_ARGUMENTS: Mapping[str, Any] = {"type": "object"}


@dataclass(frozen=True)
class Conversation:
    prompt: Prompt
    sampling: Sampling
    form: MessageForm


def prepare(service: Service, asked: Mapping[str, Any]) -> Conversation:
    """Not for the event loop: templates, grammars and long texts take time.

    Raises:
        ApiError: 400 for what the model's template, its context or its tokens do not allow.
    """
    tools = {tool["function"]["name"]: tool["function"].get("parameters") or NO_ARGUMENTS for tool in asked.get("tools", ())}
    forced = _forced(asked.get("tool_choice", "auto"), tools)
    template = service.vocabulary.template_text
    style = style_of(template) if tools and asked.get("tool_choice") != "none" else ""
    reasons = CLOSE in template

    def begin(text: str) -> str:
        """What the answer begins with, as the request has it."""
        ends_thoughts = f"\n{CLOSE}\n\n" if text.rstrip().endswith(OPEN) else ""
        return ends_thoughts + opening(style, "" if forced == "*" else forced) if forced else ""

    prompt = chat_prompt(asked, service.vocabulary, begin, service.vision)
    thinking = reasons and prompt.text.rstrip().endswith(OPEN)
    wanted = sampling(asked, service.defaults, service.vocabulary, len(prompt.ids), service.engine.limits.length, chat=True)
    if forced:
        wanted = replace(wanted, grammar=grammar(service, call_schema(tools, style) if forced == "*" else tools[forced], "tools"))
    elif (format := response_grammar(service, asked.get("response_format", {}))) is not None:
        wanted = replace(wanted, grammar=format, grammar_after=service.vocabulary.token(CLOSE) if thinking else None)
    return Conversation(prompt, wanted, MessageForm(reasons, thinking, style, frozenset(tools), forced))


def _forced(choice: str | Mapping[str, Any], tools: Mapping[str, Any]) -> str:
    """The tool that has to be called, ``*`` for any; empty where none has to."""
    if choice in ("auto", "none"):
        return ""
    if not tools:
        raise ApiError(400, "`tool_choice` asks for a call, and there are no `tools`.", param="tool_choice")
    if isinstance(choice, str):
        return "*"
    name = choice["function"]["name"]
    if name not in tools:
        raise ApiError(400, f"`tool_choice` names `{name[:100]}`, which is none of the `tools`.", param="tool_choice")
    return name


def response_grammar(service: Service, format: Mapping[str, Any]) -> Grammar | None:
    """That of a request's `response_format`; None where it may be any text."""
    kind = format.get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return grammar(service, {"type": "object"}, "response_format")
    if "json_schema" not in format:
        raise ApiError(400, "`response_format` lacks `json_schema`.", param="response_format")
    return grammar(service, format["json_schema"].get("schema", {}), "response_format")


def grammar(service: Service, schema: Mapping[str, Any], param: str) -> Grammar:
    try:
        return service.grammars.of(schema)
    except Ungrammatical as error:
        raise ApiError(400, f"`{param}` can't be kept to: {error}", param=param) from None
