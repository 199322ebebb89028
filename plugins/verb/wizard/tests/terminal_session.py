"""A real pseudo-terminal with a program in it, and the screen that somebody in front of it sees."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pexpect
import pyte

UP, DOWN, ENTER, SPACE, CTRL_C, CTRL_D = "\x1b[A", "\x1b[B", "\r", " ", "\x03", "\x04"


class TerminalSession:
    """
    Args:
        heard: is given what the program writes, with the seconds since it began: for a recording.
    """

    def __init__(
        self, words: list[str], folder: Path, variables: Mapping[str, str], *, columns: int = 80, lines: int = 50,
        heard: Callable[[float, str], None] | None = None,
    ) -> None:  # fmt: skip
        env = {**os.environ, "TERM": "xterm-256color", **variables, "LINES": str(lines)}
        env.pop("COLUMNS", None)
        self._began, self._heard = time.monotonic(), heard
        self.program = pexpect.spawn(words[0], words[1:], cwd=str(folder), env=env, dimensions=(lines, columns), encoding="utf-8",
                                     codec_errors="replace", echo=True)  # fmt: skip
        self.screen = pyte.HistoryScreen(columns, lines, history=5000, ratio=0.5)
        self.screen.write_process_input = self.program.send  # answers to questions about the cursor's place
        self._stream = pyte.Stream(self.screen)
        self.all = ""  #: everything that was written

    def read(self, seconds: float = 0.2) -> bool:
        """Take in what is written within so many seconds; False when the program has ended."""
        try:
            text = self.program.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.all += text
        if self._heard:
            self._heard(time.monotonic() - self._began, text)
        self._stream.feed(text)
        return True

    @property
    def shown(self) -> str:
        """The screen as text."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def history(self) -> str:
        """All lines: what has gone above the screen, and the screen."""
        above = ["".join(row[column].data for column in range(self.screen.columns)).rstrip() for row in self.screen.history.top]
        return "\n".join([*above, self.shown])

    def wait(self, text: str, seconds: float = 60) -> None:
        """Until the end of the screen shows something."""
        until = time.monotonic() + seconds
        while text not in _joined(self.shown):
            if not self.read() or time.monotonic() > until:
                while self.read(0.1) and time.monotonic() < until:
                    pass
                if text in _joined(self.shown):
                    return
                raise AssertionError(f"`{text}` is not shown:\n{self.history}")

    def type(self, keys: str) -> None:
        self.program.send(keys)

    @property
    def asked(self) -> str:
        """The last question on the screen."""
        return next((line for line in reversed(self.shown.splitlines()) if line.startswith("? ")), "")

    def answer(self, question: str, keys: str, seconds: float = 60) -> None:
        """Wait until a question is the last one on the screen, and answer it."""
        until = time.monotonic() + seconds
        while question not in self.asked:
            if not self.read() or time.monotonic() > until:
                raise AssertionError(f"`{question}` is not asked:\n{self.history}")
        self.read(0.15)
        self.type(keys)

    def end(self, seconds: float = 60) -> int:
        """Wait for its end; gives its exit status."""
        until = time.monotonic() + seconds
        while self.read():
            if time.monotonic() > until:
                raise AssertionError(f"it does not end:\n{self.history}")
        self.program.close()
        return self.program.exitstatus if self.program.exitstatus is not None else -int(self.program.signalstatus or 0)

    def kill(self) -> None:
        self.program.close(force=True)


def _joined(screen: str) -> str:
    """The screen with its wrapped lines as one, so that a sentence is found wherever it is broken."""
    return " ".join(screen.split()) + "\n" + "".join(screen.split())
