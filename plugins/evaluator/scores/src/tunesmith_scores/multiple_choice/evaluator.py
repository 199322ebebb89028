"""The evaluator: each choice's log-probability after the question, the largest one is the model's answer.

    accuracy       share of the questions whose right choice has the largest  log p(choice | question)
    accuracy_norm  the same with each divided by its choice's length in characters

Sums over the choice's tokens, ties to the first: what lm-evaluation-harness calls `acc` and `acc_norm`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from tunesmith.contracts import Artifact, Evaluation, Step, UserError
from tunesmith_data.api import read_rows
from tunesmith_models import compute_type, stored_type
from tunesmith_scores.multiple_choice.batch_scores import BatchScores
from tunesmith_scores.multiple_choice.prompts import Prompt, prompts
from tunesmith_scores.multiple_choice.settings import MultipleChoiceSettings
from tunesmith_statistics import Counts, share, smallest_difference
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.model import label_log_probs, load_model, pack
from tunesmith_torch.api.text import load_tokenizer


class MultipleChoiceAccuracy:
    def __init__(self, settings: MultipleChoiceSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        asked = prompts(list(read_rows(data.path)) if data else [], self.settings)
        if not asked:
            raise UserError(
                "TS-DATA-040", "There are no rows to evaluate on",
                why="All rows are examples (setting `num_fewshot`)." if self.settings.num_fewshot else "",
                fix="Give the step a `data:` file with questions and choices.",
            )  # fmt: skip
        seen = smallest_difference(len(asked))
        step.log(f"{len(asked)} questions: a difference of {100 * seen:.1f} points between two models is seen in 4 of 5 evaluations")
        found = self._log_probs(subject, asked, step)
        samples = [_sample(prompt, scores) for prompt, scores in zip(asked, found, strict=True)]
        scored = [sample for sample in samples if "right" in sample]
        counts = Counts(
            len(scored), failed=sum(sample.get("not_scored") == "failed" for sample in samples),
            truncated=sum(sample.get("not_scored") == "truncated" for sample in samples),
        )  # fmt: skip
        counts.check(self.settings.max_not_scored)
        right = sum(sample["right"] for sample in scored)
        accuracy = share(right, len(scored))
        return Evaluation(
            {
                "accuracy": accuracy.value, "accuracy_norm": sum(sample["right_norm"] for sample in scored) / len(scored),
                "accuracy/low": accuracy.low, "accuracy/high": accuracy.high, "smallest_difference": seen, **counts.metrics(),
            },
            samples,
        )  # fmt: skip

    def _log_probs(self, subject: Artifact, asked: Sequence[Prompt], step: Step) -> list[list[float] | None]:
        """Of each prompt's answers; None for a prompt that is too long with one of them."""
        tokenizer = load_tokenizer(subject)
        dtype, reason = compute_type(self.settings.dtype, _stored(subject), step.placement)
        step.decide(f"dtype {dtype}", reason)
        model = load_model(subject, step.placement.torch, dtype)
        kept = BatchScores(step.work)
        if kept:
            step.log(f"{len(kept)} batches are there from before")
        longest = min(self.settings.max_length, getattr(model.config.get_text_config(), "max_position_embeddings", None) or math.inf)
        found: list[list[float] | None] = []
        for group in self._batches([sequences(tokenizer, prompt) for prompt in asked], longest):
            step.check_cancelled()
            scores = kept.get(group)
            if scores is None:
                scores = _scores(model, group, longest, step.placement.torch)
                kept.add(group, scores)
            found += scores
            step.progress(len(found), len(asked), what="scoring", unit="questions")
        kept.forget()
        return found

    def _batches(self, each: Sequence[list[TokenSequence]], longest: float) -> Iterator[list[list[TokenSequence]]]:
        """Questions in their order, as many at a time as fit into ``max_tokens_per_microbatch``; a longer one is alone."""
        group: list[list[TokenSequence]] = []
        used = 0
        for some in each:
            length = sum(len(one.tokens) for one in some) if _fit(some, longest) else 0
            if group and used + length > self.settings.max_tokens_per_microbatch:
                yield group
                group, used = [], 0
            group.append(some)
            used += length
        if group:
            yield group


def sequences(tokenizer: Any, prompt: Prompt) -> list[TokenSequence]:
    """Prompt and answer in one, for each answer, whose tokens are the labels: what the whole has beyond the prompt's own tokens."""
    start = len(tokenizer(prompt.text, add_special_tokens=False)["input_ids"])
    made = []
    for answer in prompt.answers:
        ids = tokenizer(f"{prompt.text} {answer}", add_special_tokens=False)["input_ids"]
        made.append(TokenSequence(ids, [place >= start for place in range(len(ids))]))
    return made


@torch.no_grad()
def _scores(model: Any, group: Sequence[list[TokenSequence]], longest: float, device: Any) -> list[list[float] | None]:
    fitting = [one for some in group if _fit(some, longest) for one in some]
    if not fitting:
        return [None] * len(group)
    packed = pack(fitting, device)
    sums = iter([float(part.double().sum()) for part in label_log_probs(model, packed).split(packed.lengths)])
    return [[next(sums) for _ in some] if _fit(some, longest) else None for some in group]


def _fit(some: Sequence[TokenSequence], longest: float) -> bool:
    return max(len(one.tokens) for one in some) <= longest


def _sample(prompt: Prompt, scores: Sequence[float] | None) -> dict[str, Any]:
    asked = {"question": prompt.text, "expected": prompt.answers[prompt.right]}
    if scores is None or not all(map(math.isfinite, scores)):
        return {**asked, "answer": "", "not_scored": "truncated" if scores is None else "failed"}
    normed = [score / len(answer) for score, answer in zip(scores, prompt.answers, strict=True)]
    chosen = scores.index(max(scores))
    return {
        **asked, "answer": prompt.answers[chosen], "right": chosen == prompt.right,
        "right_norm": normed.index(max(normed)) == prompt.right, "log_probs": list(scores),
    }  # fmt: skip


def _stored(subject: Artifact) -> str:
    config = subject.path / "config.json"
    return stored_type(json.loads(config.read_text(encoding="utf-8"))) if config.is_file() else ""
