"""Log-probabilities of a prompt's tokens, which llama.cpp's server does not give, from what it gives for the tokens of an answer.

An answer is generated under a grammar that allows one token at each place, the prompt's own; the log-probabilities told with it are the
model's, before the grammar. Two things need care: generation ends at an end-of-turn token in the middle (we go on behind it), and tokens
that end within a character are left out of the list (they are asked for one by one, among the most likely tokens of their place).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith_llamacpp.server.llama_client import Upstream

FORCED = 256  # tokens in one grammar
LIKELY = 64  # tokens of a place looked at first; then all


@dataclass(frozen=True)
class Scored:
    """A token's log-probability, and the most likely ones in its place as (token, log-probability)."""

    logprob: float
    top: tuple[tuple[int, float], ...] = ()


class Scorer:
    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.vocabulary = int(upstream.get("/v1/models")["data"][0]["meta"]["n_vocab"])
        self.plain = int(upstream.post("/tokenize", {"content": "a"})["tokens"][-1])  # a token that is a whole character

    def score(self, tokens: Sequence[int], start: int, alternatives: int) -> list[Scored]:
        """For the tokens from `start` (1 or more) on, each given those before it."""
        scored: list[Scored] = []
        while start + len(scored) < len(tokens):
            at = start + len(scored)
            scored += self._stretch(tokens[:at], tokens[at : at + FORCED], alternatives)
        return scored

    def _stretch(self, before: Sequence[int], forced: Sequence[int], alternatives: int) -> list[Scored]:
        """For the first tokens of `forced`: all, or those up to an end of a turn."""
        told, count = self._generate(before, forced, max(1, alternatives))
        forced = forced[: max(1, count)]
        places = aligned(forced, [token for token, _ in told])
        found = [told[place][1] if place is not None else None for place in places]
        return [one or self._alone([*before, *forced[:index]], forced[index], alternatives) for index, one in enumerate(found)]

    def _generate(self, before: Sequence[int], forced: Sequence[int], likely: int) -> tuple[list[tuple[int, Scored]], int]:
        """(What is told of the tokens generated, how many there were)."""
        grammar = "%llguidance {}\nstart: " + " ".join(f"<[{token}]>" for token in forced)
        asked = {
            "prompt": list(before),
            "max_tokens": len(forced),
            "logprobs": likely,
            "temperature": 0,
            "samplers": [],
            "grammar": grammar,
        }
        reply = self.upstream.post("/v1/completions", asked)
        entries = (reply["choices"][0].get("logprobs") or {}).get("content") or []
        told = []
        for entry in entries:
            top = tuple((int(other["id"]), float(other["logprob"])) for other in entry["top_logprobs"])
            told.append((int(entry["id"]), Scored(float(entry["logprob"]), top)))
        return told, int(reply["usage"]["completion_tokens"])

    def _alone(self, before: Sequence[int], token: int, alternatives: int) -> Scored:
        """A token that is not told of itself: another is put in its place, and it is looked for among the likely ones."""
        for likely in (max(LIKELY, alternatives), self.vocabulary):
            told, _ = self._generate(before, [self.plain], likely)
            for other, logprob in told[0][1].top:
                if other == token:
                    return Scored(logprob, told[0][1].top[:alternatives])
        raise ValueError(f"the model has no token {token}")


def aligned(forced: Sequence[int], told: Sequence[int]) -> list[int | None]:
    """For each forced token its place in `told`, a list in which some are left out; None where it is left out or that can't be known."""
    if len(told) == len(forced):
        return list(range(len(told)))
    first = _earliest(forced, told)
    last = [len(told) - 1 - place if place is not None else None for place in reversed(_earliest(forced[::-1], told[::-1]))]
    return [a if a == b else None for a, b in zip(first, last, strict=True)]


def _earliest(forced: Sequence[int], told: Sequence[int]) -> list[int | None]:
    places: list[int | None] = []
    place = 0
    for token in forced:
        hit = place < len(told) and told[place] == token
        places.append(place if hit else None)
        place += hit
    return places
