"""The evaluator.

    nll = - 1/N  sum over rows, over the N tokens x_t that the assistant says (end-of-turn included), of  log p(x_t | x_<t)
    perplexity = exp(nll)

Of rows that are a text (`dataset/text`) all tokens but the first count. A token-level mean over the whole dataset, so long answers weigh
more than short ones, and models with different tokenizers don't compare. The same rows, tokens and labels are scored whether the model is
computed here or asked for its log-probabilities over an endpoint.
"""

from __future__ import annotations

import math

from tunesmith.contracts import Artifact, Evaluation, Step
from tunesmith_perplexity.sequences import sequences
from tunesmith_perplexity.settings import PerplexitySettings
from tunesmith_perplexity.tokenizer import encoder_of

ENDPOINT = "endpoint/openai"


class Perplexity:
    def __init__(self, settings: PerplexitySettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        chat = encoder_of(subject)
        scored = sequences(data, chat, self.settings.max_length, step)
        if subject.format == ENDPOINT:  # what computes models is not imported for those that are computed elsewhere
            from tunesmith_perplexity.endpoint import losses

            found = losses(subject, scored, self.settings, step)
        else:
            from tunesmith_perplexity import local_model

            found = local_model.losses(subject, scored, self.settings, step, chat)
        tokens = sum(count for _, count in found)
        nll = math.fsum(loss for loss, _ in found) / tokens
        samples = [
            {"question": one.question, "answer": one.answer, "nll": loss / count, "tokens": count}
            for one, (loss, count) in zip(scored, found, strict=True)
        ]
        return Evaluation({"perplexity": math.exp(min(nll, 700.0)), "nll": nll, "tokens": float(tokens)}, samples)
