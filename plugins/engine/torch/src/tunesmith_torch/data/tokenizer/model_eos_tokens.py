"""The tokens at which a model in a directory stops, found and written without anything else at hand."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_torch.data.chat_template.eos_tokens import all_ends, named_ends, unnamed_end, write_ends
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer


def ends_of_model(directory: Path, tokenizer: Any) -> tuple[frozenset[int], str]:
    """Ids of all tokens at which the model in `directory` has to stop, and what to say of one that its files don't name."""
    named = named_ends(directory)
    chat = ChatTokenizer(tokenizer, named)
    return all_ends(chat) | named, unnamed_end(chat)


def name_ends(directory: Path) -> None:
    """The same for a model whose tokenizer is in its directory; nothing for one without."""
    with contextlib.suppress(UserError):
        write_ends(directory, chat_encoder(directory))
