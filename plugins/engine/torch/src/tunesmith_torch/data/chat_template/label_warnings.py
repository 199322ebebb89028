"""What is wrong with answers that are trained on all the same: each is warned of, with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith_torch.data.chat_template.messages import THOUGHTS


@dataclass
class LabelWarnings:
    """How many answers, of how many.

    Args:
        endless: no token ends them.
        begun: their first token begins in the words that ask for them.
        unasked: written after other words than the model is asked with.
        thoughtless: what was thought before them is left out by the template.
    """

    answers: int = 0
    endless: int = 0
    begun: int = 0
    unasked: int = 0
    thoughtless: int = 0

    def add(self, message: Mapping[str, Any], answer: str = "", *, ended: bool, asked: bool = True) -> None:
        """Count an answer as the template wrote it."""
        thought = _thought(message)
        self.answers += 1
        self.endless += not ended
        self.unasked += not asked
        self.thoughtless += bool(thought) and thought not in answer

    def sentences(self) -> Iterator[str]:
        """What to tell of them."""
        if self.endless:
            yield f"the token that ends the turn is not trained on in {self._of(self.endless)}: the model would not learn to stop"
        if self.begun:
            yield (
                f"the first token of {self._of(self.begun)} begins in the words that ask for it, so the model is asked with other tokens "
                "than it learns; the template should ask with words that end where a token does (without a space at their end, say)"
            )
        if self.unasked:
            yield (
                f"{self._of(self.unasked)} is written after other words than the model is asked with (those that make it think, say); rows "
                "with thoughts (`reasoning_content`) go on from them, or `train_on: last_assistant` where only earlier answers are so"
            )
        if self.thoughtless:
            yield f"what was thought before {self._of(self.thoughtless)} is not trained on: the chat template leaves it out"

    def _of(self, count: int) -> str:
        return f"{count} of {self.answers} answers" if self.answers > 1 else "the answer"


def _thought(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    inline = content.partition("</think>") if isinstance(content, str) else ("", "", "")
    given = next((message[name] for name in THOUGHTS if message.get(name)), "")
    return str(given or (inline[0].rpartition("<think>")[2] if inline[1] else "")).strip()
