"""A Modelfile's text. Source: the grammar in Ollama's page on it, and its package parser."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import UserError

Instruction = tuple[str, str]  #: ``("TEMPLATE", text)``, ``("PARAMETER stop", text)``


def modelfile(instructions: Sequence[Instruction]) -> str:
    """
    Raises:
        UserError: TS-EXPORT-002 for a text that can't stand in it.
    """
    return "".join(f"{name} {_quoted(name, text)}\n" for name, text in instructions)


def _quoted(name: str, text: str) -> str:
    if unreadable := sorted({letter for letter in text if not (letter.isprintable() or letter in "\n\t")}):
        raise _cannot(name, f"Ollama's reader drops what can't be printed: {', '.join(f'U+{ord(letter):04X}' for letter in unreadable)}.")
    if '"""' in text:
        raise _cannot(name, 'Three quotes (""") end a text there, and there is no way to write them.')
    if name == "FROM" or (name.startswith("PARAMETER") and not name.endswith("stop")):
        return text
    return f'"{text}"' if name.endswith("stop") and '"' not in text and "\n" not in text else f'"""{text}"""'


def _cannot(name: str, why: str) -> UserError:
    return UserError("TS-EXPORT-002", f"The text of {name} can't stand in a Modelfile", why=why, fix="Give another text.")
