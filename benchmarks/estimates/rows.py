"""Rows of a wanted number of tokens, none like another."""

from __future__ import annotations

import json
import random
from pathlib import Path

from cases import DPO, Case

TEMPLATE = 34  # tokens that SmolLM2's chat template adds to a question and an answer, the system's turn among them
QUESTION = "Go on."


def write_rows(case: Case, tokenizer_file: Path, path: Path) -> Path:
    """A data file for `case`."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    vocabulary = sorted(token for token in tokenizer.get_vocab() if token[:1] == "Ġ" and token[1:].isascii() and token[1:].isalpha())
    draw = random.Random(7)

    def text() -> str:  # a token a word
        return "".join(f" {token[1:]}" for token in draw.choices(vocabulary, k=max(0, case.tokens - TEMPLATE)))

    def row() -> dict[str, object]:
        if case.verb == DPO:
            return {"prompt": QUESTION, "chosen": text(), "rejected": text()}
        return {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": text()}]}

    path.write_text("".join(json.dumps(row()) + "\n" for _ in range(case.rows)), "utf-8")
    return path
