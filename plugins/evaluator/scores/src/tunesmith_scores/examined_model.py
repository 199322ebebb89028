"""The model that is evaluated: loaded once, its input in batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

from tunesmith.contracts import Artifact, Step, UserError
from tunesmith_data.api import Row, read_rows
from tunesmith_models import compute_type, stored_type
from tunesmith_scores.settings import ScoresSettings
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.scoring import ScoringModel, batches, load_scoring_model

T = TypeVar("T")


class ExaminedModel:
    """
    Args:
        subject: a model with a role.
    """

    def __init__(self, subject: Artifact, settings: ScoresSettings, step: Step) -> None:
        config = json.loads((subject.path / "config.json").read_text(encoding="utf-8"))
        dtype, reason = compute_type(settings.dtype, stored_type(config), step.placement)
        step.decide(f"dtype {dtype}", reason)
        self.scoring: ScoringModel = load_scoring_model(subject, step.placement.torch, dtype)
        self._settings, self._step = settings, step
        self.longest = min(settings.max_length, self.scoring.positions or settings.max_length)

    def rows(self, data: Artifact | None, encode: Callable[[Row], Sequence[TokenSequence]]) -> list[tuple[Row, Sequence[TokenSequence]]]:
        """Each row with its sequences; those of which one is too long are left out, which is told.

        Raises:
            UserError: TS-DATA-040 when there is none; what `encode` says of a row, with its number.
        """
        found: list[tuple[Row, Sequence[TokenSequence]]] = []
        count = 0
        for row in read_rows(data.path) if data else ():
            self._step.check_cancelled()
            count += 1
            try:
                sequences = encode(row)
            except UserError as error:
                raise UserError(error.code, f"Row {count}: {error.what}", why=error.why, fix=error.fix) from None
            if max(len(one.tokens) for one in sequences) <= self.longest:
                found.append((row, sequences))
        if left_out := count - len(found):
            self._step.log(
                f"{left_out} of {count} rows have more than {self.longest} tokens and were left out (setting `max_length`)", "warning"
            )
        if not found:
            raise UserError(
                "TS-DATA-040", "There are no rows to evaluate on",
                why=f"{count} rows were given, all longer than {self.longest} tokens." if count else "",
                fix="Give the step a `data:` file with rows, or raise `max_length`.",
            )  # fmt: skip
        return found

    def scores(self, sequences: Sequence[TokenSequence]) -> list[torch.Tensor]:
        """(places, width) float32 of each, on the processor."""
        return self._run(sequences, lambda batch: [scores.cpu() for scores in self.scoring.scores(batch)])

    def embeddings(self, sequences: Sequence[TokenSequence]) -> torch.Tensor:
        """(sequences, hidden) float32 of length 1, on the processor."""
        return torch.stack(self._run(sequences, lambda batch: list(self.scoring.embeddings(batch).cpu())))

    def _run(self, sequences: Sequence[TokenSequence], work: Callable[[list[TokenSequence]], list[T]]) -> list[T]:
        found: list[Any] = [None] * len(sequences)
        done = 0
        for batch in batches([len(one.tokens) for one in sequences], self._settings.max_tokens_per_microbatch):
            self._step.check_cancelled()
            for at, value in zip(batch, work([sequences[at] for at in batch]), strict=True):
                found[at] = value
            done += len(batch)
            self._step.progress(done, len(sequences), what="scoring", unit="texts")
        return found
