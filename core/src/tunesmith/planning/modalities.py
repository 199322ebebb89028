"""Whether the models of a step take the pictures, sounds and videos in the rows that it reads with them."""

from __future__ import annotations

from collections.abc import Collection

from tunesmith.contracts.model_shape import takes
from tunesmith.errors import UserError
from tunesmith.planning.notes import Notes
from tunesmith.planning.products import Product

ROWS = "dataset/"  # how formats of rows begin


def check_media(step: str, where: str, read: Collection[Product], notes: Notes) -> bool:
    """Note TS-DATA-032 and answer False where a model's configuration says that it does not; note a warning where it does not tell.

    Args:
        where: the step's place in the pipeline.
        read: what the step reads.
    """
    counts = {type: count for product in read for type, count in product.facts.get("media", {}).items()}
    refused = False
    models = [product for product in read if not product.format.startswith(ROWS) and not product.facts]
    for model in models:
        for type, count in counts.items():
            taken = takes(model.config, type)
            rows = f"{count} of the rows have a part of type {type}"
            if taken is False:
                refused = True
                notes.adopt(UserError(
                    "TS-DATA-032", f"{rows}, which `{model.group}` does not take",
                    why="By its config.json nothing in it takes such parts.", fix="Use a model that does, or leave such rows out.",
                ), where)  # fmt: skip
            elif taken is None:
                notes.warn(f"{step}: {rows}; whether `{model.group}` takes them can't be told from its configuration, the step will see")
    return not refused
