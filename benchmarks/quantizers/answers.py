"""What a format answers and how fast, behind the engine that serves it here: sums that are right, tokens for a second of processor time."""

from __future__ import annotations

import asyncio
import random
import re
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "serving"))  # before the folder above, which has a load.py, too
sys.path.append(str(Path(__file__).resolve().parents[1]))
from load import Load, ask
from served import Served, pipeline, served

SUMS, LONGEST = 100, 24  # questions, and tokens of an answer
LOAD = Load("8 at once", 16, 8, 64)
TURNS = 3  # of the load: the median counts


def sums() -> list[tuple[str, str]]:
    """Questions with their answers, the same each time."""
    pairs = [(a, b) for a in range(1, 13) for b in range(1, 13)]
    random.Random(7).shuffle(pairs)
    return [(f"What is {a} + {b}? Answer with the number alone.", str(a + b)) for a, b in pairs[:SUMS]]


async def right(server: Served) -> int:
    """Of the sums, those in whose answer the right number stands."""
    import openai

    async with openai.AsyncOpenAI(base_url=server.url, api_key="none", timeout=1800, max_retries=0) as client:
        gate = asyncio.Semaphore(LOAD.at_once)

        async def one(question: str, answer: str) -> bool:
            messages = [{"role": "user", "content": question}]
            async with gate:
                reply = await client.chat.completions.create(model=server.model, messages=messages, max_tokens=LONGEST, temperature=0)
            return re.search(rf"(?<!\d){answer}(?!\d)", reply.choices[0].message.content or "") is not None

        return sum(await asyncio.gather(*(one(*row) for row in sums())))


def measured(home: Path, step: dict[str, Any], engine: str) -> dict[str, Any]:
    """Right sums of how many, and of each turn of the load tokens for a second of the clock and of the processors."""
    file, made = pipeline(home, "quantizers", step)
    with served(engine, file, made, ()) as server:
        found = {"engine": engine, "right": asyncio.run(right(server)), "sums": SUMS, "turns": []}
        for turn in range(TURNS):
            before = server.cpu()
            load = asyncio.run(ask(server.url, server.model, LOAD, turn))
            found["turns"].append({"tokens": load.tokens, "seconds": load.seconds, "cpu": server.cpu() - before})
    return found
