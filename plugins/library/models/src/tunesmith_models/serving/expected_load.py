"""The load that a server is expected to carry, as the setting `expect` of `serve` says it."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_models.model_size import ModelShape

PROMPT, ANSWER = 512, 256  #: tokens that are reckoned with where a load is told without them


@dataclass(frozen=True)
class ExpectedLoad:
    """
    Args:
        concurrency: requests under way at the same time.
        prompt, answer: tokens of the longest that are common.
    """

    concurrency: int = 1
    prompt: int = PROMPT
    answer: int = ANSWER

    @classmethod
    def of(cls, request: EstimateRequest) -> ExpectedLoad | None:
        """The load that the step says; None where it says nothing."""
        told = request.step_settings.get("expect") or {}
        if not any(told.values()):
            return None
        return cls(max(1, told.get("concurrency", 0)), told.get("prompt") or PROMPT, told.get("answer") or ANSWER)

    @property
    def length(self) -> int:
        """Tokens of a prompt and its answer."""
        return self.prompt + self.answer


def held_against_load(
    request: EstimateRequest, shape: ModelShape | None, *, length: int, sequences: int, names: tuple[str, str]
) -> list[str]:
    """What the load that is expected does not find, a sentence each; nothing where none is told.

    Args:
        length, sequences: as the engine is set: tokens of a prompt and answer (0: what the model allows), and requests at the same time.
        names: of those two settings.

    Raises:
        UserError: TS-SERVE-032 where requests of that length would be refused.
    """
    load = ExpectedLoad.of(request)
    if load is None:
        return []
    positions = shape.positions if shape else 0
    expected = f"a prompt of {load.prompt} tokens and an answer of {load.answer} are expected"
    if positions and load.length > positions:
        raise UserError(
            "TS-SERVE-032", f"{expected}, and the model's context has {positions}", why="Such requests would be refused.",
            fix="Serve a model with a longer context, or expect shorter prompts or answers.",
        )  # fmt: skip
    if length and load.length > length:
        raise UserError(
            "TS-SERVE-032", f"{expected}, and `{names[0]}` is {length}", why="Such requests would be refused.",
            fix=f"Set `{names[0]}` to {load.length} or more, or leave the choice to the planner: `serve: auto`.",
        )  # fmt: skip
    if sequences < load.concurrency:
        return [f"{load.concurrency} requests at the same time are expected, and `{names[1]}` is {sequences}: the others wait"]
    return []
