"""What an answer may be, by a JSON schema: which tokens can come next. By llguidance, which the extra `structured` brings."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any

import torch

from tunesmith_transformers.text.vocabulary import Vocabulary

#: Between the parts of a document: enough for a deeply indented one, and no answer is spaces to its end.
WHITESPACE = r"[\x20\x0A\x0D\x09]{0,40}"


class Ungrammatical(ValueError):
    """There is no grammar for what is asked; the message says why."""


class Matcher:
    """One answer on its way through a grammar."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    @property
    def complete(self) -> bool:
        """Whether nothing but the end can follow."""
        return self._matcher.is_stopped()

    def forbidden(self, size: int) -> torch.Tensor:
        """Bool ``[size]``: the tokens that can't come next. Those that the vocabulary does not have can't."""
        bits = torch.frombuffer(bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8)
        self._check()
        allowed = (bits[:, None] >> torch.arange(8, dtype=torch.uint8) & 1).flatten()[:size].bool()
        forbidden = torch.ones(size, dtype=torch.bool)
        forbidden[: len(allowed)] = ~allowed
        return forbidden

    def take(self, token: int) -> None:
        """The token was chosen.

        Raises:
            RuntimeError: it can't come here, or the grammar takes more work than it may.
        """
        self._matcher.consume_token(token)
        self._check()

    def _check(self) -> None:
        if self._matcher.is_error():
            raise RuntimeError(f"the grammar of the answer: {self._matcher.get_error()}")


class Grammar:
    """A grammar that any number of answers follow."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    def matcher(self) -> Matcher:
        """For one answer, from its beginning."""
        return Matcher(self._matcher.deep_copy())


class Grammars:
    """Makes grammars of JSON schemas for one vocabulary.

    Args:
        ends: ids of the tokens that end a text.
        rows: logits of the model; at least as many as the tokenizer has tokens, or they are taken as that.
    """

    def __init__(self, vocabulary: Vocabulary, ends: Collection[int], rows: int) -> None:
        self._vocabulary, self._ends, self._rows = vocabulary, sorted(ends), rows
        self._tokens: Any = None
        self._lock = threading.Lock()

    def of(self, schema: Mapping[str, Any]) -> Grammar:
        """That of JSON documents which fit the schema. Takes milliseconds, the first of a server a second.

        Raises:
            Ungrammatical: llguidance is not there, or knows not what the schema says.
        """
        try:
            import llguidance
        except ImportError:
            raise Ungrammatical("this server lacks llguidance (install `tunesmith-transformers[structured]`)") from None
        with self._lock:
            if self._tokens is None:
                self._tokens = self._known_tokens()
        try:
            text = llguidance.LLMatcher.grammar_from_json_schema(
                dict(schema), overrides={"whitespace_flexible": True, "whitespace_pattern": WHITESPACE}
            )
            matcher = llguidance.LLMatcher(self._tokens, text, log_level=0)
        except ValueError as error:
            raise Ungrammatical(str(error)) from None
        if matcher.is_error():
            raise Ungrammatical(matcher.get_error())
        return Grammar(matcher)

    def _known_tokens(self) -> Any:
        from llguidance import hf

        tokenizer = self._vocabulary.tokenizer
        if getattr(tokenizer, "backend_tokenizer", None) is None:
            raise Ungrammatical("the model's tokenizer is none of the library `tokenizers`")
        return hf.from_tokenizer(tokenizer, n_vocab=max(self._rows, len(tokenizer)), eos_token=self._ends or None)
