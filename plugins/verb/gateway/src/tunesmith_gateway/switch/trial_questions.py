"""Questions that a new version is asked before clients are: a smoke set that it has to answer, a shadow set that it has to answer well."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tunesmith.errors import Problems, UserError
from tunesmith_gateway.routing.upstream import Upstream

SMOKE: Sequence[Mapping[str, Any]] = ({"prompt": "Hello", "max_tokens": 8},)
EXPECTED = "expected"  # the field of a row that is not asked


class Refused(Exception):
    """A question that was not answered, and why."""


def read_questions(path: Path, expected: bool) -> list[dict[str, Any]]:
    """Rows of a JSONL file: requests of `/v1/chat/completions` or `/v1/completions` without a model's name.

    Args:
        expected: whether each says what its answer should be.

    Raises:
        Problems: TS-SERVE-047 for every line that is not as it should be.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("TS-SERVE-047", f"{path} can't be read", why=str(error), fix="Name a JSONL file.") from None
    rows, found = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or isinstance(row.get("messages"), list) == isinstance(row.get("prompt"), str):
            found.append(_wrong(f"{path}, line {number}, should be an object with `messages` or `prompt`"))
        elif expected and not isinstance(row.get(EXPECTED), str):
            found.append(_wrong(f'{path}, line {number}, should say what is expected: `"{EXPECTED}": "..."`'))
        else:
            rows.append(row)
    if not rows and not found:
        found.append(_wrong(f"{path} has no rows"))
    if found:
        raise Problems(found)
    return rows


async def ask(client: httpx.AsyncClient, upstream: Upstream, model: str, row: Mapping[str, Any], timeout: float) -> str:
    """The answer to a row, greedily where it does not say otherwise.

    Raises:
        Refused
    """
    body = {"temperature": 0, **{name: value for name, value in row.items() if name != EXPECTED}, "model": upstream.served_name(model)}
    route = "chat/completions" if "messages" in body else "completions"
    try:
        answer = await client.post(f"{upstream.url}/{route}", json={**body, "stream": False}, headers=upstream.headers(), timeout=timeout)
        if answer.status_code != 200:
            raise Refused(f"status {answer.status_code}: {answer.text[:200]}")
        choice = answer.json()["choices"][0]
        text = choice["message"]["content"] if "messages" in body else choice["text"]
    except httpx.HTTPError as error:
        raise Refused(f"{type(error).__name__} {error}".strip()) from None
    except (ValueError, LookupError, TypeError):
        raise Refused("its answer is not in the form of the API") from None
    if not text:
        raise Refused("it answers nothing")
    return str(text)


def _wrong(sentence: str) -> UserError:
    return UserError("TS-SERVE-047", sentence, fix="Write a request a line, such as the ones that clients send.")
