"""The evaluator: greedy answers from the endpoint, many at a time, compared with the expected ones."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import Artifact, Evaluation, Step, TunesmithError
from tunesmith_exact_match.answer_normalization import contains, equal
from tunesmith_exact_match.questions import Question, questions
from tunesmith_exact_match.settings import ExactMatchSettings
from tunesmith_serve import Endpoint


class ExactMatch:
    """Share of rows whose answer is right. A server's failure ends the evaluation: it is never counted as a wrong answer."""

    def __init__(self, settings: ExactMatchSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        asked = questions(data)
        answers = self._ask(subject, asked, step)
        right = equal if self.settings.match == "exact" else contains
        samples = [
            {"question": question.text, "expected": question.expected, "answer": answer, "right": right(answer, question.expected)}
            for question, answer in zip(asked, answers, strict=True)
        ]
        return Evaluation({"exact_match": sum(sample["right"] for sample in samples) / len(samples)}, samples)

    def _ask(self, subject: Artifact, asked: list[Question], step: Step) -> list[str]:
        """The answers, in the questions' order."""
        usual = {"temperature": 0, "max_tokens": self.settings.max_tokens}
        bodies = [{"messages": q.messages, **usual, **({"tools": q.tools} if q.tools else {})} for q in asked]
        settings = self.settings
        endpoint = Endpoint(subject, timeout=settings.timeout, retries=settings.max_retries, shorten="max_tokens", model=settings.model)
        replies = endpoint.ask_all(
            "/chat/completions", bodies, step, concurrency=self.settings.concurrency, what="asking", unit="questions"
        )
        return [_text(reply) for reply in replies]


def _text(reply: Any) -> str:
    try:
        return reply["choices"][0]["message"]["content"] or ""
    except (LookupError, TypeError) as error:
        raise TunesmithError("TS-SERVE-022", "The endpoint's reply is not a chat completion", why=str(reply)[:200],
                             fix="Is the endpoint an OpenAI-compatible one?") from error  # fmt: skip
