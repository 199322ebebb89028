"""The evaluator `reward-accuracy`: how often a reward model gives the chosen answer of a pair the higher score.

Equal scores are no preference and count as wrong. Rows may name a ``category``, as RewardBench's (arXiv:2403.13787) do: its overall figure
is the mean over the categories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tunesmith.contracts import Artifact, Evaluation, Step
from tunesmith_data.api import Row, text_of
from tunesmith_scores.examined_model import ExaminedModel
from tunesmith_scores.settings import ScoresSettings
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.scoring import conversation_sequence

SIDES = ("chosen", "rejected")


class RewardAccuracy:
    def __init__(self, settings: ScoresSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        model = ExaminedModel(subject, self.settings, step)

        def encode(row: Row) -> Sequence[TokenSequence]:
            return [conversation_sequence(model.scoring.chat, [*row["messages"], *row[side]], row.get("tools") or ()) for side in SIDES]

        rows = model.rows(data, encode)
        scores = [float(found[0, 0]) for found in model.scores([one for _, pair in rows for one in pair])]
        samples = [_sample(row, *scores[2 * at : 2 * at + 2]) for at, (row, _) in enumerate(rows)]
        categories: dict[str, list[bool]] = defaultdict(list)
        for sample in samples:
            if sample["category"]:
                categories[str(sample["category"])].append(bool(sample["right"]))
        metrics = {
            "rewards/accuracy": _mean([sample["right"] for sample in samples]),
            "rewards/chosen": _mean(scores[0::2]),
            "rewards/rejected": _mean(scores[1::2]),
            "rewards/margin": _mean([sample["score"] for sample in samples]),
            "pairs": float(len(samples)),
        }
        if categories:
            shares = {name: _mean(right) for name, right in sorted(categories.items())}
            metrics |= {"rewards/accuracy/macro": _mean(list(shares.values())), "rewards/accuracy/lowest": min(shares.values())}
            told = ", ".join(f"{name} {share:.3f} of {len(categories[name])}" for name, share in shares.items())
            step.log(f"accuracy by category: {told}")
        return Evaluation(metrics, samples)


def _sample(row: Row, chosen: float, rejected: float) -> dict[str, object]:
    question = next((text_of(turn) for turn in reversed(row["messages"]) if turn["role"] == "user"), "")
    said = {side: text_of(row[side][-1]) for side in SIDES}
    return {
        "question": question, "expected": said["chosen"], "answer": said["chosen"] if chosen > rejected else said["rejected"],
        "right": chosen > rejected, "score": chosen - rejected, "chosen": chosen, "rejected": rejected,
        "category": str(row.get("category") or ""),
    }  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
