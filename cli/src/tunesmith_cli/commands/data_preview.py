"""`tunesmith data preview`: the rows of a file as the tokens that a model would learn from."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.previews import FILE, FORMAT
from tunesmith.errors import UserError
from tunesmith_cli.errors import colored
from tunesmith_cli.options.columns import add_columns, columns_given
from tunesmith_cli.options.settings import typed
from tunesmith_cli.untrusted_text import safe, safe_json

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}
_LEARNT, _GIVEN = ("30;42", "30;102"), ("2", "2;4")  # colours of tokens, in turns, so that one sees where each ends
_OPEN, _CLOSE, _BETWEEN = "⟦", "⟧", "·"  # the same without colours


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="rows in any format that a plugin reads; `data inspect` names it")
    parser.add_argument(
        "--model", required=True, metavar="URI", help="whose tokenizer and chat template: scheme://place, or a local directory"
    )
    add_columns(parser)
    parser.add_argument("--objective", default="", metavar="NAME", help="what would be learnt from the rows (default: what fits them)")
    parser.add_argument(
        "--row", type=typed(_COUNT), action="append", metavar="N", help="this row, from 1; give it again for more (default 1)"
    )
    parser.add_argument(
        "--max-length", type=typed(_COUNT), default=2048, metavar="N", help="tokens that training would take (default 2048)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON: an object a row, then one of statistics")


def run(args: Namespace) -> int:
    """Exit status 1 if a row can't be used or its labels look wrong."""
    from tunesmith.planning.spec import PipelineSpec
    from tunesmith.running.runner import Runner
    from tunesmith_cli.display import reporting
    from tunesmith_cli.launch import Session

    session = Session.open(beside=[args.file])
    verb = next((verb for verb in session.registry.providers("verb").values() if FORMAT in verb.produces), None)
    if verb is None:
        raise UserError("TS-PLAN-005", "No installed plugin shows rows as tokens", fix="Install one that trains.")
    columns = columns_given(args)
    _look_for(args.row or [1], args.file)
    data = {"path": str(args.file), "columns": columns} if columns else str(args.file)
    step: dict[str, Any] = {
        verb.name: {}, "data": data, "settings": {"rows": args.row or [1], "max_length": args.max_length},
    }  # fmt: skip
    objective = args.objective or _fitting(args.file, session.registry, columns)
    step |= {"objective": objective} if objective else {}
    spec = PipelineSpec.from_mapping({"name": "preview", "model": args.model, "steps": {"preview": step}}, Path.cwd(), name="preview")
    plan = session.plan(spec)
    with reporting(stream=sys.stderr) as reporter:
        outcome = Runner(plan, session.registry, session.config, reporter=reporter).run()
    if outcome.error:
        raise outcome.error
    lines = (outcome.artifacts["preview"].path / FILE).read_text(encoding="utf-8").splitlines()
    *rows, total = map(json.loads, lines)
    if args.json:
        print("\n".join(map(safe_json, [*rows, total])))
    else:
        print(page(rows, total, colours=colored(sys.stdout)))
    return int(any("error" in row or any(sequence["doubts"] for sequence in row["sequences"]) for row in rows))


def _look_for(wanted: Sequence[int], file: Path) -> None:
    """
    Raises:
        UserError: TS-DATA-044 when the file has no such row, before anything is begun; other mistakes are told by the plan.
    """
    from tunesmith.verbs.rows_file import NotRows, read_file

    try:
        count = sum(1 for _ in islice((line for line in read_file(file) if line.row is not None or line.problem), max(wanted)))
    except (OSError, ValueError, NotRows):
        return
    if missing := [number for number in wanted if number > count > 0]:
        raise UserError("TS-DATA-044", f"There is no row {missing[0]}: {file} has {count}", fix="Ask for one of those.")


def _fitting(file: Path, registry: Registry, columns: Mapping[str, str]) -> str:
    """The first objective that reads rows like these; empty if none does: then planning says why."""
    from tunesmith.planning.datasets import detect

    readers, formats = registry.providers("objective").values(), registry.providers("dataset_format")
    return next((record.name for record in readers if not detect(file, formats, record.accepts, columns=columns).problems), "")


def page(rows: Sequence[Mapping[str, Any]], total: Mapping[str, Any], *, colours: bool) -> str:
    """All of it as a person reads it."""
    mark = (
        f"{_paint('learnt', _LEARNT[0])} {_paint('given', _GIVEN[1])}"
        if colours
        else f"{_OPEN}learnt{_CLOSE} given, {_BETWEEN} between tokens"
    )
    lines = [mark, ""]
    for row in rows:
        lines += [line for sequence in row["sequences"] for line in _sequence(row["row"], sequence, colours)]
        if "error" in row:
            told = row["error"]
            lines += [safe(f"row {row['row']} can't be used: {told['code']}: {told['what']}"), safe(f"  {told['fix']}"), ""]
    return "\n".join([*lines, _total(total)])


def _sequence(row: int, sequence: Mapping[str, Any], colours: bool) -> list[str]:
    tokens, labels = sequence["tokens"], sequence["labels"]
    texts = [safe(text) for text in sequence["texts"]]
    name = f", {safe(sequence['name'])}" if sequence["name"] else ""
    lines = [f"row {row}{name}: {len(tokens)} tokens, {sum(labels)} learnt"]
    turns = sequence["turns"] or [{"role": "", "start": 0, "stop": len(tokens)}]
    for turn in turns:
        part = slice(turn["start"], turn["stop"])
        if turn["role"]:
            lines.append(f"-- {safe(turn['role'])}: {turn['stop'] - turn['start']} tokens, {sum(labels[part])} learnt")
        lines.append(_text(texts[part], labels[part], colours))
    lines += [f"!! {safe(doubt)}" for doubt in sequence["doubts"]]
    return [*lines, ""]


def _text(texts: Sequence[str], labels: Sequence[bool], colours: bool) -> str:
    if colours:
        return "".join(
            _paint(text, (_LEARNT if label else _GIVEN)[at % 2]) for at, (text, label) in enumerate(zip(texts, labels, strict=True))
        )
    runs: list[tuple[bool, list[str]]] = []
    for text, label in zip(texts, labels, strict=True):
        if not runs or runs[-1][0] != label:
            runs.append((label, []))
        runs[-1][1].append(text)
    joined = [(label, _BETWEEN.join(run)) for label, run in runs]
    return "".join(f"{_OPEN}{run}{_CLOSE}" if label else run for label, run in joined)


def _paint(text: str, style: str) -> str:
    """Line breaks stay outside: a terminal would colour the rest of the line."""
    return "\n".join(f"\x1b[{style}m{part}\x1b[0m" if part else "" for part in text.split("\n"))


def _total(total: Mapping[str, Any]) -> str:
    lengths, limit = total["lengths"], total["max_length"]
    lines = []
    if lengths:
        middle, most = lengths[len(lengths) // 2], lengths[-1]
        lines.append(f"tokens in the first {total['rows']} rows: shortest {lengths[0]}, median {middle}, longest {most}")
        over = sum(length > limit for length in lengths)
        lines += [f"!! {over} of them are longer than {limit} tokens; `max_length: {most}` would cut none"] if over else []
    return "\n".join([*lines, *([f"!! {total['broken']} rows can't be used"] if total["broken"] else [])])
