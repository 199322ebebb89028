"""The evaluator: greedy answers from the endpoint, many at a time, compared with the expected ones."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from tunesmith.contracts import Artifact, Cancelled, Evaluation, Row, Step
from tunesmith_exact_match.client import ChatClient
from tunesmith_exact_match.normalise import contains, equal
from tunesmith_exact_match.questions import Question, questions
from tunesmith_exact_match.settings import ExactMatchSettings

POLL = 0.2  # seconds between looks at what is done


class ExactMatch:
    """Share of rows whose answer is right. A server's failure ends the evaluation: it is never counted as a wrong answer."""

    def __init__(self, settings: ExactMatchSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, rows: Iterable[Row] | None, step: Step) -> Evaluation:
        asked = questions(rows)
        answers = self._ask(subject, asked, step)
        right = equal if self.settings.match == "exact" else contains
        samples = [
            {"question": question.text, "expected": question.expected, "answer": answer, "right": right(answer, question.expected)}
            for question, answer in zip(asked, answers, strict=True)
        ]
        return Evaluation({"exact_match": sum(sample["right"] for sample in samples) / len(samples)}, samples)

    def _ask(self, subject: Artifact, asked: list[Question], step: Step) -> list[str]:
        """The answers, in the questions' order."""
        stop = threading.Event()

        def pause(seconds: float) -> None:
            if stop.wait(seconds):
                raise Cancelled(step.name)

        client = ChatClient(subject.meta["url"], timeout=self.settings.timeout, retries=self.settings.retries, pause=pause)

        def answer(question: Question) -> str:
            if stop.is_set():
                raise Cancelled(step.name)
            body = {"model": subject.meta["model"], "messages": question.messages, "temperature": 0, "max_tokens": self.settings.max_tokens}
            return client.answer(body | ({"tools": question.tools} if question.tools else {}))

        pool = ThreadPoolExecutor(self.settings.concurrency, "ask")
        pending: list[Future[str]] = [pool.submit(answer, question) for question in asked]
        try:
            while True:
                done, left = wait(pending, POLL, FIRST_EXCEPTION)
                step.progress(len(done), len(asked), what="asking", unit="questions")
                step.check_cancelled()
                for future in done:
                    future.result()
                if not left:
                    return [future.result() for future in pending]
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
