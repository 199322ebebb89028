"""What tunesmith-judge brings: the evaluator and the reward `judge`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_generation.api import COUNTS, bounds
from tunesmith_judge.settings import JudgeRewardSettings, JudgeSettings

_METRICS = {
    "score": {"better": "higher", "summary": "mean mark of the answers, 0 the worst and 1 the best"},
    **bounds("score"),
    "win_rate": {"better": "higher", "summary": "wins and half of the ties against the rows' own answers"},
    **bounds("win_rate"),
    "wins": {"summary": "pairs that the answer wins in both orders"},
    "losses": {"summary": "pairs that it loses in both orders"},
    "swap_agreement": {"summary": "share of the pairs whose verdict stays the same when the answers change places"},
    "first_place": {"summary": "share of the verdicts for the answer that is shown first; 0.5 without a bias"},
    **COUNTS,
    "failed": {"summary": "questions that the endpoint or the judge refused"},
    "truncated": {"summary": "questions whose answer or judgement was cut off"},
    "unparsed": {"summary": "questions whose judgement names no mark or verdict"},
}


@hookimpl
def evaluator():
    return Provider(
        "judge",
        "what another model says of the answers: a mark, or whether they are better than the rows' own",
        "tunesmith_judge.evaluator:JudgeEvaluator",
        settings=JudgeSettings,
        accepts=("endpoint/openai",),
        estimator="tunesmith_generation.api:estimate",
        facts={"data": ["dataset/chat"], "metrics": _METRICS},
    )


@hookimpl
def reward():
    return Provider("judge", "a mark from 0 to 1 by another model", "tunesmith_judge.reward:JudgeReward", JudgeRewardSettings)
