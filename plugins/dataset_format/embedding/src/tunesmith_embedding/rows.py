"""The format: a text, one that belongs to it, and perhaps some that do not, as sentence-transformers and FlagEmbedding keep them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row

ANCHORS = ("anchor", "query")
POSITIVES = ("positive", "pos")
NEGATIVES = ("negative", "negatives", "neg", "hard_negatives", *(f"negative_{number}" for number in range(1, 11)))
SIMILAR = ("sentence1", "sentence2", "score")  #: a pair with how alike it is
_TEXT = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]}
_TEXTS = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
ROW = {
    "type": "object",
    "anyOf": [*({"required": [anchor, positive]} for anchor in ANCHORS for positive in POSITIVES), {"required": list(SIMILAR)}],
    "properties": {
        **dict.fromkeys(ANCHORS, _TEXT), **dict.fromkeys((*POSITIVES, *NEGATIVES), _TEXTS), "sentence1": _TEXT, "sentence2": _TEXT,
        "score": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    },
    "examples": [
        {"anchor": "Who wrote Faust?", "positive": "Faust is a play by Goethe.", "negative": "Weimar is a city in Thuringia."},
        {"query": "Who wrote Faust?", "pos": ["Faust is a play by Goethe.", "Goethe wrote Faust."], "neg": []},
    ],
}  # fmt: skip


class Embedding:
    """``{"anchor", "positive", "negative"?}`` -> ``dataset/embedding``, a row for each positive."""

    def convert(self, row: Mapping[str, Any]) -> Sequence[Row]:
        anchor = next((row[name] for name in ANCHORS if row.get(name)), "")
        if not anchor and all(row.get(name) is not None for name in SIMILAR):
            raise UserError(
                "TS-DATA-074", "The row says how alike two texts are", why="Embeddings learn from a text and one that belongs to it.",
                fix="Keep the rows whose score is high, with the columns `anchor` and `positive`.",
            )  # fmt: skip
        positives = [text for name in POSITIVES for text in _texts(row.get(name))]
        for name, texts in (("anchor", [anchor]), ("positive", positives or [""])):
            if not all(text.strip() for text in texts):
                raise UserError("TS-DATA-020", f"`{name}` is empty", why="There is no text to compare.", fix="Remove the row.")
        negatives = [text for name in NEGATIVES for text in _texts(row.get(name)) if text.strip()]
        if both := next((text for text in positives if text in negatives), ""):
            raise UserError("TS-DATA-070", f"{both[:60]!r} is a positive and a negative", why="It can't be both.", fix="Remove the row.")
        return [{"anchor": anchor, "positive": positive, "negatives": negatives} for positive in positives]


def _texts(value: Any) -> Iterator[str]:
    yield from [value] if isinstance(value, str) else value or []
