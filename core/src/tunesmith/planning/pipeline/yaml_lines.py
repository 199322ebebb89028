"""YAML text -> plain values, with the line of each.

By YAML 1.2's rules: ``no`` and ``on`` are words and ``1e-4`` is a number, where PyYAML's own rules of 2005 have it the other way round.
A key that is there twice is an error, not the last one's win.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tunesmith.errors import TunesmithError, UserError

_TAG = "tag:yaml.org,2002:"
_MOST_VALUES = 100_000  # an alias in an alias in an alias grows without end
_DEEPEST = 100

Path = tuple[Any, ...]

try:
    from yaml._yaml import CParser  # what yaml.CSafeLoader is made of
except ImportError:
    CParser = None


class _Resolver(yaml.resolver.BaseResolver):
    """The core schema of YAML 1.2."""


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]{1,18}|0x[0-9a-fA-F]{1,15}", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Resolver.add_implicit_resolver(_TAG + _tag, re.compile(rf"(?:{_pattern})\Z", re.ASCII), [*_first, *([""] if _tag == "null" else [])])


if CParser is not None:

    class _Composer(CParser, _Resolver):  # type: ignore[misc]
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            _Resolver.__init__(self)

else:

    class _Composer(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer, _Resolver):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)
            yaml.composer.Composer.__init__(self)
            _Resolver.__init__(self)


def load_lines(text: str, name: str) -> tuple[Any, Mapping[Path, int], Sequence[TunesmithError]]:
    """The document in `text`; for each path of keys and indices in it, its line from 1; and what is wrong with values that can be passed
    over: TS-SPEC-003 (a key twice; the first counts), TS-SPEC-005 (a key that is no text, a tag).

    Args:
        name: of the file, for errors.

    Raises:
        UserError: TS-SPEC-002 when it is not YAML, with line and column; TS-SPEC-005 when there is too much of everything.
    """
    try:
        _refuse_depth(text)
        composer = _Composer(text)
        try:
            node = composer.get_single_node()
        finally:
            composer.dispose()
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, name) from None
    except RecursionError:
        raise UserError("TS-SPEC-002", f"{name} is nested too deeply", fix="A pipeline needs a handful of levels.") from None
    reader = _NodeReader(name)
    value = None if node is None else reader.value(node, ())
    if reader.endless:
        raise reader.endless
    return value, reader.lines, reader.problems


def _refuse_depth(text: str) -> None:
    """The C library composes recursively and would end the process where Python raises RecursionError."""
    if CParser is None:
        return
    parser, depth = CParser(text), 0
    while parser.check_event():
        event = parser.get_event()
        depth += isinstance(event, yaml.events.CollectionStartEvent) - isinstance(event, yaml.events.CollectionEndEvent)
        if depth > _DEEPEST:
            raise RecursionError


class _NodeReader:
    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0
        self.lines: dict[Path, int] = {}
        self.open: set[int] = set()
        self.problems: list[TunesmithError] = []
        self.endless: TunesmithError | None = None

    def value(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.count += 1
        if self.count > _MOST_VALUES or len(self.open) > _DEEPEST or id(node) in self.open:
            what, fix = f"{self.name}:{line}: the document goes on without end", "It is too deep, or refers to itself (&, *)."
            self.endless = self.endless or UserError("TS-SPEC-005", what, fix=fix)
            return None
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, path)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self.open.discard(id(node))

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _TAG + "merge":
                merged |= self.merged(value_node, path)
                continue
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAG + "str":
                shown = f"`{key}`" if isinstance(key, str) and key else "a value"
                self.problem("TS-SPEC-005", line, f"{shown} stands where a name should", "Keys are text: put it in quotes.")
            elif key in found:
                first = self.lines[(*path, key)]
                what = "step" if path == ("steps",) else "key"
                self.problem("TS-SPEC-003", line, f"the {what} `{key}` is there twice; first in line {first}",
                             "Rename one of them, or remove it.")  # fmt: skip
            else:
                self.lines[(*path, key)] = line
                found[key] = self.value(value_node, (*path, key))
        return {key: value for key, value in merged.items() if key not in found} | found

    def merged(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        """The keys that ``<<: *alias`` brings; of several, the first has precedence."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values = [self.value(n, path) for n in reversed(nodes)]
        if not all(isinstance(v, dict) for v in values):
            self.problem("TS-SPEC-005", node.start_mark.line + 1, "`<<` takes in a mapping", "Give it the alias of one: `<<: *name`.")
            return {}
        return {key: item for value in values for key, item in value.items()}

    def scalar(self, node: yaml.ScalarNode) -> Any:
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            if kind == "int":
                return int(text, 16 if text.lower().startswith("0x") else 10)
            if kind == "float":
                number = float(text)
                return number if abs(number) != float("inf") else text
        except ValueError:
            return text
        if kind != "str":
            self.problem("TS-SPEC-005", node.start_mark.line + 1, f"the tag `{node.tag}` is not known here",
                         "Leave it out: pipelines are text, numbers, true and false, lists and mappings.")  # fmt: skip
        return text

    def problem(self, code: str, line: int, what: str, fix: str) -> None:
        self.problems.append(UserError(code, f"{self.name}:{line}: {what}", fix=fix))


def _syntax_error(error: yaml.YAMLError, text: str, name: str) -> UserError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    why = " ".join(part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part) or str(error)
    if mark is None:
        return UserError("TS-SPEC-002", f"{name} is not YAML: {str(error).splitlines()[0]}", fix="Save it as UTF-8 text.")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    fix = "Check indentation, colons, quotes and brackets just before this place."
    if "\t" in line[: len(line) - len(line.lstrip())]:
        fix = "Indent with spaces: YAML forbids tabs."
    elif re.search(r":\s+[>|]\s*=?\s*[0-9.]", line):
        fix = 'A bound goes in quotes: ">= 0.5".'
    what = f"{name}:{mark.line + 1}:{mark.column + 1}: not YAML" + (f": `{line.strip()}`" if line.strip() else "")
    return UserError("TS-SPEC-002", what, why=why, fix=fix)
