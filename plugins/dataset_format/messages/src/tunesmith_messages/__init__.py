"""OpenAI chat messages as rows of a dataset, and the pieces that other formats with messages in them build on.

`read_messages` (a list of messages in the OpenAI form -> messages with typed parts), `Media` (a row's image, audio and video columns behind
their placeholders), `read_tools`, and the JSON Schemas `MESSAGES`, `MEDIA_COLUMNS`, `TOOLS`. Standard library only.
"""

from tunesmith_messages.conversation import read_messages, refuse_empty
from tunesmith_messages.media import Media
from tunesmith_messages.schema import MEDIA_COLUMNS, MESSAGES, TEXT_OR_NULL, TOOLS
from tunesmith_messages.tools import read_tools

__all__ = ["MEDIA_COLUMNS", "MESSAGES", "TEXT_OR_NULL", "TOOLS", "Media", "read_messages", "read_tools", "refuse_empty"]
