"""What tunesmith-prompt-completion brings: the dataset format `prompt-completion`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_prompt_completion.rows import ROW


@hookimpl
def dataset_format():
    return Provider(
        "prompt-completion",
        "prompts with completions: {prompt, completion}",
        "tunesmith_prompt_completion.rows:PromptCompletion",
        produces=("dataset/chat",),
        facts={
            "row": ROW,
            "aliases": {"prompt": ("question", "query", "instruction"), "completion": ("response", "answer", "output", "reply")},
        },
    )
