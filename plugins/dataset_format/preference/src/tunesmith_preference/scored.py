"""The format: a prompt with several answers and what each was given, as UltraFeedback keeps them (Cui et al. 2023, arXiv:2310.01377)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_messages.api import MEDIA_COLUMNS, TEXT_OR_NULL, TOOLS, TURN
from tunesmith_preference.rows import Preference
from tunesmith_preference.settings import ScoredSettings

_TURNS = {"type": "array", "items": {"$ref": "#/definitions/turn"}}
_SCORE = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}
_NUMBERS = {"anyOf": [{"type": "array", "items": _SCORE}, {"type": "null"}]}
PROMPTS = ("prompt", "instruction", "question")
LISTS = ("completions", "responses", "generations", "answers")  #: columns that hold the answers
TEXTS = ("response", "text", "content", "completion", "answer", "generation", "output")  #: where an answer that is an object has its text
SCORES = ("overall_score", "score", "rating", "reward")  #: where it has its score; the more the better
_BESIDE = ("scores", "ratings", "rating", "rewards")  #: columns with a score for each answer
_ENTRY = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "object", "properties": {**dict.fromkeys(TEXTS, TEXT_OR_NULL), **dict.fromkeys((*SCORES, "rank"), _SCORE)}},
    ]
}
_ANSWERS = {"anyOf": [{"type": "array", "items": _ENTRY, "minItems": 2}, {"type": "null"}]}
ROW = {
    "type": "object",
    "anyOf": [
        *({"required": [prompt, name]} for prompt in PROMPTS for name in LISTS if name != "answers"), {"required": ["prompt", "answers"]},
    ],
    "properties": {
        **{name: {"anyOf": [{"type": "string", "minLength": 1}, _TURNS, {"type": "null"}]} for name in PROMPTS},
        **dict.fromkeys(LISTS, _ANSWERS), **dict.fromkeys((*_BESIDE, "ranks", "ranking"), _NUMBERS), "system": TEXT_OR_NULL, **TOOLS,
        **MEDIA_COLUMNS,
    },
    "definitions": {"turn": TURN},
}  # fmt: skip


class ScoredAnswers:
    """``{"prompt", "completions": [{"response", "overall_score"}, ...]}``, ``{"prompt", "responses", "scores"}`` -> pairs."""

    def __init__(self, settings: ScoredSettings = ScoredSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings = settings

    def convert(self, row: Mapping[str, Any]) -> Sequence[Row]:
        column = next((name for name in LISTS if row.get(name)), "")
        if not column:
            raise UserError("TS-DATA-020", "the row has no answers", fix="Remove the row.")
        texts = [_text(entry, f"{column}[{number}]") for number, entry in enumerate(row[column])]
        readings = list(self._readings(row, column, len(texts)))
        pairs = [
            [(best, worst) for best, worst in self._pairs(scores) if texts[best].strip() != texts[worst].strip()] for scores in readings
        ]
        if any(found != pairs[0] for found in pairs):
            raise _unclear("`ranking` can be read in two ways", "Ranks of the answers, or their numbers in the order of their ranks.",
                           "Say which in a step `prepare: {scored-answers: {ranking: ranks}}` (or `order`).")  # fmt: skip
        if not pairs[0]:
            raise UserError("TS-DATA-070", f"No two of `{column}` are different answers with different scores",
                            why="There is nothing to prefer.", fix="Remove the row.")  # fmt: skip
        beside = {name: row[name] for name in ("prompt", "question", "instruction", "system", *TOOLS, *MEDIA_COLUMNS) if name in row}
        scores = readings[0]
        margins = {} if _ranked(row, column) else {pair: {"margin": scores[pair[0]] - scores[pair[1]]} for pair in pairs[0]}
        return [
            Preference().convert({**beside, "chosen": texts[best], "rejected": texts[worst], **margins.get((best, worst), {})})
            for best, worst in pairs[0]
        ]

    def _pairs(self, scores: Sequence[float]) -> Iterator[tuple[int, int]]:
        """(better, worse) by the answers' numbers; of equal ones the first is the best, and the last the worst."""
        numbers = range(len(scores))
        best = max(numbers, key=lambda number: (scores[number], -number))
        worst = min(numbers, key=lambda number: (scores[number], -number))
        if self.settings.pairs == "best-worst":
            found = [(best, worst)]
        elif self.settings.pairs == "best-others":
            found = [(best, other) for other in numbers]
        else:
            found = [(one, other) if scores[one] > scores[other] else (other, one) for one, other in combinations(numbers, 2)]
        return ((better, worse) for better, worse in found if scores[better] > scores[worse])

    def _readings(self, row: Mapping[str, Any], column: str, count: int) -> Iterator[list[float]]:
        """A score for each answer, the more the better; of a ranking that can be read in two ways both."""
        if (name := _ranked(row, column)) == "rank":
            yield [-_number(entry.get("rank"), f"{column}[{number}].rank") for number, entry in enumerate(row[column])]
        elif name:
            ranks = _listed(row, name, count)
            order = sorted(ranks) in (list(range(count)), list(range(1, count + 1)))
            if name == "ranks" or self.settings.ranking != "order":
                yield [-rank for rank in ranks]
            if name == "ranking" and self.settings.ranking != "ranks" and (order or self.settings.ranking):
                if not order:
                    raise _unclear("`ranking` does not name each answer once", "", "Write the answers' numbers, from 0 or from 1.")
                yield [-float(ranks.index(min(ranks) + number)) for number in range(count)]
        elif name := next((name for name in _BESIDE if row.get(name)), ""):
            yield _listed(row, name, count)
        else:
            yield [_score(entry, f"{column}[{number}]") for number, entry in enumerate(row[column])]


def _ranked(row: Mapping[str, Any], column: str) -> str:
    """Where ranks stand in the place of scores: a column, or ``rank`` in each answer; empty where there are scores."""
    if any(row.get(name) for name in _BESIDE):
        return ""
    if name := next((name for name in ("ranks", "ranking") if row.get(name)), ""):
        return name
    entries = [entry for entry in row[column] if isinstance(entry, Mapping)]
    scored = any(entry.get(name) is not None for entry in entries for name in SCORES)
    return "rank" if len(entries) == len(row[column]) and not scored and any("rank" in entry for entry in entries) else ""


def _text(entry: Any, where: str) -> str:
    text = entry if isinstance(entry, str) else next((entry[name] for name in TEXTS if entry.get(name)), "")
    if not text.strip():
        raise UserError("TS-DATA-020", f"`{where}` has no text", why=f"It is looked for in {', '.join(TEXTS)}.", fix="Remove the row.")
    return str(text)


def _score(entry: Any, where: str) -> float:
    name = next((name for name in SCORES if entry.get(name) is not None), "") if isinstance(entry, Mapping) else ""
    if not name:
        raise _unclear(f"`{where}` has no score", "Which answer is better can't be told.",
                       "Give each answer a `score`, or the row a list `scores`.")  # fmt: skip
    return _number(entry[name], f"{where}.{name}")


def _listed(row: Mapping[str, Any], name: str, count: int) -> list[float]:
    if len(row[name]) != count:
        raise _unclear(f"`{name}` has {len(row[name])} entries for {count} answers", "", "Write one for each, in their order.")
    return [_number(value, f"{name}[{number}]") for number, value in enumerate(row[name])]


def _number(value: Any, where: str) -> float:
    try:
        found = float(value)
        if found - found == 0:  # neither infinite nor no number
            return found
    except (TypeError, ValueError):
        pass
    raise _unclear(f"`{where}` is {value!r:.40}, no number", "Which answer is better can't be told.", "Correct it, or remove the answer.")


def _unclear(what: str, why: str, fix: str) -> UserError:
    return UserError("TS-DATA-073", what, why=why, fix=fix)
