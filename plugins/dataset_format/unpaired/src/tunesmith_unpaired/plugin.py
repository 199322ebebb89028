"""What tunesmith-unpaired brings: the dataset formats `unpaired` and `unpaired-pairs`."""

from collections.abc import Sequence

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_preference.api import ROW as PAIR
from tunesmith_unpaired.rows import ROW


@hookimpl
def dataset_format() -> Sequence[Provider]:
    produces = ("dataset/unpaired",)
    return [
        Provider(
            "unpaired", "answers that are good or bad ones: {prompt, completion, label}", "tunesmith_unpaired.rows:Unpaired",
            produces=produces,
            facts={
                "row": ROW,
                "aliases": {"label": ("feedback", "desirable", "is_good", "thumbs", "rating"), "completion": ("response", "answer")},
            },
        ),
        # Rows of pairs are read as pairs where both are wanted.
        Provider(
            "unpaired-pairs", "pairs, each as a good answer and a bad one: {prompt?, chosen, rejected}",
            "tunesmith_unpaired.pairs:Pairs", produces=produces, facts={"row": PAIR}, priority=-1,
        ),
    ]  # fmt: skip
