"""Turns as a template of Go's text/template, with Ollama's names (`.Messages`, `.Role`, `.Content`).

Source: Ollama's page on templates, and `Template.Execute` of its package template: a template that names `.Messages` is given all of them.
"""

from __future__ import annotations

import re

from tunesmith_ollama.turns import Turns


def go_template(turns: Turns) -> str:
    """One line for each kind of message would add line breaks to the text, so it is one expression."""
    user = literal(turns.user[0])
    if turns.joined and turns.system and user:
        user = '{{ if not (and (eq $i 1) (eq (index $.Messages 0).Role "system")) }}' + user + "{{ end }}"
    head = '{{ if and (eq $i 0) (ne .Role "system") }}' + literal(turns.head) + "{{ end }}" if turns.head else ""
    said = {
        **({"system": literal(turns.system[0]) + "{{ .Content }}" + literal(turns.system[1])} if turns.system else {}),
        "user": user + "{{ .Content }}" + literal(turns.user[1]),
        "assistant": literal(turns.assistant[0]) + "{{ .Content }}" + literal(turns.assistant[1]),
    }
    roles = "{{ else ".join(f'if eq .Role "{role}" }}}}{text}' for role, text in said.items())
    return "{{- range $i, $_ := .Messages }}" + head + "{{ " + roles + "{{ end }}{{ end }}" + literal(turns.generation)


def literal(text: str) -> str:
    """Text as it stands in a template and in a Modelfile: what means something there, and what Ollama's reader drops since it can't be
    printed, is written as a string in an action."""
    return re.sub(r'"""|[^\n\t ]', lambda found: found[0] if _plain(found[0]) else _action(found[0]), text)


def _plain(text: str) -> bool:
    """As strconv.IsPrint of Go has it."""
    return len(text) == 1 and text.isprintable() and text != "{"


def _action(text: str) -> str:
    return '{{ "' + "".join(_escaped(letter) for letter in text) + '" }}'


def _escaped(letter: str) -> str:
    if letter == '"':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
