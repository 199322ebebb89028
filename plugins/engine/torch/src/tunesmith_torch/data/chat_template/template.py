"""A tokenizer's chat template: messages to the text that the model reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_torch.data.chat_template.messages import for_template, with_arguments_as_text
from tunesmith_torch.data.chat_template.renderer import Renderer, Rendering

_RENDERER = Renderer()
_MARK = re.compile(r"\{%-?\s*generation\s*-?%\}")
_RESERVED = ("messages", "tools", "add_generation_prompt")


class ChatTemplate:
    """What a tokenizer's ``chat_template`` does, bounded in time and memory.

    Args:
        sources: jinja by name: ``default``, and ``tool_use`` where there is another one for conversations with tools.
        special: the tokenizer's special tokens by name (``bos_token``), which templates write.
    """

    def __init__(self, sources: Mapping[str, str], special: Mapping[str, Any]) -> None:
        self.sources, self._special = dict(sources), {name: _plain(value) for name, value in special.items()}
        self._arguments_as_text = False

    @classmethod
    def of(cls, tokenizer: Any) -> ChatTemplate:
        """That of a tokenizer, of transformers or plain; one that writes nothing where it has none."""
        template = tokenizer.chat_template
        sources = dict(template) if isinstance(template, Mapping) else {"default": template or ""}
        return cls(sources, tokenizer.special_tokens_map)

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] = (), *, prompt: bool = False, **extra: Any) -> Rendering:
        """The conversation's text.

        Args:
            messages: of a row or a request; contents as the template reads them, a string or a list of parts.
            prompt: whether the words that ask for an answer stand at its end.
            extra: variables of the template's own (``enable_thinking``).

        Raises:
            UserError: TS-DATA-030 when there is no template; TS-DATA-025 for calls of tools that can't be read; TS-DATA-036 when the
                template refuses the conversation; TS-DATA-038 when it takes more time or memory than a conversation can need.
        """
        (found,) = self.renderings([(messages, prompt)], tools, **extra)
        return self.checked(found, messages)

    def renderings(
        self, wanted: Sequence[tuple[Sequence[Mapping[str, Any]], bool]], tools: Sequence[Any] = (), **extra: Any
    ) -> list[Rendering]:
        """Several conversations at a time, each with or without the prompt; one that is refused says so in its `error`."""
        source = self._source(tools)
        given = [([for_template(message) for message in messages], prompt) for messages, prompt in wanted]
        if not self._arguments_as_text:
            found = self._asked(source, given, tools, extra)
            if not any(one.error for one in found) or not any("tool_calls" in message for messages, _ in given for message in messages):
                return found
        as_text = [([with_arguments_as_text(message) for message in messages], prompt) for messages, prompt in given]
        second = self._asked(source, as_text, tools, extra)
        if self._arguments_as_text or not any(one.error for one in second):
            self._arguments_as_text = True
            return second
        return found

    def marked(self, tools: Sequence[Any] = ()) -> bool:
        """Whether the template marks what the assistant says."""
        return _MARK.search(self._source(tools)) is not None

    def checked(self, found: Rendering, messages: Sequence[Mapping[str, Any]]) -> Rendering:
        """The same, if the template has written it; else raises as `render` does."""
        if found.unbounded:
            raise UserError(
                "TS-DATA-038", f"The model's chat template was stopped: {found.error}",
                why="It is a program that comes with the model, and it may do so on purpose.",
                fix="Correct the chat_template of the model's tokenizer, or use another model.",
            )  # fmt: skip
        if found.error:
            roles = [message.get("role") for message in messages][:20]
            raise UserError(
                "TS-DATA-036", f"The model's chat template refuses the conversation {roles}: {found.error}",
                fix="Bring the row into the order of roles that the model knows.",
            )  # fmt: skip
        return found

    def _source(self, tools: Sequence[Any]) -> str:
        found = self.sources.get("tool_use" if tools else "default") or self.sources.get("default")
        if not found:
            raise UserError(
                "TS-DATA-030", "The model's tokenizer has no chat template, so conversations can't be written as it expects them",
                fix="Use an instruction-tuned model, or put a chat_template.jinja beside its tokenizer files.",
            )  # fmt: skip
        return found

    def _asked(
        self, source: str, wanted: Sequence[tuple[list[dict[str, Any]], bool]], tools: Sequence[Any], extra: Mapping[str, Any]
    ) -> list[Rendering]:
        own = {name: value for name, value in extra.items() if name not in _RESERVED}
        shared = {"documents": None, **self._special, **own, "tools": list(tools) or None}
        return _RENDERER.render(source, [{**shared, "messages": messages, "add_generation_prompt": prompt} for messages, prompt in wanted])


def _plain(token: Any) -> Any:
    return [str(one) for one in token] if isinstance(token, (list, tuple)) else str(token)
