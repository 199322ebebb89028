"""The process that a reward or an environment runs in. It speaks JSON, a message a line, over a socket that it inherits; its standard
output is its log's.

From it, once: ``{"ready": true, "batches": false}`` or ``{"error": {...}}``. Messages to a reward: ``{"prompts": [...],
"completions": [...], "rows": [...], "singly": false}``; to an environment: ``{"calls": [...]}`` (see `Episodes`). From a reward then, for
each row, ``{"at": 0, "value": 0.5}`` or ``{"at": 0, "failure": "..."}``; for a batch that gave no list of answers ``{"broken": "..."}``.
From either, at the end, ``{"over": true}``.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_rewards.runner.episodes import Episodes

_Send = Callable[[Mapping[str, Any]], None]


def main() -> None:
    """``worker FD SPEC``: the socket's descriptor; target, settings class, settings and distribution as JSON."""
    descriptor, spec = int(sys.argv[1]), json.loads(sys.argv[2])
    os.dup2(2, 1)  # what a reward prints goes to the log, and is no answer
    connection = socket.socket(fileno=descriptor)
    connection.setblocking(True)
    stream = connection.makefile("rw", encoding="utf-8", newline="\n")

    def send(message: Mapping[str, Any]) -> None:
        stream.write(json.dumps(message) + "\n")
        stream.flush()

    made = _built(spec, send)
    send({"ready": True, "batches": _batches(made)})
    asked: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(connection.dup(), asked), daemon=True).start()
    while True:
        message = json.loads(asked.get())
        if isinstance(made, Episodes):
            made.answer(message, send)
        elif message["singly"] or not _batches(made):
            _singly(made, message, send)
        else:
            _at_once(made, message, send)
        send({"over": True})


def _listen(connection: socket.socket, asked: queue.Queue[str]) -> None:
    """Takes messages down; when the other side is gone, the process ends at once, whatever its reward is doing."""
    try:
        for line in connection.makefile("r", encoding="utf-8", newline="\n"):
            asked.put(line)
    finally:
        os._exit(0)


def _built(spec: Mapping[str, Any], send: _Send) -> Any:
    from tunesmith.isolation.provider_import import build_provider

    def make() -> Any:
        return build_provider(spec["target"], spec["settings_class"], spec["settings"], spec["distribution"])

    try:
        return Episodes(make, reason) if spec["kind"] == "rl_environment" else make()
    except TunesmithError as error:
        send({"error": error.to_json()})
    except Exception as error:
        send({"error": not_made(spec["kind"], spec["name"], f"{type(error).__name__}: {error}").to_json()})
    raise SystemExit(1)


def not_made(kind: str, name: str, why: str) -> TunesmithError:
    """The error of one that can't be made."""
    if kind == "rl_environment":
        return TunesmithError("TS-REWARD-013", f"the environment `{name}` can't be made", why=why, fix="See docs/errors/TS-REWARD-013.")
    return TunesmithError("TS-REWARD-003", f"the reward `{name}` can't be made", why=why, fix="See docs/errors/TS-REWARD-003.")


def _batches(reward: Any) -> bool:
    return callable(getattr(reward, "score_batch", None))


def _singly(reward: Any, message: Mapping[str, Any], send: _Send) -> None:
    from tunesmith_rewards.api.score import number

    for at, asked in enumerate(zip(message["prompts"], message["completions"], message["rows"], strict=True)):
        try:
            value, failure = number(reward.score(*asked))
        except Exception as error:
            value, failure = None, reason(error)
        send({"at": at, "failure": failure} if failure else {"at": at, "value": value})


def _at_once(reward: Any, message: Mapping[str, Any], send: _Send) -> None:
    from tunesmith_rewards.api.score import number

    try:
        said = list(reward.score_batch(message["prompts"], message["completions"], message["rows"]))
    except Exception as error:
        return send({"broken": reason(error)})
    if len(said) != len(message["completions"]):
        return send({"broken": f"it gave {len(said)} answers for {len(message['completions'])} completions"})
    for at, one in enumerate(said):
        value, failure = number(one)
        send({"at": at, "failure": failure} if failure else {"at": at, "value": value})
    return None


def reason(error: Exception) -> str:
    """Why a reward has failed, in one line."""
    what = getattr(error, "what", None)
    text = f"{error.code}: {what}. {getattr(error, 'why', '')}" if what and hasattr(error, "code") else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:300]
