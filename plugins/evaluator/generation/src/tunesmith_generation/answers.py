"""Answers of an endpoint, kept as they come: a step that was killed asks only for those that are missing.

A request that the endpoint refuses is one answer that failed; it is not kept, and asked again when the step is resumed. A server that can't
be reached ends the step, which keeps what it has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Step, TunesmithError
from tunesmith_generation.questions import Question
from tunesmith_generation.settings import RequestSettings
from tunesmith_serve import Endpoint

KEPT, ASKED = "answers.jsonl", "asked.json"  #: in the step's work folder; beside the metrics
THINKING, THOUGHT = "<think>", "</think>"  # what reasoning models write around what is no answer


@dataclass(frozen=True)
class Answer:
    """Args:
    text: what was answered, without reasoning before it.
    cut: it ends where `max_tokens` ended it.
    missing: `failed` or `unparsed` where there is none, empty where there is one.
    why: what is known of that.
    """

    text: str
    cut: bool = False
    missing: str = ""
    why: str = ""


def request_bodies(asked: Sequence[Question], settings: RequestSettings, seed: int) -> list[dict[str, Any]]:
    usual: dict[str, Any] = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
    return [
        {
            "messages": one.messages, **usual, **({"tools": one.tools} if one.tools else {}),
            **({"seed": seed + place} if settings.temperature else {}),
        }
        for place, one in enumerate(asked)
    ]  # fmt: skip


def ask(
    subject: Artifact, bodies: Sequence[Mapping[str, Any]], settings: RequestSettings, step: Step, *, kept: str = KEPT, what: str = "asking"
) -> list[Answer]:  # fmt: skip
    """The answers, in the requests' order.

    Args:
        kept: name of the file of answers in the step's work folder; `forget` removes it.

    Raises:
        TunesmithError: TS-SERVE-020 to 022, as `Endpoint.ask_all`, but for a request that is refused for what is in it.
    """
    names = [f"{place}:{digest(body)}" for place, body in enumerate(bodies)]
    found = _read(step.work / kept)
    missing = [place for place, name in enumerate(names) if name not in found]
    if len(missing) < len(names):
        step.log(f"{len(names) - len(missing)} of {len(names)} answers are there from before")
    endpoint = Endpoint(subject, timeout=settings.timeout, retries=settings.max_retries, shorten="max_tokens", model=settings.model)
    failed: dict[str, Answer] = {}
    step.work.mkdir(parents=True, exist_ok=True)
    with open(step.work / kept, "a", encoding="utf-8") as lines:
        if lines.tell():
            lines.write("\n")  # after a line that a kill has torn
        for at, reply in endpoint.ask_each(
            "/chat/completions", [bodies[place] for place in missing], step, concurrency=settings.concurrency, what=what, unit="questions"
        ):
            name = names[missing[at]]
            if isinstance(reply, TunesmithError):
                failed[name] = Answer("", missing="failed", why=f"{reply.what}: {reply.why}"[:300])
                continue
            found[name] = answer_of(reply)
            lines.write(json.dumps({"name": name, **vars(found[name])}) + "\n")
            lines.flush()
    return [found.get(name) or failed[name] for name in names]


def forget(step: Step, kept: str = KEPT) -> None:
    """What was kept for a resume is in the result now."""
    (step.work / kept).unlink(missing_ok=True)


def write_asked(bodies: Sequence[Mapping[str, Any]], step: Step) -> None:
    """What was asked: a digest, which two results share where the same was asked in the same way, and the first request."""
    told = {"digest": digest(list(bodies)), "questions": len(bodies), "first": bodies[0]}
    (step.output / ASKED).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _read(path: Path) -> dict[str, Answer]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            told = json.loads(line)
            name = told.pop("name")
            found[name] = Answer(**told)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # torn by a kill
    return found


def answer_of(reply: Any) -> Answer:
    """What a chat completion says, without the reasoning before it.

    Raises:
        TunesmithError: TS-SERVE-022 where it is no chat completion.
    """
    try:
        choice = reply["choices"][0]
        text, end = choice["message"].get("content") or "", choice.get("finish_reason")
    except (LookupError, TypeError, AttributeError) as error:
        raise TunesmithError("TS-SERVE-022", "The endpoint's reply is not a chat completion", why=str(reply)[:200],
                             fix="Is the endpoint an OpenAI-compatible one?") from error  # fmt: skip
    if end == "content_filter":
        return Answer(text, missing="failed", why="the endpoint's filter has withheld it")
    _, ended, after = text.rpartition(THOUGHT)
    if not ended and text.lstrip().startswith(THINKING):
        return Answer("", cut=True) if end == "length" else Answer(text, missing="unparsed", why="it is reasoning without an answer")
    return Answer(after.lstrip() if ended else text, cut=end == "length")
