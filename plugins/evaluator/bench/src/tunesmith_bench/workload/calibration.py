"""How many tokens made-up words are: asked of the server once, before anything is measured."""

from __future__ import annotations

import random

from tunesmith_bench.load.record import Record, Request
from tunesmith_bench.load.run import Transport
from tunesmith_bench.workload.prompts import Scale
from tunesmith_bench.workload.words import WORDS

FEW, MANY = 10, (110, 40)  # words of the first question; of the second, and of the one after it where a short context has no room for that


async def calibrate(transport: Transport) -> tuple[Scale, Record]:
    """The scale of words, from two questions' `usage.prompt_tokens` (a word a token where the server does not count; what the template
    adds is taken for nothing where only the first one has room). And the last answer."""
    chance = random.Random("calibration")
    first = await _asked(transport, chance, FEW)
    if first.error or first.prompt_tokens is None:
        return Scale(), first
    for words in MANY:
        second = await _asked(transport, chance, words)
        if not second.error and second.prompt_tokens is not None:
            slope = max(0.1, (second.prompt_tokens - first.prompt_tokens) / (words - FEW))
            return Scale(1 / slope, max(0.0, first.prompt_tokens - FEW * slope)), second
    return Scale(FEW / max(1, first.prompt_tokens)), first


async def _asked(transport: Transport, chance: random.Random, words: int) -> Record:
    record = Record(0.0)
    content = " ".join(chance.choices(WORDS, k=words))
    await transport.send(Request({"messages": [{"role": "user", "content": content}], "max_tokens": 4, "temperature": 0}), record)
    return record
