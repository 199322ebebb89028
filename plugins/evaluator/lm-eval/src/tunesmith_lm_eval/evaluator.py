"""The evaluator `lm-eval`: a task of lm-evaluation-harness over the step's rows, by its own models of transformers, without a network."""

from __future__ import annotations

import hashlib
import json
import os
import random
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import numpy
import torch
from lm_eval import evaluate
from lm_eval.models.huggingface import HFLM

from tunesmith.contracts import Artifact, Evaluation, Step
from tunesmith_lm_eval.answers import KeptAnswers
from tunesmith_lm_eval.documents import documents
from tunesmith_lm_eval.results import checked_metrics, interval_metrics, row_samples
from tunesmith_lm_eval.settings import LmEvalSettings
from tunesmith_lm_eval.tasks import check_room, task_of
from tunesmith_statistics import Counts, smallest_difference


class LmEval:
    def __init__(self, settings: LmEvalSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        """
        Raises:
            UserError: TS-DATA-040 without rows, TS-EVAL-008 where the task is none or leaves its answers no room.
            TunesmithError: TS-EVAL-009 where a metric has failed, TS-EVAL-001 where too many rows have no score.
        """
        examples, asked = documents(data, self.settings.num_fewshot)
        seen = smallest_difference(len(asked))
        step.log(f"{len(asked)} questions: a difference of {100 * seen:.1f} points between two models is seen in 4 of 5 evaluations")
        task = task_of(self.settings, data.format if data else "", examples, asked, step.check_cancelled)
        step.check_cancelled()
        model = HFLM(
            pretrained=str(subject.path), device=str(step.placement.torch), dtype=self.settings.dtype, batch_size=self.settings.batch_size,
            max_length=self.settings.max_length, trust_remote_code=False,
        )  # fmt: skip
        check_room(task, model)
        asking = _resumable(model, subject, step)
        _seed(task, step.seed)
        # not its simple_evaluate: that reads the index of all its tasks and asks the machine for its versions, for seconds without a stop
        told: Any = evaluate(
            lm=asking, task_dict={"tasks": {task.task_name: task}, "groups": {}}, bootstrap_iters=0,
            log_samples=True, apply_chat_template=self.settings.apply_chat_template,
        )  # fmt: skip
        lines = told["samples"][task.task_name]
        samples = row_samples(task, model, lines)
        reasons = [sample.get("not_scored", "scored") for sample in samples]
        counts = Counts(**{name: reasons.count(name) for name in ("scored", "failed", "truncated", "unparsed")})
        counts.check(self.settings.max_not_scored)
        metrics = checked_metrics(task, told["results"][task.task_name], samples)
        _write_asked(step, lines)
        return Evaluation({**metrics, **interval_metrics(metrics, samples), "smallest_difference": seen, **counts.metrics()}, samples)


def _resumable(model: HFLM, subject: Artifact, step: Step) -> KeptAnswers:
    """The model, whose answers are kept as they come: a step that was killed asks for those that are missing. lm-eval knows them by their
    questions alone, so each model has a file of its own."""
    name = hashlib.sha256(f"{subject.path} {subject.digest}".encode()).hexdigest()[:16]
    asking = KeptAnswers(model, step.work / f"answers-{name}.sqlite", step.check_cancelled)
    model.model.register_forward_pre_hook(lambda *_: asking.pause())
    return asking


def _seed(task: Any, seed: int) -> None:
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    task.set_fewshot_seed(seed=seed)


def _write_asked(step: Step, lines: list[dict[str, Any]]) -> None:
    """The digest of all requests, which two results share where the same was asked in the same way."""
    asked = [line["arguments"] for line in lines]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
    told = {"digest": digest, "questions": len(asked), "first": asked[0]}
    (step.output / "asked.json").write_text(json.dumps(told, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
