"""A shell script that starts a training -> a configuration: options of the command, and the variables that are set for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError
from tunesmith.planning.pipeline.yaml_lines import load_lines
from tunesmith_import.configuration.configuration import Configuration, Entry

#: what starts a training, by its first words
_STARTS = (
    (("swift", "megatron"), ("sft", "pt", "rlhf", "export", "infer", "deploy", "eval", "rollout", "app", "sample")),
    (("llamafactory-cli", "lmf"), ("train", "export", "chat", "api", "webchat", "eval")),
    (("trl",), ("sft", "dpo", "kto", "reward", "grpo", "rloo", "distillation", "orpo", "cpo")),
    (("axolotl",), ("train", "preprocess", "merge-lora", "evaluate", "inference")),
    (("tune",), ("run",)),
)
_SCRIPT = re.compile(r"(?:.*/)?(?:cli/)?(sft|pt|rlhf|dpo|kto|reward|grpo|rloo|train)(?:_llm)?\.py")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
#: launchers' options that say in how many processes
_PROCESSES = ("nproc_per_node", "num_processes", "num_gpus")


def command_of(path: Path, text: str) -> Configuration:
    """
    Raises:
        UserError: TS-IMPORT-001 when it starts no training that is known, or several.
    """
    variables: dict[str, str] = {}
    found: list[tuple[int, list[str], dict[str, str]]] = []
    for line, written in _commands(text):
        words = _words(written, variables, path, line)
        here: dict[str, str] = {}
        words = words[1:] if words[:1] in (["export"], ["env"]) else words
        while words and (said := _ASSIGNMENT.fullmatch(words[0])):
            here[said[1]] = said[2]
            words = words[1:]
        if not words:
            variables |= here
        elif _start(words):
            found.append((line, words, {**variables, **here}))
    if len(found) != 1:
        lines = ", ".join(str(line) for line, *_ in found)
        what = f"{path} starts several trainings, in lines {lines}" if found else f"{path} starts no training that is known"
        fix = (
            "Put each into a file of its own."
            if found
            else "Name a script with a command such as `swift sft --model ...`, or a file of keys."
        )
        raise UserError("TS-IMPORT-001", what, fix=fix)
    line, words, environment = found[0]
    command, rest, launcher = _start(words)
    return Configuration(path, tuple(_options(rest, path, text, line)), "command", command, {**environment, **launcher})


def _commands(text: str) -> Iterator[tuple[int, str]]:
    """Commands with their first lines: what ends in a backslash goes on, comments are left out."""
    written, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("#"):
            continue
        first = first or number
        if bare.endswith("\\"):
            written += bare[:-1] + " "
            continue
        written += bare
        if written.count("'") % 2 or written.count('"') % 2:  # a text over several lines
            written += " "
            continue
        if written.strip():
            yield first, written
        written, first = "", 0
    if written.strip():
        yield first, written


def _words(written: str, variables: dict[str, str], path: Path, line: int) -> list[str]:
    text = re.sub(r"\$\{?([A-Za-z_]\w*)\}?", lambda said: variables.get(said[1], said[0]), written)
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UserError("TS-IMPORT-001", f"{path}:{line}: {error}", fix="Write it as a shell would take it.") from None


def _start(words: Sequence[str]) -> Any:
    """The command with its options, and what its launcher says; nothing for a command that trains nothing."""
    for index, word in enumerate(words):
        name, following = word.rpartition("/")[2], words[index + 1] if index + 1 < len(words) else ""
        for programs, verbs in _STARTS:
            if name in programs and following in verbs:
                return f"{programs[0] if name != 'megatron' else name} {following}", list(words[index + 2 :]), _launched(words[:index])
        if said := re.fullmatch(r"swift\.cli\.(\w+)|axolotl\.cli\.(\w+)", word):
            return (f"swift {said[1]}" if said[1] else f"axolotl {said[2]}"), list(words[index + 1 :]), _launched(words[:index])
        if index and (said := _SCRIPT.fullmatch(word)):
            return f"python {said[1]}", list(words[index + 1 :]), _launched(words[:index])
    return None


def _launched(words: Sequence[str]) -> dict[str, str]:
    for index, word in enumerate(words):
        name, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and name.replace("-", "_") in _PROCESSES:
            return {"num_processes": value if equals else words[index + 1] if index + 1 < len(words) else ""}
    return {}


def _options(words: Sequence[str], path: Path, text: str, first: int) -> Iterator[Entry]:
    """``--name value``, ``--name=value``, ``--name`` alone, ``name=value``, and what stands by itself as ``$1``, ``$2``."""
    seen: dict[str, int] = {}
    index, places = 0, 0
    while index < len(words):
        word = words[index]
        index += 1
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            values = [value] if equals else []
            while not equals and index < len(words) and not words[index].startswith("--"):
                values.append(words[index])
                index += 1
            shown, found = word.partition("=")[0], _value(values)
        elif said := re.fullmatch(r"([\w.]+)=(.*)", word, re.DOTALL):
            name, shown, found = said[1], said[1] + "=", _value([said[2]])
        else:
            places += 1
            name, shown, found = f"${places}", word, word
        name = name.replace("-", "_")
        line = _line(text, shown, first)
        if name in seen:
            fix = "Leave one of them out: the last one counts there."
            raise UserError("TS-IMPORT-001", f"{path}: `{name}` is given twice, in lines {seen[name]} and {line}", fix=fix)
        seen[name] = line
        yield Entry(name, found, line, path.name)


def _line(text: str, shown: str, first: int) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if number >= first and re.search(rf"(?<![\w-]){re.escape(shown)}(?![\w-])", line):
            return number
    return first


def _value(words: Sequence[str]) -> Any:
    if not words:
        return True
    found = [_scalar(word) for word in words]
    return found[0] if len(found) == 1 else found


def _scalar(word: str) -> Any:
    """A number, yes or no, JSON, or the text."""
    if not re.fullmatch(r"[-+.\deE]+|true|false|null|True|False|None|\{.*\}|\[.*\]", word, re.DOTALL):
        return word
    try:
        return None if word == "None" else load_lines(word, "an option")[0]
    except UserError:
        return word
