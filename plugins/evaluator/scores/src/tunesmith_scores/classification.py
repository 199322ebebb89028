"""The evaluators `classification` and `token-classification`: which class or classes a text, a conversation or a word has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from tunesmith.contracts import Artifact, Evaluation, Step, UserError
from tunesmith_data.api import Row, text_of
from tunesmith_scores.class_metrics import ClassMetrics, f1
from tunesmith_scores.entity_spans import is_scheme, spans
from tunesmith_scores.examined_model import ExaminedModel
from tunesmith_scores.label_set_metrics import LabelSetMetrics
from tunesmith_scores.number_metrics import number_metrics
from tunesmith_scores.settings import ScoresSettings
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.scoring import conversation_sequence, text_sequence, words_sequence

REGRESSION, SEVERAL = "regression", "multi_label_classification"  #: problem types, as transformers calls them
CONFUSION = "confusion.json"  #: beside the metrics: the classes, and how often which was found for which
EXCERPT = 200  # characters of a text that are shown


class Classification:
    """The class with the highest score, or all that are likelier than not, at the end of each row."""

    def __init__(self, settings: ScoresSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        model = ExaminedModel(subject, self.settings, step)

        def encode(row: Row) -> Sequence[TokenSequence]:
            if "tokens" in row:
                raise _other_rows("a class for each word", "`token-classification`", "one for the text")
            told = row.get("messages")
            chat = model.scoring.chat
            return [conversation_sequence(chat, told, row.get("tools") or ()) if told else text_sequence(chat, row["text"])]

        rows, labels = model.rows(data, encode), model.scoring.labels
        if model.scoring.problem_type == REGRESSION:
            return _numbers(rows, [float(scores[0, 0]) for scores in model.scores([one for _, (one,) in rows])])
        several = model.scoring.problem_type == SEVERAL
        if any(several != ("labels" in row) for row, _ in rows):
            has, wants = ("one class", "several at once") if several else ("a list of classes", "one for each text")
            raise UserError("TS-DATA-080", f"rows have {has}, and the model gives {wants}", fix="Give rows as the model was trained on.")
        if several:
            return _label_sets(rows, [scores[0].sigmoid() for scores in model.scores([one for _, (one,) in rows])], labels, step)
        wanted = [number_of(row["label"], labels) for row, _ in rows]
        found, samples = [], []
        for (row, _), number, scores in zip(rows, wanted, model.scores([one for _, (one,) in rows]), strict=True):
            probabilities = scores[0].softmax(-1)
            found.append(int(probabilities.argmax()))
            samples.append({
                "question": _question(row), "expected": labels[number], "answer": labels[found[-1]], "right": found[-1] == number,
                "score": float(probabilities[found[-1]]),
            })  # fmt: skip
        metrics = _class_metrics(ClassMetrics.of(wanted, found, len(labels)), labels, step)
        return Evaluation({**metrics, "rows": float(len(rows))}, samples)


class TokenClassification:
    """The class with the highest score, at the end of each word; entities where the classes are tags of such."""

    def __init__(self, settings: ScoresSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        model = ExaminedModel(subject, self.settings, step)

        def encode(row: Row) -> Sequence[TokenSequence]:
            if "tokens" not in row:
                raise _other_rows("one class", "`classification`", "one for each word")
            return [words_sequence(model.scoring.chat, row["tokens"])]

        rows, labels = model.rows(data, encode), model.scoring.labels
        wanted = [[number_of(label, labels) for label in row["labels"]] for row, _ in rows]
        found = [[int(at) for at in scores.argmax(-1)] for scores in model.scores([one for _, (one,) in rows])]
        flat = [[number for row in numbers for number in row] for numbers in (wanted, found)]
        metrics = _class_metrics(ClassMetrics.of(*flat, len(labels)), labels, step)
        tags = [[[labels[number] for number in row] for row in numbers] for numbers in (wanted, found)]
        if is_scheme(labels):
            pairs = [(spans(one), spans(other)) for one, other in zip(*tags, strict=True)]
            hits, right, said = (sum(len(part(*pair)) for pair in pairs) for part in (set.intersection, lambda a, b: a, lambda a, b: b))
            metrics |= {
                "entity_f1": f1(hits, right, said), "entity_precision": hits / said if said else 0.0,
                "entity_recall": hits / right if right else 0.0, "entities": float(right),
            }  # fmt: skip
        samples = [
            {"question": " ".join(row["tokens"]), "expected": " ".join(one), "answer": " ".join(other), "right": one == other}
            for (row, _), one, other in zip(rows, *tags, strict=True)
        ]
        return Evaluation({**metrics, "words": float(len(flat[0]))}, samples)


def number_of(label: str | int | float, labels: Sequence[str]) -> int:
    """Which of the model's classes a row's is: by its name or, where no name is a number, by its place, from 0.

    Raises:
        UserError: TS-DATA-079 for one that the model does not have.
    """
    name = str(label)
    if name in labels:
        return labels.index(name)
    if name.isdigit() and int(name) < len(labels) and not any(known.lstrip("-").isdigit() for known in labels):
        return int(name)
    raise UserError(
        "TS-DATA-079", f"Rows have the class {name!r}, and the model has {', '.join(map(repr, labels[:20]))}",
        fix="Leave such rows out, or evaluate a model that has learnt the class.",
    )  # fmt: skip


def _label_sets(
    rows: Sequence[tuple[Row, Sequence[TokenSequence]]], probabilities: Sequence[Tensor], labels: Sequence[str], step: Step
) -> Evaluation:  # fmt: skip
    """Of a model that gives a probability for each class: those above one half are found."""
    wanted = [frozenset(number_of(label, labels) for label in row["labels"]) for row, _ in rows]
    found = [frozenset((own > 0.5).nonzero().flatten().tolist()) for own in probabilities]
    classes = LabelSetMetrics(tuple(wanted), tuple(found), len(labels))
    _write_confusion({"labels": list(labels), "matrices": classes.matrices}, step)
    metrics = {name: getattr(classes, name) for name in ("accuracy", "macro_f1", "micro_f1", "lowest_f1")}
    samples = [
        {"question": _question(row), "expected": _names(right, labels), "answer": _names(said, labels), "right": right == said}
        for (row, _), right, said in zip(rows, wanted, found, strict=True)
    ]
    return Evaluation({**metrics, "rows": float(len(rows))}, samples)


def _names(numbers: frozenset[int], labels: Sequence[str]) -> str:
    return ", ".join(labels[number] for number in sorted(numbers)) or "none"


def _numbers(rows: Sequence[tuple[Row, Sequence[TokenSequence]]], found: Sequence[float]) -> Evaluation:
    """Of a model that gives a number for each text."""
    if named := next((row["label"] for row, _ in rows if isinstance(row["label"], str)), None):
        raise UserError("TS-DATA-079", f"Rows have the class {named!r}, and the model gives a number", fix="Give rows with numbers.")
    wanted = [float(row["label"]) for row, _ in rows]
    samples = [
        {"question": _question(row), "expected": right, "answer": number, "score": -abs(number - right)}
        for (row, _), right, number in zip(rows, wanted, found, strict=True)
    ]
    return Evaluation({**number_metrics(wanted, found), "rows": float(len(rows))}, samples)


def _question(row: Row) -> str:
    return text_of(row["messages"][-1]) if row.get("messages") else row["text"][:EXCERPT]


def _class_metrics(classes: ClassMetrics, labels: Sequence[str], step: Step) -> dict[str, float]:
    _write_confusion({"labels": list(labels), "matrix": classes.matrix}, step)
    step.log(classes.told(labels))
    return {"accuracy": classes.accuracy, "macro_f1": classes.macro_f1, "lowest_f1": classes.lowest_f1}


def _write_confusion(told: Mapping[str, Any], step: Step) -> None:
    (step.output / CONFUSION).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _other_rows(has: str, evaluator: str, reads: str) -> UserError:
    return UserError("TS-DATA-080", f"the row has {has}, and the evaluator reads {reads}", fix=f"Evaluate with {evaluator}.")
