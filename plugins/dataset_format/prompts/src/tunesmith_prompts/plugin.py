"""What tunesmith-prompts brings: the dataset format `prompts`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_prompts.rows import ROW


@hookimpl
def dataset_format() -> Provider:
    # Of conversations with an answer the answer is read where both are wanted.
    return Provider(
        "prompts", "prompts that the model is to answer: {prompt}", "tunesmith_prompts.rows:Prompts", produces=("dataset/prompt",),
        facts={"row": ROW, "aliases": {"prompt": ("question", "query", "instruction", "problem", "input")}}, priority=-1,
    )  # fmt: skip
