"""What is asked of a server: greedy answers over HTTP with streaming, a number of requests at once."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field

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
        late: of a prompt of its own that comes when all others are being answered: sentences as in `rules`, in no other prompt; 0: none.
    """

    name: str
    count: int
    at_once: int
    tokens: int
    rules: int = 0
    late: int = 0

    def prompts(self, turn: int) -> list[str]:
        """The `turn`-th round asks other questions, so that no server has seen one before."""
        every = [question.format(subject) for question in QUESTIONS for subject in SUBJECTS]
        rules = _rules(f"{turn}", self.rules)
        return [f"{rules}{turn}. {every[(turn * 7 + i) % len(every)]}" for i in range(self.count)]

    def late_prompt(self, turn: int) -> str:
        return f"{_rules(f'late {turn}', self.late)}{QUESTIONS[0].format(SUBJECTS[turn % len(SUBJECTS)])}"


def _rules(name: str, count: int) -> str:
    return "".join(RULE.format(f"{name}.{i}", SUBJECTS[i % len(SUBJECTS)]) for i in range(count))


@dataclass(frozen=True)
class Measured:
    """What came of a load.

    Args:
        tokens: of all answers; `seconds`: of the wall; `cpu`: of the server's processors.
        firsts: seconds to the first token of each request.
        late: of the request that came late.
        stutter: the longest pause within an answer while that request was read, in seconds.
    """

    tokens: int
    seconds: float
    cpu: float = 0.0
    firsts: tuple[float, ...] = ()
    late: float = 0.0
    stutter: float = 0.0


@dataclass
class Answer:
    """A streamed answer: tokens as the usage says, seconds to the first one, the times at which pieces came, and whether it is complete."""

    tokens: int = 0
    first: float = 0.0
    complete: bool = False
    times: list[float] = field(default_factory=list)


async def ask(url: str, model: str, load: Load, turn: int) -> Measured:
    """Ask all that the load has; processor seconds are left to who knows the server."""
    import openai

    gate, answers = asyncio.Semaphore(load.at_once), [Answer() for _ in range(load.count)]
    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=1800, max_retries=0) as client:

        async def one(question: str, answer: Answer) -> None:
            async with gate:
                await stream(question, answer)

        async def stream(question: str, answer: Answer) -> None:
            started = time.perf_counter()
            chunks = await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": question}], max_tokens=load.tokens, temperature=0, stream=True,
                stream_options={"include_usage": True},
            )  # fmt: skip
            async for chunk in chunks:
                if chunk.choices and chunk.choices[0].delta.content:
                    answer.times.append(time.perf_counter())
                    answer.first = answer.first or answer.times[-1] - started
                    answer.tokens += 1
                if chunk.usage:
                    answer.tokens = chunk.usage.completion_tokens
            answer.complete = True

        async def after_the_others(answer: Answer) -> tuple[float, float]:
            """From when it was sent until it was answered."""
            while not all(other.times or other.complete for other in answers):
                await asyncio.sleep(0.01)
            started = time.perf_counter()
            await stream(load.late_prompt(turn), answer)
            return started, started + answer.first

        started = time.perf_counter()
        late, span = Answer(), (0.0, 0.0)
        asked = asyncio.gather(*map(one, load.prompts(turn), answers))
        if load.late:
            span = await after_the_others(late)
        await asked
        seconds = time.perf_counter() - started
    tokens = sum(answer.tokens for answer in (*answers, late))
    return Measured(tokens, seconds, 0.0, tuple(answer.first for answer in answers), late.first, _stutter(answers, *span))


def _stutter(answers: list[Answer], start: float, end: float) -> float:
    """The longest pause between two pieces of an answer that reaches into a span of time."""
    pauses = [(one, other) for answer in answers for one, other in itertools.pairwise(answer.times)]
    return max((other - one for one, other in pauses if one < end and other > start), default=0.0)
