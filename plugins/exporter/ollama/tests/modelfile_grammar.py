"""Reads a Modelfile as Ollama does: a rewrite in Python of the state machine in its package parser (MIT), letter by letter."""

from __future__ import annotations

COMMANDS = {"from", "license", "template", "system", "adapter", "parameter", "message", "draft", "renderer", "parser", "requires"}


def read(text: str) -> list[tuple[str, str]]:
    """(command or parameter, value) in the file's order.

    Raises:
        ValueError: Ollama would not read it.
    """
    found: list[tuple[str, str]] = []
    state, name, buffer = "nil", "", ""
    for letter in text:
        new, kept = _next(state, letter)
        if new != state:
            if state == "name":
                if buffer.lower() not in COMMANDS:
                    raise ValueError(f"unknown instruction {buffer}")
                name = buffer.lower()
                new = "parameter" if name == "parameter" else new
            elif state == "parameter":
                name = buffer
            elif state == "value":
                value = _unquoted(buffer.strip())
                if value is None or letter in " \t":
                    buffer += letter
                    continue
                found.append((name, value))
            buffer, state = "", new
        if kept and letter.isprintable():
            buffer += letter
    if state == "value":
        if (value := _unquoted(buffer.strip())) is None:
            raise ValueError("a quote is not closed")
        found.append((name, value))
    elif state not in ("nil", "comment"):
        raise ValueError("it ends too early")
    if "from" not in dict(found):
        raise ValueError("no FROM line")
    return found


def _next(state: str, letter: str) -> tuple[str, bool]:
    space, line = letter in " \t", letter in "\r\n"
    if state == "nil":
        return ("comment", False) if letter == "#" else ("nil", False) if space or line else ("name", True)
    if state == "comment":
        return ("nil" if line else "comment"), False
    if state == "value":
        return ("nil" if space or line else "value"), True
    if space:
        return "value", False
    if letter.isascii() and (letter.isalpha() or (state == "parameter" and (letter.isdigit() or letter == "_"))):
        return state, True
    raise ValueError(f"{letter!r} in an instruction's name")


def _unquoted(text: str) -> str | None:
    if text.startswith('"""'):
        return text[3:-3] if len(text) >= 6 and text.endswith('"""') else None
    if text.startswith('"'):
        return text[1:-1] if len(text) >= 2 and text.endswith('"') else None
    return text
