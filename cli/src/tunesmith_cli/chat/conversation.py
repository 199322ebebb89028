"""A conversation in a terminal, or one question and its answer in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_cli.chat.client import ChatClient
from tunesmith_cli.errors import colored, complain
from tunesmith_cli.translation.catalogs import translated
from tunesmith_cli.untrusted_text import safe

_HELP = "/reset begins anew, /system TEXT sets the system prompt, /exit or Ctrl-D ends; Ctrl-C stops an answer."


class ChatSession:
    """What was said so far. `options` go with every request."""

    def __init__(self, client: ChatClient, system: str = "", options: Mapping[str, Any] | None = None) -> None:
        self.client, self.system, self.options = client, system, dict(options or {})
        self.turns: list[dict[str, str]] = []

    def ask(self, text: str, show: bool = True) -> str:
        """The answer to the next turn, shown while it comes. A turn that fails is as if it had not been asked."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        question = {"role": "user", "content": text}
        pieces: list[str] = []
        try:
            for piece in self.client.stream([*system, *self.turns, question], **self.options):
                pieces.append(piece)
                if show:
                    print(safe(piece) if sys.stdout.isatty() else piece, end="", flush=True)
        except KeyboardInterrupt:
            if not pieces:
                raise
        finally:
            if show and pieces:
                print(flush=True)
        answer = "".join(pieces)
        self.turns += [question, {"role": "assistant", "content": answer}]
        return answer

    def converse(self) -> None:
        """Ask for turns until the user has had enough."""
        with suppress(ImportError):
            import readline  # noqa: F401  # makes `input` a line editor with a history
        print(translated(f"{self.client.model} at {self.client.url}\n{_HELP}") + "\n", file=sys.stderr)
        prompt = "\001\x1b[1m\002> \001\x1b[0m\002" if colored(sys.stdout) else "> "
        while True:
            try:
                text = input(prompt).strip()
            except (EOFError, KeyboardInterrupt):
                print()
                return
            word, _, rest = text.partition(" ")
            if word in ("/exit", "/quit", "/bye"):
                return
            if word in ("/reset", "/system"):
                self.turns.clear()
                self.system = rest if word == "/system" else self.system
            elif text.startswith("/"):
                print(translated(_HELP), file=sys.stderr)
            elif text:
                self._turn(text)

    def _turn(self, text: str) -> None:
        try:
            self.ask(text)
        except KeyboardInterrupt:
            print()
        except TunesmithError as error:
            complain(error)  # the next turn may fare better
