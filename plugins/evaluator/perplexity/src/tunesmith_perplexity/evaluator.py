"""The evaluator.

    nll = - 1/N  sum over rows, over the N tokens x_t that the assistant says (end-of-turn included), of  log p(x_t | x_<t)
    perplexity = exp(nll)

A token-level mean over the whole dataset, so long answers weigh more than short ones, and models with different tokenizers don't compare.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from tunesmith.contracts import Artifact, Evaluation, Row, Step
from tunesmith_perplexity.sequences import batches, sequences
from tunesmith_perplexity.settings import PerplexitySettings
from tunesmith_torch import ChatTokenizer, label_log_probs, load_model, load_tokenizer, pack


class Perplexity:
    def __init__(self, settings: PerplexitySettings) -> None:
        self.settings = settings

    @torch.no_grad()
    def evaluate(self, subject: Artifact, rows: Iterable[Row] | None, step: Step) -> Evaluation:
        scored = sequences(rows, ChatTokenizer(load_tokenizer(subject)), self.settings.max_length, step)
        device = step.placement.torch
        model = load_model(subject, device, self.settings.precision)
        losses: list[tuple[float, int]] = []
        for batch in batches(scored, self.settings.micro_tokens):
            step.check_cancelled()
            packed = pack([scored[index].sequence for index in batch], device)
            log_probs = label_log_probs(model, packed).double()
            losses += [(-float(part.sum()), len(part)) for part in log_probs.split(packed.lengths)]
            step.progress(len(losses), len(scored), what="scoring", unit="rows")
        tokens = sum(count for _, count in losses)
        nll = math.fsum(loss for loss, _ in losses) / tokens
        samples = [
            {"question": one.question, "answer": one.answer, "nll": loss / count, "tokens": count}
            for one, (loss, count) in zip(scored, losses, strict=True)
        ]
        return Evaluation({"perplexity": math.exp(min(nll, 700.0)), "nll": nll, "tokens": float(tokens)}, samples)
