"""Who counts tokens: the model's own tokenizer where it is at hand, else the server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_bench.load.record import Record

TOKENIZER, USAGE, NOBODY = "tokenizer", "usage", "nobody"
DIFFERENT = 0.02  #: share by which the server's count may differ from the tokenizer's before that is told


class TokenCounter:
    """Counts the tokens of answers. Pieces of a stream are never counted as tokens.

    Args:
        directory: of the model, with its ``tokenizer.json``; None: the server's `usage` is believed.

    Raises:
        UserError: TS-BENCH-005 when the tokenizer can't be read.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.tokenizer: Any = None
        if directory is None:
            return
        path = directory if directory.is_file() else directory / "tokenizer.json"
        try:
            from tokenizers import Tokenizer

            self.tokenizer = Tokenizer.from_file(str(path))
        except ImportError:
            fix = "pip install 'tunesmith-bench[tokenizer]', or leave --tokenizer out: the server's own counts are taken then."
            raise UserError("TS-BENCH-005", "the library `tokenizers` is not installed", fix=fix) from None
        except Exception as error:  # the library raises bare Exceptions
            fix = "Name the model's directory, with a tokenizer.json in it."
            raise UserError("TS-BENCH-005", f"{path} can't be read as a tokenizer", why=str(error)[:200], fix=fix) from error

    def count(self, records: Sequence[Record]) -> None:
        """Fill in `output_tokens`, and drop the texts."""
        if self.tokenizer is not None:
            encoded = self.tokenizer.encode_batch([record.text for record in records], add_special_tokens=False)
            for record, tokens in zip(records, encoded, strict=True):
                record.output_tokens = len(tokens)
        else:
            for record in records:
                record.output_tokens = record.usage_tokens
        for record in records:
            record.text = ""

    def source(self, records: Sequence[Record]) -> str:
        """Who counted."""
        if self.tokenizer is not None:
            return TOKENIZER
        return USAGE if any(record.output_tokens is not None for record in records) else NOBODY

    def disagreement(self, records: Sequence[Record]) -> float | None:
        """By which share the server counts more tokens than the tokenizer does; None where only one of them counts, or they agree.

        A tokenizer does not see the token that ends an answer, so one more for each is agreement.
        """
        both = [r for r in records if r.usage_tokens is not None and r.output_tokens]
        if self.tokenizer is None or not both:
            return None
        ours, theirs = sum(r.output_tokens or 0 for r in both), sum(r.usage_tokens or 0 for r in both)
        if ours * (1 - DIFFERENT) <= theirs <= ours * (1 + DIFFERENT) + len(both):
            return None
        return theirs / ours - 1
