"""What tunesmith-alpaca brings: the dataset format `alpaca`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_alpaca.rows import ROW


@hookimpl
def dataset_format():
    return Provider(
        "alpaca",
        "Alpaca's instruction rows: {instruction, input?, output}",
        "tunesmith_alpaca.rows:Alpaca",
        produces=("dataset/chat",),
        facts={
            "row": ROW,
            "aliases": {
                "instruction": ("question", "query", "problem", "prompt", "input"),
                "output": ("answer", "response", "completion", "solution", "target", "reply"),
            },
        },
    )
