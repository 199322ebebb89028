"""Where in a conversation's text its messages end and the assistant's answers lie.

A template that writes a message the same whatever follows tells it by itself: the conversation up to a message is how the whole begins, and
what comes after the prompt that asks for an answer is the answer. Many write earlier turns otherwise once more follow (without what was
thought, the system message in another place). There a mark is put into the message, an answer is looked for where the mark turns up in the
whole text, and what the template writes around it is told from what it writes around it alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from tunesmith.contracts import UserError
from tunesmith_torch.data.chat_template.messages import THOUGHTS, for_template, marked
from tunesmith_torch.data.chat_template.renderer import Rendering
from tunesmith_torch.data.chat_template.template import ChatTemplate

Span = tuple[int, int]  #: of characters
Messages = Sequence[Mapping[str, Any]]
_FIRST, _LAST = "\ue0f0", "\ue0f1"  # private use: no template and no tokenizer gives them a meaning


class RenderedConversation(NamedTuple):
    """A conversation's text with what is known of it.

    Args:
        text: the whole, as the template writes it; with the token that ends the last answer where a template leaves that to what follows.
        answers: where each answer asked for lies, from the first character that the model writes to the token that ends its turn.
        marks: what the template's own ``{% generation %}`` marks enclose.
        unasked: the answers that are written after other words than the model is asked with.
    """

    text: str
    answers: Mapping[int, Span]
    marks: Sequence[Span]
    unasked: Collection[int]


class AssistantSpans:
    """Finds them.

    Args:
        special: texts of the tokenizer's special and added tokens.
        ends: texts of the tokens at which the model stops.
    """

    def __init__(self, template: ChatTemplate, special: Collection[str], ends: Collection[str] = ()) -> None:
        self.template, self.ends = template, frozenset(ends)
        any_special = "|".join(re.escape(token) for token in sorted(special, key=len, reverse=True)) or "(?!)"
        self._special = re.compile(any_special)
        self._closing = re.compile(rf"(?:(?:{any_special})\s*)+\Z")

    def written(self, messages: Messages, tools: Sequence[Any], wanted: Sequence[int]) -> RenderedConversation:
        """The text, and the places of the answers `wanted` (numbers of messages, in order).

        Raises:
            UserError: TS-DATA-031 when the template writes an answer so that its place can't be told; TS-DATA-038 when it does not write
                one, or calls of tools in it; and those of `ChatTemplate.render`.
        """
        whole, *around = self._renderings(
            [(messages, False), *((messages[:at], True) for at in wanted), *((messages[: at + 1], False) for at in wanted)], tools
        )
        text, count = self.template.checked(whole, messages).text, len(wanted)
        found: dict[int, Span] = {}
        unasked = set()
        for at, before, upto in zip(wanted, around[:count], around[count:], strict=True):
            start, stop = _length(before, text), len(text) if at + 1 == len(messages) else _length(upto, text)
            if start is None:
                start, whole_prompt = self._start(messages, at, tools, text)
                unasked |= set() if whole_prompt else {at}
            if stop is None:
                stop = self._stop(messages, at, tools, text)
            self._check_whole(messages, at, tools, text, start, stop)
            found[at] = (start, stop)
        return RenderedConversation(*self._ended(text, messages, tools, found), whole.marks, unasked)

    def ends_of(self, messages: Messages, tools: Sequence[Any]) -> list[int]:
        """Where each message ends in the whole text, in characters.

        Raises:
            UserError: as `written`.
        """
        whole, *upto = self._renderings([(messages, False), *((messages[: at + 1], False) for at in range(len(messages) - 1))], tools)
        text = self.template.checked(whole, messages).text
        ends = []
        for at, rendering in enumerate(upto):
            stop = _length(rendering, text)
            ends.append(self._stop(messages, at, tools, text) if stop is None else stop)
        return [*ends, len(text)]

    def trimmed(self, text: str, span: Span) -> Span:
        """An answer without what comes after the token that ends its turn."""
        start, stop = span
        closing = self._closing.search(text[start:stop])
        if not closing:
            return span
        tokens = list(self._special.finditer(closing[0]))
        last = next((token for token in tokens if token[0] in self.ends), tokens[-1])
        return start, start + closing.start() + last.end()

    def last_token(self, answer: str) -> str | None:
        """The special token with which an answer's text ends."""
        closing = self._closing.search(answer)
        return [match[0] for match in self._special.finditer(closing[0])][-1] if closing else None

    def _renderings(self, wanted: Sequence[tuple[Messages, bool]], tools: Sequence[Any]) -> list[Rendering]:
        return self.template.renderings(wanted, tools)

    def _start(self, messages: Messages, at: int, tools: Sequence[Any], text: str) -> tuple[int, bool]:
        """Before the answer's mark the template writes what it also writes to ask for an answer; what comes after that is the answer's.

        Whether all of that is there is told as well.
        """
        opened = [*messages[:at], marked(messages[at], first=_FIRST), *messages[at + 1 :]]
        asking = [*messages[: at - 1], marked(messages[at - 1], last=_LAST)] if at else []
        one, two, asked = self._renderings([(opened, False), ([*asking, *opened[at:]], False), (asking, True)], tools)
        place = one.text.find(_FIRST)
        if place < 0:
            raise _left_out("all", at)
        if one.text[:place] != text[:place]:
            raise _untold(at)
        gap = _between(two.text, _LAST, _FIRST)
        prompt = asked.text.rpartition(_LAST)[2]
        if gap and _LAST in asked.text and text[:place].endswith(gap):
            asked_with = self._asked(gap, prompt)
            return place - len(gap) + len(asked_with), asked_with == prompt
        prompt = self._prompt(tools)  # the message before is empty, or not there
        for wanted in (prompt, _unthought(prompt)):
            start = text.rfind(wanted, 0, place) if wanted else -1
            if start >= 0:
                return start + len(wanted), wanted == prompt
        raise _untold(at)

    def _asked(self, gap: str, prompt: str) -> str:
        """What stands before an answer and also where it is asked for; a prompt that makes the model think counts as a whole only."""
        for wanted in (prompt, _unthought(prompt)):
            if gap.startswith(wanted):
                return wanted
        shared = _shared(gap, prompt)
        cut = next((match.start() for match in self._special.finditer(gap) if match.start() < len(shared) < match.end()), len(shared))
        return shared[:cut]

    def _prompt(self, tools: Sequence[Any]) -> str:
        """What the template writes to ask for an answer."""
        question = [{"role": "user", "content": "-"}]
        without, asked = self._renderings([(question, False), (question, True)], tools)
        return asked.text.removeprefix(without.text) if asked.text.startswith(without.text) else ""

    def _stop(self, messages: Messages, at: int, tools: Sequence[Any], text: str) -> int:
        """After the message's mark the template writes what it also writes where the message is the last."""
        closed = marked(messages[at], last=_LAST)
        whole, alone = self._renderings([([*messages[:at], closed, *messages[at + 1 :]], False), ([*messages[:at], closed], False)], tools)
        rest, end = (one.text[one.text.rfind(_LAST) + 1 :] for one in (whole, alone))
        if not whole.error and _LAST not in whole.text:
            raise _left_out("all", at)
        if whole.error or _LAST not in alone.text or not text.endswith(rest):
            raise _untold(at)
        shared = _shared(rest, end)
        if len(shared) < len(end):  # a conversation ends otherwise than a turn; what is common may run into the next message
            cuts = [match.end() for match in self._special.finditer(shared)] or [match.end() for match in self._special.finditer(rest)][:1]
            shared = rest[: cuts[-1] if cuts else len(shared)]
        return len(text) - len(rest) + len(shared)

    def _ended(
        self, text: str, messages: Messages, tools: Sequence[Any], found: Mapping[int, Span]
    ) -> tuple[str, dict[int, Span]]:  # fmt: skip
        """Each answer up to the token that ends its turn: what a template writes after it (a line break) is never the model's."""
        ended: dict[int, Span] = {}
        for at, (start, stop) in found.items():
            if self.last_token(text[start:stop]):
                ended[at] = self.trimmed(text, (start, stop))
                continue
            if stop == len(text) and self.ends:
                text += self._what_follows(messages, tools)
            following = self._special.match(text, stop)
            ended[at] = (start, following.end() if following and following[0] in self.ends else stop)
        return text, ended

    def _what_follows(self, messages: Messages, tools: Sequence[Any]) -> str:
        """The token at which the model stops after the last answer, for templates where the next message's first one is that."""
        last = {key: value for key, value in messages[-1].items() if key not in THOUGHTS}
        short = [{"role": "user", "content": "-"}, {**last, "content": last.get("content") and "-"}]
        role = "tool" if last.get("tool_calls") else "user"
        one, longer = self._renderings([(short, False), ([*short, {"role": role, "content": "-"}], False)], tools)
        following = self._special.match(longer.text, len(one.text)) if longer.text.startswith(one.text) else None
        return following[0] if following and following[0] in self.ends else ""

    def _check_whole(self, messages: Messages, at: int, tools: Sequence[Any], text: str, start: int, stop: int) -> None:
        """Refuse what a template leaves out in silence: it would teach an answer that nobody wrote."""
        message, said = messages[at], text[start:stop]
        calls = [call["function"]["name"] for call in for_template(message).get("tool_calls", ())]
        lost = next((f"the call of `{name}`" for name in calls if name not in said), "")
        content = message.get("content")
        if not lost and isinstance(content, str) and content.rpartition("</think>")[2].strip() not in said:
            shown = marked({key: value for key, value in message.items() if key == "content"}, last=_LAST)
            (rendering,) = self._renderings([([*messages[:at], {**message, **shown}, *messages[at + 1 :]], False)], tools)
            lost = "" if _LAST in rendering.text else "the text"
        if lost:
            raise _left_out(lost, at)


def _between(text: str, first: str, second: str) -> str:
    """What stands between the last `first` before the first `second`, and that; empty where they are not there."""
    before, found, _ = text.partition(second)
    return before.rpartition(first)[2] if found and first in before else ""


def _shared(one: str, two: str) -> str:
    """How both begin."""
    return one[: next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))]


def _unthought(prompt: str) -> str:
    """A prompt without the words that make the model think first, or keep it from it."""
    return prompt.partition("<think>")[0]


def _length(beginning: Rendering, text: str) -> int | None:
    """How long it is, if the text begins with it."""
    return len(beginning.text) if not beginning.error and text.startswith(beginning.text) else None


def _untold(at: int) -> UserError:
    return UserError(
        "TS-DATA-031", f"It can't be told where the chat template writes message {at + 1}",
        why="It writes the conversation otherwise than its parts, so it is not known which tokens are the assistant's.",
        fix="Use rows with one answer each, or a template that marks answers with {% generation %}.",
    )  # fmt: skip


def _left_out(what: str, at: int) -> UserError:
    return UserError(
        "TS-DATA-039", f"The chat template leaves out {what} of message {at + 1}",
        why="What a template does not write can't be trained on.", fix="Leave the row out, or use a model whose template knows it.",
    )  # fmt: skip
