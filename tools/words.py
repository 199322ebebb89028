"""Holds names of files, of settings and in code, help, errors and pages to docs/words.md, which says what is not written and what instead.

python tools/words.py
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import tomllib

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "words.md"
#: what others wrote, or what is written of the past
LEFT_OUT = re.compile(r"CHANGELOG|METHODS\.md|\.zh-CN\.|docs/words\.md|docs/finding-code\.md|tests/compatibility/installed")


class Rule(NamedTuple):
    """What is not written, and what is."""

    word: str
    instead: str


def rules(page: str, section: str) -> list[Rule]:
    """Those of a section's table: what stands in backticks in the last column, with the first."""
    part = page.partition(f"## {section}\n")[2].partition("\n## ")[0]
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|"))
    wanted = 1 if "| instead of |" in part else 0
    return [Rule(word, row[wanted].replace("`", "")) for row in cells for word in re.findall(r"`([^`]+)`", row[-1])]


def names(files: list[str], banned: list[Rule]) -> Iterator[str]:
    """Modules and folders whose name has one of the words as a part."""
    for file in files:
        for part in Path(file).with_suffix("").parts:
            for rule in banned:
                if "/src/" in file and rule.word in part.split("_"):
                    yield f"{file}: the name `{part}` says `{rule.word}`; write {rule.instead}"


def settings(file: str, banned: list[Rule], python: list[Rule]) -> Iterator[str]:
    """The settings of a manifest: their names, and Python's words in their help."""
    for record in tomllib.loads((ROOT / file).read_text(encoding="utf-8")).get("providers", ()):
        entries: Mapping[str, Any] = record.get("schema", {}).get("properties", {})
        for name, entry in entries.items():
            place = f"{file}: {record['kind']} {record['name']}: `{name}`"
            yield from (f"{place}; write {rule.instead}" for rule in banned if rule.word == name)
            yield from (f"{place}: its help {told}" for told in found(entry.get("description", ""), python, ignore_case=False))


@lru_cache(maxsize=1)  # of the module that is looked at, in which two look
def nodes(tree: ast.Module) -> list[ast.AST]:
    return list(ast.walk(tree))


def code(tree: ast.Module, file: str, banned: list[Rule]) -> Iterator[str]:
    """Variables, parameters and classes of a module that have one of the names."""
    instead = {rule.word: rule.instead for rule in banned}
    for node in nodes(tree):
        name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else ""
        name = node.name if isinstance(node, ast.ClassDef) else name
        if name in instead:
            yield f"{file}:{node.lineno}: the name `{name}`; write {instead[name]}"  # type: ignore[attr-defined]


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, text) of what a person reads of a module: its texts that are no docstrings."""
    docstrings: set[int] = set()  # walked from the outside in: a body is met before what it holds
    for node in nodes(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.body and isinstance(node.body[0], ast.Expr):
                docstrings.add(id(node.body[0].value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings and " " in node.value:
            yield node.lineno, node.value


@cache
def _any_of(words: tuple[str, ...], ignore_case: bool) -> re.Pattern[str]:
    every = "|".join(map(re.escape, words))
    return re.compile(rf"(?<![\w.-])(?:{every})(?![\w-])" if words else r"(?!)", re.IGNORECASE if ignore_case else 0)


def found(text: str, banned: list[Rule], ignore_case: bool = True) -> Iterator[str]:
    if _any_of(tuple(rule.word for rule in banned), ignore_case).search(text):  # in most texts there is none
        for rule in banned:
            if _any_of((rule.word,), ignore_case).search(text):
                yield f"says `{rule.word}`; write {rule.instead}"


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [f for f in listed if not LEFT_OUT.search(f) and (ROOT / f).is_file()]
    told = list(names([f for f in files if f.endswith(".py")], rules(page, "Names of files")))
    in_texts, in_code = rules(page, "In texts"), rules(page, "Names in code")
    in_settings, in_help = rules(page, "Names of settings"), rules(page, "Python's words in help")
    for file in files:
        read: Iterable[tuple[int, str]] = ()
        if file.endswith("plugin.toml"):
            told += settings(file, in_settings, in_help)
        elif file.endswith(".md"):
            read = enumerate((ROOT / file).read_text(encoding="utf-8").splitlines(), 1)
        elif file.endswith(".py") and "/src/" in file:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            read = texts(tree)
            told += code(tree, file, in_code)
        told += [f"{file}:{line}: {what}" for line, text in read for what in found(text, in_texts)]
    print("\n".join(told) or "every word is one of docs/words.md")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
