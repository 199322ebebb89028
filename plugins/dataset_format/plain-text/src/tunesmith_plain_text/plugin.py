"""What tunesmith-plain-text brings: the dataset format `plain-text`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_plain_text.rows import ROW


@hookimpl
def dataset_format() -> Provider:
    # Of rows that hold a conversation as well, the conversation is read where both are wanted.
    return Provider(
        "plain-text", "documents without turns: {text}, or a file .txt", "tunesmith_plain_text.rows:PlainText", produces=("dataset/text",),
        facts={"row": ROW, "aliases": {"text": ("content", "document", "body", "raw_content", "passage")}}, priority=-1,
    )  # fmt: skip
