"""What a sentence asks for, for the commands of others: all of `tunesmith_ask` that they may import. A name is imported at its
first use.

Example::

    from tunesmith_ask.api import plain, read, wishes_of

    request = plain(read("a customer-service bot from chats.jsonl, QLoRA, in two hours", registry))
    print(request.data, wishes_of(request))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_ask.pipeline import cards_here, differing, no_rows, plain, wishes_of
    from tunesmith_ask.request import Request
    from tunesmith_ask.sentence_request import read

#: Of everything here: raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

_MODULES = {
    "tunesmith_ask.pipeline": "cards_here, differing, no_rows, plain, wishes_of",
    "tunesmith_ask.request": "Request",
    "tunesmith_ask.sentence_request": "read",
}
__getattr__ = exports(__name__, {name: module for module, names in _MODULES.items() for name in names.split(", ")})

__all__ = ["API", "Request", "cards_here", "differing", "no_rows", "plain", "read", "wishes_of"]
