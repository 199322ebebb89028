"""What tunesmith-scores brings: evaluators of models that give numbers in place of words, or whose words' probabilities are the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_scores.multiple_choice.rows import FORMAT, ROW
from tunesmith_scores.multiple_choice.settings import MultipleChoiceSettings
from tunesmith_scores.settings import ProcessRewardSettings, ScoresSettings

_HIGHER = {"better": "higher"}
_SOURCE = "docs/alignment.md"
REWARD = {
    "rewards/accuracy": {**_HIGHER, "summary": "share of the pairs whose chosen answer has the higher score"},
    "rewards/accuracy/macro": {**_HIGHER, "summary": "the same as a mean over the categories, where rows have one"},
    "rewards/accuracy/lowest": {**_HIGHER, "summary": "the same of the category that does worst"},
    "rewards/margin": {**_HIGHER, "summary": "score of the chosen answer above that of the rejected one"},
    "rewards/chosen": {"summary": "score of the chosen answers"},
    "rewards/rejected": {"summary": "score of the rejected answers"},
    "pairs": {"summary": "pairs that were looked at"},
}
PROCESS = {
    "first_error_f1": {**_HIGHER, "summary": "harmonic mean of the two shares below, as in ProcessBench"},
    "solutions/accuracy/wrong": {**_HIGHER, "summary": "of the solutions with a wrong step, the share whose first one is found"},
    "solutions/accuracy/right": {**_HIGHER, "summary": "of the solutions without, the share in which none is found"},
    "steps/accuracy": {**_HIGHER, "summary": "share of the steps whose label is found"},
    "solutions": {"summary": "solutions that were looked at"},
}
CLASSES = {
    "accuracy": {**_HIGHER, "summary": "share whose class is found; with several classes at once, whose classes are all found"},
    "macro_f1": {**_HIGHER, "summary": "F1 of each class, the mean over the classes"},
    "lowest_f1": {**_HIGHER, "summary": "F1 of the class that does worst"},
}
ENTITIES = {
    "entity_f1": {**_HIGHER, "summary": "F1 of whole entities, where the classes are tags such as B-PLACE"},
    "entity_precision": {**_HIGHER, "summary": "share of the entities found that are right"},
    "entity_recall": {**_HIGHER, "summary": "share of the entities that are found"},
    "entities": {"summary": "entities in the rows"},
    "words": {"summary": "words that were looked at"},
}
SEVERAL = {"micro_f1": {**_HIGHER, "summary": "of texts with several classes at once: F1 of all decisions together"}}
NUMBERS = {
    "mse": {"better": "lower", "summary": "of a regression: mean squared error"},
    "mae": {"better": "lower", "summary": "of a regression: mean absolute error"},
    "pearson": {**_HIGHER, "summary": "of a regression: linear correlation of numbers and labels"},
    "spearman": {**_HIGHER, "summary": "of a regression: correlation of their ranks"},
}
RANKING = {
    **{f"recall@{cut}": {**_HIGHER, "summary": f"share of the positives among the {cut} nearest documents"} for cut in (1, 5, 10)},
    "ndcg@10": {**_HIGHER, "summary": "normalised discounted cumulative gain of the 10 nearest documents"},
    "mrr@10": {**_HIGHER, "summary": "one over the rank of the nearest positive, 0 beyond 10"},
    "queries": {"summary": "anchors"},
    "documents": {"summary": "different texts among positives and negatives"},
}
CHOICES = {
    "accuracy": {**_HIGHER, "summary": "share of the scored questions whose right choice is the most probable one"},
    "accuracy_norm": {**_HIGHER, "summary": "the same by the log-probability for each of a choice's characters"},
    "accuracy/low": {"summary": "lower bound of the accuracy at 95 % (Wilson)"},
    "accuracy/high": {"summary": "upper bound of the accuracy at 95 % (Wilson)"},
    "smallest_difference": {"summary": "difference of two models' accuracies that so many questions show in 4 of 5 evaluations, at most"},
    "scored": {"summary": "questions with a score"},
    "failed": {"summary": "questions whose log-probabilities are no finite numbers"},
    "truncated": {"summary": "questions that are longer than the model reads"},
    "unparsed": {"summary": "questions with an answer that names no choice; none by log-probabilities"},
}


def _provider(
    name: str,
    summary: str,
    target: str,
    role: str,
    data: str,
    metrics: Mapping[str, Any],
    settings: type = ScoresSettings,
    *,
    estimator: str = "estimate",
) -> Provider:
    return Provider(
        name,
        summary,
        f"tunesmith_scores.{target}",
        settings=settings,
        accepts=(f"model/hf+{role}",),
        capabilities={"device.cpu": "full", "device.cuda": "unknown"},
        facts={
            "data": [data],
            "metrics": dict(metrics),
            "recommend": {"order": 10, "settings": {"dtype": "auto"}, "rule": summary, "source": _SOURCE},
        },
        estimator=f"tunesmith_scores.estimate:{estimator}",
    )


@hookimpl
def evaluator() -> list[Provider]:
    rows = NUMBERS | {"rows": {"summary": "rows that were looked at"}}
    return [
        _provider(
            "reward-accuracy", "how often a reward model prefers the chosen answer", "reward_accuracy:RewardAccuracy",
            "reward", "dataset/preference", REWARD,
        ),
        _provider(
            "process-reward-accuracy", "how often a process reward model finds the first wrong step",
            "process_reward_accuracy:ProcessRewardAccuracy", "process-reward", "dataset/stepwise", PROCESS, ProcessRewardSettings,
        ),
        _provider(
            "classification", "how often a classifier finds a text's class, or all of its classes", "classification:Classification",
            "classify", "dataset/labelled", CLASSES | SEVERAL | rows,
        ),
        _provider(
            "token-classification", "how often a tagger finds words' classes, and entities", "classification:TokenClassification",
            "classify-tokens", "dataset/labelled", CLASSES | ENTITIES, estimator="memory",  # it counts words, not rows
        ),
        _provider(
            "retrieval", "how near an embedding model puts texts that belong together", "retrieval:Retrieval",
            "embed", "dataset/embedding", RANKING, estimator="memory",  # it counts anchors, and several rows may have the same
        ),
        Provider(
            "multiple-choice", "how often the right one of several answers is the most probable",
            "tunesmith_scores.multiple_choice.evaluator:MultipleChoiceAccuracy",
            settings=MultipleChoiceSettings, accepts=("model/hf", "model/bnb"),
            capabilities={"device.cpu": "full", "device.cuda": "unknown"},
            facts={"data": [FORMAT], "metrics": CHOICES}, estimator="tunesmith_scores.estimate:estimate",
        ),
    ]  # fmt: skip


@hookimpl
def dataset_format() -> Provider:
    return Provider(
        "multiple-choice", "questions with answers to choose from: {question, choices, answer}",
        "tunesmith_scores.multiple_choice.rows:MultipleChoice", produces=(FORMAT,),
        facts={
            "row": ROW,
            "aliases": {
                "question": ("ctx", "query"), "choices": ("endings", "options"), "answer": ("answerKey", "answer_index", "gold", "label"),
            },
        },
        priority=1,
    )  # fmt: skip
