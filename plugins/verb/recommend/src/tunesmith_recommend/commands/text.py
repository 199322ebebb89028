"""A recommendation for people: as a page, and as a pipeline's file with the reasons as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from tunesmith_cli.api import columns, duration, number, size
from tunesmith_recommend.choice.recommendation import Reasoned, Recommendation, Wanted

_WIDTH = 120  # of a line in the terminal and in a file
_STEP = 2  # spaces before the name of a step


class _Whole(yaml.SafeDumper):
    """Writes a value out wherever it stands, in place of a reference to where it stood before."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def page(found: Recommendation, wanted: Wanted, *, refused: bool = False) -> str:
    """
    Args:
        refused: with all that was looked at and not taken.
    """
    lines = [columns([("data", _data(wanted)), ("machine", _machine(found)), ("goal", wanted.goal)]), ""]
    for choice in found.choices:
        lines += _choice(choice)
    basis = found.prediction.basis
    told = [("time", _time(found)), ("memory", _memory(found)), ("disk", f"about {size(found.prediction.disk)}"), *_quality(found)]
    lines.append("")
    for name, words in told:
        lines.append(f"{name:<8}{words}")
        lines += [_wrapped(basis[name], "        ", "        ")] if basis.get(name) else []
    lines += ["", *(_wrapped(f"! {remark}", "", "  ") for remark in found.remarks)] if found.remarks else []
    cited = {choice.rule.id: choice.rule for choice in found.choices}
    lines += ["", "by these rules"]
    lines += [_wrapped(f"[{rule.id}] {rule.text} ({rule.source})", "  ", "    ") for rule in cited.values()]
    if refused:
        lines += ["", "looked at, and not taken", *(_wrapped(one, "  ", "    ") for one in found.refused)]
    return "\n".join(lines)


def pipeline_file(found: Recommendation, wanted: Wanted) -> str:
    """YAML in which each choice stands below its reason."""
    head = [f"# {line}" for line in textwrap.wrap(
        f"Recommended by `tunesmith` for {_data(wanted)}, on {_machine(found)}, goal {wanted.goal}: {_time(found)}, "
        f"memory {_memory(found)}. Change what you like; `tunesmith plan` says what comes of it.", _WIDTH - 2)]  # fmt: skip
    body = yaml.dump(dict(found.pipeline), Dumper=_Whole, sort_keys=False, allow_unicode=True, width=10**6).splitlines()
    reasons: dict[str, list[Reasoned]] = {}
    for choice in found.choices:
        reasons.setdefault(choice.key or choice.topic, []).append(choice)
    lines, step = [], ""
    for line in body:
        key = line.strip().partition(":")[0]
        indent = line[: len(line) - len(line.lstrip())]
        step = key if len(indent) == _STEP else step
        for choice in (*reasons.pop(f"{step}.{key}", ()), *reasons.pop(key, ())):
            lines += [f"{indent}# {part}" for part in textwrap.wrap(_comment(choice), _WIDTH - len(indent) - 2)]
        lines.append(line)
    return "\n".join([*head, *lines, ""])


def written(value: Any) -> str:
    """A provider with its settings, or a value, in one line."""
    if isinstance(value, dict):
        ((name, settings),) = value.items()
        return f"{name} ({', '.join(f'{key}={one}' for key, one in settings.items())})"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _choice(choice: Reasoned) -> Iterator[str]:
    yield _wrapped(f"{choice.topic:<17} {written(choice.value)}: {choice.reason} [{choice.rule.id}]", "", " " * 18)
    if choice.instead_of:
        yield _wrapped(f"not {choice.instead_of}", " " * 18, " " * 20)


def _comment(choice: Reasoned) -> str:
    instead = f" Not {choice.instead_of}." if choice.instead_of else ""
    return f"{choice.reason}: {choice.rule.text} ({choice.rule.source}).{instead}"


def _wrapped(text: str, first: str, rest: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)


def _data(wanted: Wanted) -> str:
    data = wanted.data
    held = "".join(f", {name}" for name in data["modalities"] if name != "text")
    field = "".join(f", {name}" for name in list(data["domains"])[:1])
    rows = f"{wanted.path}: {number(data['rows'])} rows for {wanted.asked_task}, about {number(data['tokens'])} tokens"
    return ", ".join(filter(None, (rows, wanted.language))) + field + held


def _machine(found: Recommendation) -> str:
    told = found.prediction
    return f"{told.device}, {size(told.of)}" if told.device else "a device of which nothing is known"


def _time(found: Recommendation) -> str:
    told = found.prediction
    long = f"about {duration(told.seconds)} of training" if told.seconds else "not known"
    return f"{long}, {number(told.steps)} optimizer steps"


def _quality(found: Recommendation) -> Iterator[tuple[str, str]]:
    """Nothing where nobody knows: no rule says."""
    if found.prediction.quality:
        yield "quality", f"a validation loss of about {found.prediction.quality:.3g}"


def _memory(found: Recommendation) -> str:
    told = found.prediction
    return f"about {size(told.memory)} of {size(told.of)}" if told.memory else "not known"
