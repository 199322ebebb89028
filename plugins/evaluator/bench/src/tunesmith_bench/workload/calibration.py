"""How many tokens made-up words are: asked of the server once, before anything is measured."""

from __future__ import annotations

import random

from tunesmith_bench.load.record import Record, Request
from tunesmith_bench.load.run import Transport
from tunesmith_bench.workload.prompts import Scale
from tunesmith_bench.workload.words import WORDS

FEW, MANY = 10, 110  # words of the two questions


async def calibrate(transport: Transport) -> tuple[Scale, Record]:
    """The scale of words, from two questions' `usage.prompt_tokens` (a word a token where the server does not count).
    And the last answer."""
    chance = random.Random("calibration")
    counts = []
    record = Record(0.0)
    for words in (FEW, MANY):
        record = Record(0.0)
        content = " ".join(chance.choices(WORDS, k=words))
        await transport.send(Request({"messages": [{"role": "user", "content": content}], "max_tokens": 4, "temperature": 0}), record)
        if record.error or record.prompt_tokens is None:
            return Scale(), record
        counts.append(record.prompt_tokens)
    slope = max(0.1, (counts[1] - counts[0]) / (MANY - FEW))
    return Scale(1 / slope, max(0.0, counts[0] - FEW * slope)), record
