"""The format of PRM800K (Lightman et al. 2023, arXiv:2305.20050): at each step several that were rated, of which one was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_stepwise.rows import solution
from tunesmith_stepwise.settings import RatingSettings

_COMPLETION = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string"}, "rating": {"anyOf": [{"type": "integer", "enum": [-1, 0, 1]}, {"type": "null"}]}},
}
_OR_NULL = {"anyOf": [_COMPLETION, {"type": "null"}]}
_STEP = {
    "type": "object",
    "properties": {
        "completions": {"anyOf": [{"type": "array", "items": _COMPLETION}, {"type": "null"}]}, "human_completion": _OR_NULL,
        "chosen_completion": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
    },
}  # fmt: skip
ROW = {
    "type": "object",
    "required": ["question", "label"],
    "properties": {
        "question": {"type": "object", "required": ["problem"], "properties": {"problem": {"type": "string", "minLength": 1}}},
        "label": {"type": "object", "required": ["steps"], "properties": {"steps": {"type": "array", "items": _STEP, "minItems": 1}}},
    },
    "examples": [{
        "question": {"problem": "What is 2 + 3 * 4?"},
        "label": {"steps": [
            {"completions": [{"text": "3 * 4 is 12.", "rating": 1}, {"text": "2 + 3 is 5.", "rating": -1}], "chosen_completion": 0},
            {"completions": [{"text": "2 + 12 is 15.", "rating": -1}], "chosen_completion": None},
        ]},
    }],
}  # fmt: skip


class RatedSteps:
    """Rows of ``dataset/stepwise``: the solution as it was taken, and one for each step that was rated and not taken, up to there."""

    def __init__(self, settings: RatingSettings = RatingSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings = settings

    def convert(self, row: Mapping[str, Any]) -> Sequence[Row]:
        problem, made = row["question"]["problem"], []
        steps: list[str] = []
        labels: list[bool] = []
        ended = False
        for number, step in enumerate(row["label"]["steps"]):
            rated, taken = step.get("completions") or [], step.get("chosen_completion")
            if taken is not None and taken >= len(rated):
                raise UserError("TS-DATA-075", f"`steps[{number}].chosen_completion` is {taken} of {len(rated)}", fix="Correct it.")
            for place, other in enumerate(rated):
                if place != taken and other.get("rating") is not None:
                    made.append(solution(problem, [*steps, other["text"]], [*labels, self._right(other)]))
            chosen = rated[taken] if taken is not None else step.get("human_completion")
            if chosen is None or (taken is not None and chosen.get("rating") is None):
                ended = True
                break
            steps.append(chosen["text"])
            labels.append(True if taken is None else self._right(chosen))  # what the labeller wrote was not rated, and is right
        if steps and not ended:
            made.append(solution(problem, steps, labels))
        if not made:
            raise UserError("TS-DATA-075", "No step of the row is rated", why="There is nothing to learn.", fix="Remove the row.")
        return made

    def _right(self, completion: Mapping[str, Any]) -> bool:
        return completion["rating"] > 0 or (completion["rating"] == 0 and self.settings.neutral == "right")
