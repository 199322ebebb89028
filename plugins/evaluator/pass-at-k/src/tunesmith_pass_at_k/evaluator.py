"""The evaluator `pass-at-k`: of n answers to a problem, c are right as a reward says; the chance that k of them hold a right one is

    pass@k = 1 - C(n - c, k) / C(n, k),

the unbiased estimate of Chen et al. (arXiv:2107.03374), a mean over problems. A problem counts only where all of its answers have a reward.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tunesmith.contracts import Artifact, Evaluation, Step
from tunesmith_generation.api import Answer, Question, ask, counted, forget, prompts, request_bodies, tell_missing, write_asked
from tunesmith_pass_at_k.problems import columns, completion
from tunesmith_pass_at_k.settings import PassAtKSettings
from tunesmith_rewards.api import RewardRunner, Score, read_rewards
from tunesmith_statistics import Interval, mean, share


class PassAtK:
    """
    Raises:
        UserError: TS-EVAL-005 where so many answers can't tell a k; TS-REWARD-002 or of TS-PLUGIN-001 to 003 where the reward is none.
    """

    def __init__(self, settings: PassAtKSettings) -> None:
        settings.check()
        self.settings = settings
        self._rewards = read_rewards([settings.reward])

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        n = self.settings.num_samples
        problems = prompts(data, self.settings)
        asked = [one for one in problems for _ in range(n)]
        bodies = request_bodies(asked, self.settings, step.seed)
        write_asked(bodies, step)
        answers = ask(subject, bodies, self.settings, step)
        scores = self._scored(asked, answers, step)
        samples = [self._sample(one, answers[n * at : n * (at + 1)], scores[n * at : n * (at + 1)]) for at, one in enumerate(problems)]
        counts = counted(samples)
        tell_missing(samples, step)
        counts.check(self.settings.max_not_scored)
        solved = [sample["solved"] for sample in samples if "not_scored" not in sample]
        found: dict[str, float] = {}
        for k in self.settings.k:
            figure = _figure(solved, n, k)
            found |= {f"pass@{k}": figure.value, f"pass@{k}/low": figure.low, f"pass@{k}/high": figure.high}
        forget(step)
        return Evaluation({**found, **counts.metrics()}, samples)

    def _scored(self, asked: Sequence[Question], answers: Sequence[Answer], step: Step) -> list[Score | None]:
        """None for what is no answer."""
        open_ = [at for at, answer in enumerate(answers) if not answer.missing and not answer.cut]
        rows = [columns(asked[at].row) for at in open_]
        said = [completion(answers[at].text, asked[at].text, row) for at, row in zip(open_, rows, strict=True)]
        found: list[Score | None] = [None] * len(answers)
        with RewardRunner(self._rewards, timeout=self.settings.reward_timeout, max_failed_share=1.0) as runner:
            for start in range(0, len(open_), 64):
                step.check_cancelled()
                step.progress(start, len(open_), what="scoring", unit="answers")
                part = slice(start, start + 64)
                for at, score in zip(
                    open_[part], runner.score([asked[at].text for at in open_[part]], said[part], rows[part]), strict=True
                ):
                    found[at] = score
        return found

    def _sample(self, one: Question, answers: Sequence[Answer], scores: Sequence[Score | None]) -> dict[str, Any]:
        told: dict[str, Any] = {"question": one.text, "expected": "", "answer": "\n---\n".join(answer.text for answer in answers)}
        for answer, score in zip(answers, scores, strict=True):
            if score is None:
                return {**told, "not_scored": answer.missing or "truncated", **({"why": answer.why} if answer.why else {})}
            if score.failed:
                return {**told, "not_scored": "failed", "why": "; ".join(score.failed.values())}
            if score.total is None:
                return {**told, "not_scored": "unparsed", "why": "the reward can't tell"}
        totals = [score.total for score in scores if score is not None and score.total is not None]
        solved = sum(total >= self.settings.solved_at for total in totals)
        return {**told, "score": solved / len(totals), "solved": solved}


def pass_at_k(n: int, c: int, k: int) -> float:
    """Of `n` answers, `c` right ones."""
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def _figure(solved: Sequence[int], n: int, k: int) -> Interval:
    if n == 1:
        return share(sum(solved), len(solved))
    values = [pass_at_k(n, c, k) for c in solved]
    value = sum(values) / len(values)
    return mean(values) or Interval(value, value, value)
