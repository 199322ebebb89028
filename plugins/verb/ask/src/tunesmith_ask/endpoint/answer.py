"""A sentence, read by a language model whose answer can be nothing but a request for what is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tunesmith.contracts.settings import problems
from tunesmith.errors import TunesmithError
from tunesmith_ask.endpoint.client import Endpoint
from tunesmith_ask.endpoint.schema import request_schema, rows_files
from tunesmith_ask.request import Request
from tunesmith_ask.vocabulary import Vocabulary

_TASK = """You turn a sentence about training a language model into JSON. Take only what the sentence says, and leave the rest empty:
"" for names, 0 for minutes, [] for lists.
data: the file of rows. card, cards: accelerators and how many. goal: quality, speed, memory or edge (a phone or a board).
minutes: that training may take. model: the base model. providers: methods that are named.
settings: values that are named, such as r (rank), num_train_epochs (epochs), learning_rate.
Methods:
"""


def read(sentence: str, known: Vocabulary, folder: Path, endpoint: Endpoint) -> Request:
    """
    Args:
        known: what may be named.
        folder: that files are named from.

    Raises:
        TunesmithError: TS-ASK-003 when the endpoint can't be asked, TS-ASK-004 when it does not keep to the schema.
    """
    schema = request_schema(known, rows_files(folder))
    methods = "\n".join(f"{kind}.{name}: {record.summary}" for (kind, name), record in known.providers.items())
    messages = [{"role": "system", "content": _TASK + methods}, {"role": "user", "content": sentence}]
    return request_of(endpoint.answer(messages, schema), schema, known.sizes)


def request_of(text: str, schema: dict[str, Any], sizes: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> Request:
    """What an answer asks for.

    Args:
        sizes: a card's name that leaves its memory open -> the cards that it may mean.

    Raises:
        TunesmithError: TS-ASK-004 when it does not fit the schema.
    """
    try:
        said = json.loads(text)
        wrong = next((f"`{path}` {sentence}" for path, sentence in problems(schema, said)), "")
    except ValueError:
        said, wrong = {}, f"It is no JSON: {text[:80]}"
    if wrong:
        raise TunesmithError(
            "TS-ASK-004", "the endpoint's answer is no request", why=wrong,
            fix="Use an endpoint that keeps answers to a JSON schema (response_format); without --endpoint the sentence is read by rules.",
        )  # fmt: skip
    named: dict[str, str] = {}
    settings: dict[str, Any] = {}
    other: list[str] = []  # what is set of a provider beside the one that is asked for
    owners = [one["of"] for one in said["settings"] if "." in one["of"]]
    for kind, _, name in (each.partition(".") for each in (*said["providers"], *owners)):
        named.setdefault(kind, name)
    for one in said["settings"]:
        kind, _, name = one["of"].partition(".")
        if named.get(kind, name) == name:
            settings.setdefault(one["setting"], one["value"])
        else:
            other.append(f"{one['setting']} of {one['of']}")
    times = f"{said['cards']}x" if said["cards"] > 1 else ""
    card, either = said["card"] and f"{times}{said['card']}", tuple(f"{times}{one}" for one in sizes.get(said["card"], ()))
    return Request(
        said["data"], card, said["goal"], said["minutes"] * 60.0, said["model"], named, settings, either=either, unknown=tuple(other)
    )
