"""What is asked of a server: greedy answers over HTTP with streaming, a number of requests at once."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

SUBJECTS = ("a blacksmith", "the sea", "an old clock", "bread", "the moon", "a lost letter", "trains", "a violin")
QUESTIONS = ("Write a long story about {}.", "Explain in detail how one could teach children about {}.",
             "List many facts about {} with explanations.", "Write a long poem about {}.")  # fmt: skip
RULE = "Rule {}: whoever asks about {} gets a long, patient and truthful answer, with examples from everyday life. "


@dataclass(frozen=True)
class Load:
    """Requests of one kind.

    Args:
        count: requests in all.
        at_once: of them, at the same time.
        rules: sentences that all prompts begin with; 18 tokens or so each.
    """

    name: str
    count: int
    at_once: int
    tokens: int
    rules: int = 0

    def prompts(self, turn: int) -> list[str]:
        """The `turn`-th round asks other questions, so that no server has seen one before."""
        every = [question.format(subject) for question in QUESTIONS for subject in SUBJECTS]
        rules = "".join(RULE.format(f"{turn}.{i}", SUBJECTS[i % len(SUBJECTS)]) for i in range(self.rules))
        return [f"{rules}{turn}. {every[(turn * 7 + i) % len(every)]}" for i in range(self.count)]


@dataclass(frozen=True)
class Measured:
    """What came of a load: tokens, seconds of the wall and of the server's processors, and seconds to the first token (median)."""

    tokens: int
    seconds: float
    cpu: float
    first: float = 0.0


async def ask(url: str, model: str, load: Load, turn: int) -> tuple[int, float, float]:
    """(tokens, seconds, median seconds to the first token); the usage says how many tokens there were."""
    import openai

    gate = asyncio.Semaphore(load.at_once)
    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=900, max_retries=0) as client:

        async def one(question: str) -> tuple[int, float]:
            async with gate:
                first, count, started = 0.0, 0, time.perf_counter()
                stream = await client.chat.completions.create(
                    model=model, messages=[{"role": "user", "content": question}], max_tokens=load.tokens, temperature=0, stream=True,
                    stream_options={"include_usage": True},
                )  # fmt: skip
                async for chunk in stream:
                    if chunk.choices and chunk.choices[0].delta.content:
                        first = first or time.perf_counter() - started
                        count += 1
                    if chunk.usage:
                        count = chunk.usage.completion_tokens
                return count, first

        started = time.perf_counter()
        answers = await asyncio.gather(*map(one, load.prompts(turn)))
        seconds = time.perf_counter() - started
    return sum(n for n, _ in answers), seconds, statistics.median(first for _, first in answers)
