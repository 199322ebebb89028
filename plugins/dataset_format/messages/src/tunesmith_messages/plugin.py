"""What tunesmith-messages brings: the dataset format `messages`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_messages.rows import ROW


@hookimpl
def dataset_format():
    return Provider(
        "messages",
        "OpenAI chat messages: {messages: [{role, content}]}",
        "tunesmith_messages.rows:Messages",
        produces=("dataset/chat",),
        facts={"row": ROW, "aliases": {"messages": ("conversation", "dialogue", "dialog", "chat", "turns")}},
    )
