"""What `classify` and `classify-tokens` ask of the model."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_classify.classes import Classes, refuse_labels
from tunesmith_classify.settings import ClassifySettings, TextSettings
from tunesmith_torch.api import Asks, Head

SCORE = "score"  #: the head, as transformers names it
REGRESSION, SEVERAL = "regression", "multi_label_classification"  #: problem types, as transformers calls them


def asks(settings: TextSettings) -> Asks:
    """Of a text, a number for each class at its end, or one alone."""
    task = "ForSequenceClassification"
    if settings.problem_type == REGRESSION:
        return _asks("classify", Head(SCORE, task=task, problem_type=REGRESSION))
    several = SEVERAL if settings.problem_type == SEVERAL else ""
    return _asks("classify", Head(SCORE, len(settings.labels), task=task, labels=_names(settings), problem_type=several))


def asks_of_tokens(settings: ClassifySettings) -> Asks:
    """Of a text, a number for each class at the end of each word."""
    return _asks("classify-tokens", Head(SCORE, len(settings.labels), bias=True, task="ForTokenClassification", labels=_names(settings)))


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """
    Raises:
        UserError: TS-TRAIN-101 and TS-DATA-079 where the setting `labels` and the classes of the data are not the same.
    """
    settings = TextSettings(**request.settings)
    if settings.problem_type == REGRESSION:
        refuse_labels(settings.labels)
    else:
        found = sorted(request.data.get("labels") or ())
        Classes(settings.labels, found).check_number(found)
    return asks(settings).parts


def _asks(role: str, head: Head) -> Asks:
    return Asks(log_probs=False, heads=(head,), role=role)


def _names(settings: ClassifySettings) -> tuple[str, ...]:
    return tuple(map(str, settings.labels))
