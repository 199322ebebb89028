"""The format: a prompt, the steps of a solution, and for each whether it is right, as TRL keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_messages.api import MESSAGES, TEXT_OR_NULL, read_messages

_TRUTH = {"anyOf": [{"type": "boolean"}, {"type": "integer", "enum": [1, 0, -1]}, {"type": "string", "enum": ["+", "-"]}]}
ROW = {
    "type": "object",
    "required": ["prompt", "completions", "labels"],
    "properties": {
        "prompt": {"anyOf": [{"type": "string", "minLength": 1}, MESSAGES]},
        "completions": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "labels": {"type": "array", "items": _TRUTH, "minItems": 1}, "system": TEXT_OR_NULL,
    },
    "examples": [{"prompt": "What is 2 + 3 * 4?", "completions": ["3 * 4 is 12.", "2 + 12 is 15."], "labels": [True, False]}],
}  # fmt: skip


class Stepwise:
    """``{"prompt", "completions", "labels"}`` -> ``dataset/stepwise``."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        return solution(row["prompt"], row["completions"], [label in (True, 1, "+") for label in row["labels"]], row.get("system"))


def solution(prompt: Any, steps: Sequence[str], labels: Sequence[bool], system: str | None = None) -> Row:
    """
    Raises:
        UserError: TS-DATA-075 unless there is a label for each step; TS-DATA-020 for a prompt or a step without text; TS-DATA-072 for a
            prompt whose last turn is the assistant's.
    """
    if len(steps) != len(labels):
        raise UserError("TS-DATA-075", f"{len(steps)} steps have {len(labels)} labels", fix="Write one for each step, or remove the row.")
    for number, step in enumerate(steps):
        if not step.strip():
            raise UserError("TS-DATA-020", f"`completions[{number}]` is empty", why="It is a step without text.", fix="Remove the step.")
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    messages = read_messages([{"role": "system", "content": system}, *turns], where="prompt")
    if not messages or messages[-1]["role"] == "assistant":
        raise UserError("TS-DATA-072", "`prompt` does not end with a turn to answer", fix="Put the solution into `completions`.")
    return {"messages": messages, "completions": list(steps), "labels": list(labels)}
