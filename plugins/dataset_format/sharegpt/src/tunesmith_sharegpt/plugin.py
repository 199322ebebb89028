"""What tunesmith-sharegpt brings: the dataset format `sharegpt`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_sharegpt.rows import ROW


@hookimpl
def dataset_format():
    return Provider(
        "sharegpt",
        "ShareGPT's conversations: {conversations: [{from, value}]}",
        "tunesmith_sharegpt.rows:ShareGPT",
        produces=("dataset/chat",),
        facts={"row": ROW},
    )
