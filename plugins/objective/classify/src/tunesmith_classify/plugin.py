"""What this plugin brings: the objectives `classify` and `classify-tokens`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_classify.asks import asks, asks_of_tokens
from tunesmith_classify.settings import ClassifySettings, TextSettings

_JUDGED = {"with": ["validation", "validation_split"]}


_LABELS = {"labels": "labels"}
_RECOMMEND = {
    "order": 20,
    "tasks": ["classification"],
    "from_data": _LABELS,
    "rule": "each row has a class",
    "source": "what the rows hold",
}
_OF_WORDS = {"order": 20, "tasks": ["tagging"], "from_data": _LABELS, "rule": "each word has a class", "source": "what the rows hold"}
ERROR = {"better": "lower", "summary": "of a regression: how far the numbers are off", **_JUDGED}


def _metrics(of: str) -> dict[str, object]:
    return {
        "validation_accuracy": {
            "better": "higher",
            "summary": f"share of the {of} whose class is found; with several, whose classes are all found",
            **_JUDGED,
        },
        "validation_macro_f1": {"better": "higher", "summary": "F1 of each class, the mean over the classes", **_JUDGED},
    }


@hookimpl
def objective() -> list[Provider]:
    return [
        Provider(
            name="classify",
            summary="classifier: a class, several, or a number, for each text or conversation",
            target="tunesmith_classify.texts:TextClassifier",
            settings=TextSettings,
            accepts=("dataset/labelled",),
            needs=asks(TextSettings()).needs,
            facts={
                "metrics": _metrics("rows") | {"validation_absolute_error": ERROR},
                **asks(TextSettings()).facts,
                "recommend": _RECOMMEND,
            },
            estimator="tunesmith_classify.asks:parts",
        ),
        Provider(
            name="classify-tokens",
            summary="tagger: a class for each word of a text",
            target="tunesmith_classify.words:WordClassifier",
            settings=ClassifySettings,
            accepts=("dataset/labelled",),
            needs=asks_of_tokens(ClassifySettings()).needs,
            facts={"metrics": _metrics("words"), **asks_of_tokens(ClassifySettings()).facts, "recommend": _OF_WORDS},
            estimator="tunesmith_classify.asks:parts",
        ),
    ]
