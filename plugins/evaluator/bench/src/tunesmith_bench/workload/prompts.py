"""What is asked: made-up prompts of given lengths, or those of a file."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_bench.load.record import Request
from tunesmith_bench.workload.lengths import Length
from tunesmith_bench.workload.words import WORDS

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Scale:
    """How many words a token takes, and how many tokens a conversation has besides its words, as a server or a tokenizer says."""

    words_per_token: float = 1.0
    around: float = 0.0

    def words(self, tokens: int) -> int:
        return max(1, round((tokens - self.around) * self.words_per_token))


@dataclass(frozen=True)
class Workload:
    """Requests without end.

    Args:
        prompt_tokens: length of made-up prompts, with what the server's chat template adds where `scale` knows that.
        output_tokens: length of the answers: `max_tokens` of each request.
        shared_prefix: share of the words that all made-up prompts have in common, at their beginning.
        conversations: asked in turn, from a place that the seed draws; empty: prompts are made up.
        ignore_eos: ask the server to go on to `max_tokens` (vLLM, SGLang and tunesmith-transformers know this field).
    """

    prompt_tokens: Length = field(default_factory=lambda: Length("fixed", 128))
    output_tokens: Length = field(default_factory=lambda: Length("fixed", 64))
    shared_prefix: float = 0.0
    conversations: Sequence[Messages] = ()
    ignore_eos: bool = False
    temperature: float = 0.0

    def requests(self, seed: int, scale: Scale) -> Iterator[Request]:
        """A stream of requests, the same for the same seed. Made-up prompts differ from each other after what they share, so that a cache
        of prefixes saves no more than that, and between seeds in that part, too."""
        chance = random.Random(seed)
        prefix = random.Random(f"prefix {seed}")
        shared: list[str] = []
        at = chance.randrange(len(self.conversations)) if self.conversations else 0
        while True:
            if self.conversations:
                messages: Messages = self.conversations[at % len(self.conversations)]
                at += 1
            else:
                count = scale.words(self.prompt_tokens.draw(chance))
                common = int(count * self.shared_prefix)
                while len(shared) < common:
                    shared.append(prefix.choice(WORDS))
                own = [str(chance.randrange(10)), *chance.choices(WORDS, k=max(0, count - common - 1))] if count > common else []
                messages = [{"role": "user", "content": " ".join([*shared[:common], *own])}]
            most = self.output_tokens.draw(chance)
            body = {"messages": messages, "max_tokens": most, "temperature": self.temperature}
            if self.temperature:
                body["seed"] = chance.randrange(2**31)
            if self.ignore_eos:
                body["ignore_eos"] = True
            yield Request(body, most)


def read_prompts(path: Path) -> list[Messages]:
    """Conversations of a file: lines of text, or JSON Lines with `messages`, `prompt` or `text`.

    Raises:
        UserError: TS-BENCH-003 when there is none, or a line can't be read.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        found = [_conversation(json.loads(line)) if path.suffix == ".jsonl" else _asked(line) for line in lines]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error
    if not found:
        raise _unreadable(path, "It is empty.")
    return found


def _unreadable(path: Path, why: str) -> UserError:
    fix = "Write one prompt a line (.txt), or JSON Lines (.jsonl) with `messages` or `prompt`."
    return UserError("TS-BENCH-003", f"there are no prompts in {path}", why=why, fix=fix)


def _conversation(row: Mapping[str, Any]) -> Messages:
    if "messages" not in row:
        return _asked(str(row["prompt"] if "prompt" in row else row["text"]))
    turns = [{"role": str(turn["role"]), "content": turn["content"]} for turn in row["messages"]]
    return _question(turns)


def _question(turns: list[dict[str, Any]]) -> Messages:
    """All up to the last turn that is not the assistant's."""
    while turns and turns[-1]["role"] == "assistant":
        turns.pop()
    if not turns:
        raise ValueError("a conversation asks nothing")
    return turns


def _asked(text: str) -> Messages:
    return [{"role": "user", "content": text}]
