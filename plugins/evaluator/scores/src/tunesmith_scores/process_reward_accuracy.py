"""The evaluator `process-reward-accuracy`: which step of a solution is the first wrong one, as ProcessBench asks (arXiv:2412.06559).

Of the solutions with a wrong step, the share whose first wrong step is found; of those without one, the share in which none is found; their
harmonic mean is the F1. A share of no solutions is not told, nor the F1 then.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Artifact, Evaluation, Step
from tunesmith_data.api import Row, text_of
from tunesmith_scores.examined_model import ExaminedModel
from tunesmith_scores.settings import ProcessRewardSettings
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.scoring import steps_sequence

RIGHT = "right"  #: the class of a step that is right, where the model names its classes; else the second


class ProcessRewardAccuracy:
    def __init__(self, settings: ProcessRewardSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        model = ExaminedModel(subject, self.settings, step)
        usage = model.scoring.usage
        separator, last_only = str(usage.get("step_separator", "\n")), bool(usage.get("train_on_last_step_only"))

        def encode(row: Row) -> Sequence[TokenSequence]:
            return [steps_sequence(model.scoring.chat, row["messages"], row["completions"], separator=separator, last_only=last_only)]

        rows = model.rows(data, encode)
        labels = model.scoring.labels
        right = labels.index(RIGHT) if RIGHT in labels else 1
        samples = []
        for (row, _), scores in zip(rows, model.scores([one for _, (one,) in rows]), strict=True):
            probabilities = [float(p) for p in scores.softmax(-1)[:, right]]
            wanted = [bool(label) for label in row["labels"]][-1:] if last_only else [bool(label) for label in row["labels"]]
            samples.append(_sample(row, probabilities, wanted, self.settings.threshold))
        return Evaluation(_metrics(samples), samples)


def first_wrong(right: Sequence[bool]) -> int:
    """The number of the first wrong step, from 0; -1 where all are right, as ProcessBench writes it."""
    return next((at for at, good in enumerate(right) if not good), -1)


def _sample(row: Row, probabilities: Sequence[float], wanted: Sequence[bool], threshold: float) -> dict[str, object]:
    found = [probability >= threshold for probability in probabilities]
    expected, answer = first_wrong(wanted), first_wrong(found)
    question = next((text_of(turn) for turn in reversed(row["messages"]) if turn["role"] == "user"), "")
    return {
        "question": question, "expected": expected, "answer": answer, "right": expected == answer, "probabilities": list(probabilities),
        "steps": len(wanted), "steps_right": sum(one == other for one, other in zip(found, wanted, strict=True)),
    }  # fmt: skip


def _metrics(samples: Sequence[dict[str, object]]) -> dict[str, float]:
    steps, right = (sum(int(sample[name]) for sample in samples) for name in ("steps", "steps_right"))  # type: ignore[call-overload]
    found = {"steps/accuracy": right / steps, "solutions": float(len(samples))}
    for name, some in (("wrong", [s for s in samples if s["expected"] != -1]), ("right", [s for s in samples if s["expected"] == -1])):
        if some:
            found[f"solutions/accuracy/{name}"] = sum(bool(sample["right"]) for sample in some) / len(some)
    shares = [found[name] for name in ("solutions/accuracy/wrong", "solutions/accuracy/right") if name in found]
    if len(shares) == 2:
        found["first_error_f1"] = 2 * shares[0] * shares[1] / sum(shares) if sum(shares) else 0.0
    return found
