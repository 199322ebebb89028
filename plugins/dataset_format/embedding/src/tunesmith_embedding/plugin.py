"""What tunesmith-embedding brings: the dataset format `embedding`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_embedding.rows import ROW


@hookimpl
def dataset_format() -> Provider:
    return Provider(
        "embedding", "texts that belong together: {anchor, positive, negative?}", "tunesmith_embedding.rows:Embedding",
        produces=("dataset/embedding",),
        facts={
            "row": ROW,
            "aliases": {"anchor": ("question", "sentence", "title"), "positive": ("answer", "passage", "document", "positive_passage")},
        },
    )  # fmt: skip
