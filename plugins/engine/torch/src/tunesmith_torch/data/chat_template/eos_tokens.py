"""The tokens at which a model stops: one set for training, merging and serving.

Those that its files name, and the one with which its chat template ends a turn of the assistant. Where the files don't name that (base
models with a chat template of others), a model learns to write it and would go on after it for ever.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import UserError

if TYPE_CHECKING:
    from tunesmith_torch.data.chat_template.assistant_spans import AssistantSpans
    from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer

_GENERATION = "generation_config.json"
_PROBE = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes"}, {"role": "user", "content": "Hello"}]


def named_ends(directory: Path) -> frozenset[int]:
    """Ids of the tokens at which the model in `directory` stops as its configurations say."""
    config = read_object(directory / "config.json")
    sources = [read_object(directory / _GENERATION), config, config.get("text_config") or {}]
    return frozenset(number for source in sources for number in _ids(source.get("eos_token_id")))


def turn_end(answers: AssistantSpans, configured: Collection[str]) -> str | None:
    """The token with which the template ends a turn of the assistant; None where it writes none.

    A conversation's last answer may end with another one than those before it, which say only that the next message begins. Where the model
    stops at one of both, as `configured` says, it is that.
    """
    written: list[str] = []
    for conversation in (_PROBE, _PROBE[:2]):  # some know one turn only
        try:
            found = answers.written(conversation, (), [1])
        except UserError:
            continue
        token = answers.last_token(found.text[slice(*found.answers[1])])
        written += [token] if token else []
    return next((token for token in written if token in configured), written[0] if written else None)


def all_ends(chat: ChatTokenizer) -> frozenset[int]:
    """Ids of all tokens at which the model has to stop."""
    return frozenset(ids_of(chat, chat.answers.ends))


def ids_of(chat: ChatTokenizer, texts: Collection[str]) -> list[int]:
    """Their ids in the vocabulary, in order."""
    found = (chat.tokenizer.backend_tokenizer.token_to_id(text) for text in texts)
    return sorted(number for number in found if number is not None)


def write_ends(directory: Path, chat: ChatTokenizer) -> None:
    """Have the model in `directory` name all of them in its generation_config.json, where everything that generates looks for them."""
    path = directory / _GENERATION
    generation = read_object(path)
    wanted = sorted(all_ends(chat) | set(_ids(generation.get("eos_token_id"))))
    if wanted and wanted != sorted(_ids(generation.get("eos_token_id"))):
        generation["eos_token_id"] = wanted if len(wanted) > 1 else wanted[0]
        path.write_text(json.dumps(generation, indent=2) + "\n", encoding="utf-8")


def unnamed_end(chat: ChatTokenizer) -> str:
    """A sentence for a model whose template ends turns with a token that its files don't name; empty for others."""
    if chat.turn_end is None or chat.turn_end in chat.configured:
        return ""
    named = ", ".join(sorted(chat.configured)) or "none"
    return (
        f"the chat template ends turns with {chat.turn_end}, which is none of the tokens at which the model stops ({named}); what is made "
        "here names it as well, but other programs that serve the base model would not stop at it"
    )


def _ids(value: Any) -> list[int]:
    return [number for number in (value if isinstance(value, list) else [value]) if isinstance(number, int)]


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is none that can be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(found) if isinstance(found, Mapping) else {}
