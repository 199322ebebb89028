"""What tunesmith-labelled brings: the dataset format `labelled`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_labelled.rows import ROW


@hookimpl
def dataset_format() -> Provider:
    # A conversation with `label: true` is read as a good answer where both are wanted.
    return Provider(
        "labelled", "texts, conversations or words with classes: {text, label}", "tunesmith_labelled.rows:Labelled",
        produces=("dataset/labelled",),
        facts={
            "row": ROW,
            "aliases": {
                "text": ("sentence", "content", "document", "review", "question"), "tokens": ("words",),
                "label": ("class", "category", "target", "sentiment", "intent"),
            },
        },
        priority=-1,
    )  # fmt: skip
