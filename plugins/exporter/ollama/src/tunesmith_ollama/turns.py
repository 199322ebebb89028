"""What a chat template puts around the messages, learnt from the template itself: it is rendered with words that stand for messages, and
what lies between them is cut out. Whatever does more than that (another text for a later turn, say) is found by rendering further
conversations, and refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Messages = Sequence[tuple[str, str]]  # (role, content)
Render = Callable[[Messages, bool], str]  # messages, and whether the beginning of an answer follows; raises ValueError where it refuses

_U, _V, _W, _A, _B, _S = "uniform", "victor", "whiskey", "alpha", "bravo", "sierra"
_HARD = "Two lines,\n\nquotes \"'`, braces { } and 你好 🙂."


class NotSaid(Exception):
    """The template does more than to put texts around messages; the message is a sentence that says what."""


@dataclass(frozen=True)
class Turns:
    """What stands around messages.

    Args:
        head: before the first message, where it is not the system's.
        system: before and after a system message at the beginning; None: such messages are not taken.
        joined: what follows the system message is the beginning of the user's turn already.
        user, assistant: before and after what they say.
        generation: beginning of an answer.
        strips: the template takes away spaces and line breaks around what is said.
        rewrites_thoughts: it leaves out of earlier answers what was thought in them.
    """

    head: str
    system: tuple[str, str] | None
    joined: bool
    user: tuple[str, str]
    assistant: tuple[str, str]
    generation: str
    strips: bool = False
    rewrites_thoughts: bool = False

    def render(self, messages: Messages) -> str:
        """The prompt for an answer."""
        text = ""
        for at, (role, content) in enumerate(messages):
            before, after = {"system": self.system or ("", ""), "user": self.user, "assistant": self.assistant}[role]
            if role == "user" and self.joined and at == 1 and messages[0][0] == "system":
                before = ""
            text += (self.head if at == 0 and role != "system" else "") + before + content + after
        return text + self.generation


def learnt(render: Render) -> Turns:
    """
    Args:
        render: gives the text without the token that begins every text (BOS), which a runtime puts there itself.

    Raises:
        NotSaid: the template can't be said so.
    """
    opening, user_after = _around(render([("user", _U)], False), _U)
    closing = _around(render([("user", _U)], True), _U)[1]
    generation = _without(closing, user_after, "the end of the user's turn")
    whole = render([("user", _U), ("assistant", _A), ("user", _V)], True)
    first, rest = _around(_around(whole, _U)[1], _A)
    second = _around(rest, _V)[0]
    assistant_before = _without(first, user_after, "the end of the user's turn")
    assistant_after = _around(render([("user", _U), ("assistant", _A)], False), _A)[1]
    user_before = _without(second, assistant_after, "the end of the assistant's turn")
    if not opening.endswith(user_before):
        raise NotSaid("The first turn of the user begins otherwise than later ones.")
    head = opening[: len(opening) - len(user_before)]
    system, joined = _system(render, user_before)
    turns = Turns(head, system, joined, (user_before, user_after), (assistant_before, assistant_after), generation)
    return _held(turns, render)


def _system(render: Render, user_before: str) -> tuple[tuple[str, str] | None, bool]:
    try:
        text = render([("system", _S), ("user", _U)], True)
    except ValueError:
        return None, False
    if _S not in text or text.index(_S) > text.index(_U):
        return None, False
    before, rest = _around(text, _S)
    between = _around(rest, _U)[0]
    joined = not (user_before and between.endswith(user_before))
    return (before, between if joined else between[: len(between) - len(user_before)]), joined


def _held(turns: Turns, render: Render) -> Turns:
    """The same, held against the template on conversations of several turns."""
    from dataclasses import replace

    talk = [("user", _U), ("assistant", _A), ("user", _V), ("assistant", _B), ("user", _W)]
    system = [[("system", _S), *talk], [("system", _HARD), ("user", _HARD)]] if turns.system else []
    for messages in ([("user", _HARD)], talk, [("user", _V), ("assistant", _HARD), ("user", _HARD)], *system):
        if render(messages, True) != turns.render(messages):
            raise NotSaid(f"A conversation of {len(messages)} messages is written otherwise than by what stands around each message.")
    spaced = [("user", f" \n{_U} \n"), ("assistant", f"\n{_A} "), ("user", f" {_V}\n")]
    if (text := render(spaced, True)) != turns.render(spaced):
        if text != turns.render([(role, content.strip()) for role, content in spaced]):
            raise NotSaid("Spaces around what is said are changed in another way than by leaving them out.")
        turns = replace(turns, strips=True)
    thought = [("user", _U), ("assistant", f"<think>\n{_S}\n</think>\n\n{_A}"), ("user", _V)]
    return replace(turns, rewrites_thoughts=render(thought, True) != turns.render(thought))


def _around(text: str, word: str) -> tuple[str, str]:
    before, found, after = text.partition(word)
    if not found:
        raise NotSaid("A message does not come into the text.")
    return before, after


def _without(text: str, beginning: str, what: str) -> str:
    if not text.startswith(beginning):
        raise NotSaid(f"What follows depends on more than {what}.")
    return text[len(beginning) :]
