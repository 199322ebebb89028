"""The texts in Python source that somebody reads in a terminal, as templates: what a literal says, with `{name}` where a value goes."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

LEAST = 4  # letters that a template has beside its placeholders: what has fewer is no text
_PLACE = re.compile(r"\{\w+\}")
# a command, markup, a format, a style
_CODE = re.compile(r"^(tunesmith|curl|-H|--set) |=\"|\">|^\"|%[dBHM]| \| None$|^bold |^, from:|\{\{")
_MOST = 12  # alternatives of one text that has conditions in it

ERRORS = {"UserError", "TunesmithError", "problem", "StepFailed", "Cancelled", "DataError"}
#: function -> positions of its texts, where they are told by position; None: all
SENTENCES = {
    "plan": {"decide": None, "decision": None, "Decision": None, "warn": None, "extend": None},
    "progress": {"say": (0,)},
    "help": {
        "Command": (1, 2, 3, 4), "Entry": (1,), "add_argument_group": None, "Formatter": None,
    },
    "texts": {"gettext": (0,), "_": (0,)},
}  # fmt: skip
_KEYWORDS = {"help": {"help", "description"}, "errors": {"why", "fix", "what"}}


def templates(node: ast.expr | None) -> list[str]:
    """What an expression may say: its literal parts with placeholders; of conditions each of the alternatives."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else [""] if node.value is None else ["{value}"]
    if isinstance(node, ast.JoinedStr):
        return _joined([_part(part) for part in node.values])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined([templates(node.left), templates(node.right)])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):  # "s" * (count != 1)
        return [*templates(node.left), ""]
    if isinstance(node, ast.IfExp):
        return _unique([*templates(node.body), *templates(node.orelse)])
    if isinstance(node, ast.BoolOp):
        return _unique([text for value in node.values for text in templates(value)])
    return [f"{{{_name(node)}}}"]


def _part(part: ast.expr) -> list[str]:
    return templates(part.value) if isinstance(part, ast.FormattedValue) else templates(part)


def _joined(parts: list[list[str]]) -> list[str]:
    return _unique(["".join(texts) for texts in itertools.islice(itertools.product(*parts), _MOST)])


def _unique(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Name):
        return node.id.strip("_") or "value"
    if isinstance(node, ast.Attribute):
        return node.attr.strip("_") or "value"
    if isinstance(node, ast.Call):
        return _name(node.args[0] if node.args else node.func)
    if isinstance(node, ast.Subscript):
        key = node.slice
        return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier() else _name(node.value)
    return "value"


def numbered(text: str) -> str:
    """Placeholders that stand for different values have different names; one that comes twice is numbered."""
    seen: dict[str, int] = {}

    def name(found: re.Match[str]) -> str:
        word = found[0][1:-1]
        seen[word] = seen.get(word, 0) + 1
        return found[0] if seen[word] == 1 else f"{{{word}{seen[word]}}}"

    return _PLACE.sub(name, text)


def is_text(text: str) -> bool:
    """Whether there is something to translate: words, not a name, a path or a command alone."""
    if _CODE.search(text):
        return False
    bare = _PLACE.sub("", text)
    return sum(letter.isalpha() for letter in bare) >= LEAST and (" " in bare.strip() or bare.strip().isalpha())


def messages(path: Path, areas: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(area, template) of everything that a file says to somebody."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield from ((area, text) for area, text in _said(node, areas))


def _said(call: ast.Call, areas: frozenset[str]) -> Iterator[tuple[str, str]]:
    name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if "errors" in areas and (name in ERRORS or (call.args and _is_code(call.args[0]))):
        texts = [*call.args[1:3], *(word.value for word in call.keywords if word.arg in _KEYWORDS["errors"])]
        yield from (("errors", text) for one in texts for text in templates(one))
        return
    for area, functions in SENTENCES.items():
        if area in areas and name in functions:
            places = functions[name]
            for index, one in enumerate(call.args):
                if places is None or index in places:
                    yield from ((area, text) for each in _flat(one) for text in templates(each))
    if "help" in areas:
        yield from (("help", text) for word in call.keywords if word.arg in _KEYWORDS["help"] for text in templates(word.value))


def _is_code(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"TS-[A-Z]+-\d+", node.value) is not None


def _flat(node: ast.expr) -> Iterator[ast.expr]:
    """What stands in tuples and lists: a command's examples."""
    if isinstance(node, (ast.Tuple, ast.List)):
        for one in node.elts:
            yield from _flat(one)
    elif not isinstance(node, (ast.Name, ast.Attribute, ast.Starred)):
        yield node


def sentences(path: Path) -> Iterator[str]:
    """Every text in a module that is neither in a docstring nor an error's: for modules that say nothing but what somebody reads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body and isinstance(node.body[0], ast.Expr):
            passed.add(id(node.body[0].value))
        elif isinstance(node, ast.Call) and any(_said(node, frozenset({"errors"}))):
            passed |= {id(part) for part in ast.walk(node)}
    yield from _sentences(tree, passed)


def _sentences(node: ast.AST, passed: set[int]) -> Iterator[str]:
    if id(node) in passed:
        return
    if isinstance(node, (ast.JoinedStr, ast.Constant, ast.BinOp, ast.IfExp)):
        found = [text for text in templates(node) if " " in text.strip() and is_text(text) and "<" not in text and "\n" not in text]
        if found:
            yield from found
            return
    for inner in ast.iter_child_nodes(node):
        yield from _sentences(inner, passed)
