"""A recommendation for people, in the reader's language: as a page, and as a pipeline's file with the reasons as comments."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import yaml

from tunesmith_cli.api import columns, duration, number, padded, size, terminal_width, translated, wrap
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.choice.recommendation import Reasoned, Recommendation, Wanted

_WIDTH = 120  # of a line in a file, and where there is no terminal
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
    lines = [columns([(_("data"), _data(wanted)), (_("machine"), _machine(found)), (_("goal"), wanted.goal)]), ""]
    for choice in found.choices:
        lines += _choice(choice)
    basis = found.prediction.basis
    about = _("about {amount}", amount=size(found.prediction.disk))
    told = [("time", _("time"), _time(found)), ("memory", _("memory"), _memory(found)), ("disk", _("disk"), about), *_quality(found)]
    lines.append("")
    for name, shown, words in told:
        lines.append(f"{padded(shown, 8)}{words}")
        lines += [_wrapped(translated(basis[name]), "        ", "        ")] if basis.get(name) else []
    lines += ["", *(_wrapped(f"! {translated(remark)}", "", "  ") for remark in found.remarks)] if found.remarks else []
    cited = {choice.rule.id: choice.rule for choice in found.choices}
    lines += ["", _("by these rules")]
    lines += [_wrapped(f"[{rule.id}] {translated(rule.text)} ({rule.source})", "  ", "    ") for rule in cited.values()]
    if refused:
        told = [_wrapped(translated(one), "  ", "    ") for one in found.refused]
        lines += ["", _("looked at, and not taken"), *(told or [f"  {_('nothing: the first one fits')}"])]
    return "\n".join(lines)


def pipeline_file(found: Recommendation, wanted: Wanted) -> str:
    """YAML in which each choice stands below its reason."""
    said = _(
        "Recommended by `tunesmith` for {data}, on {machine}, goal {goal}: {time}, memory {memory}. Change what you like; "
        "`tunesmith plan` says what comes of it.",
        data=_data(wanted), machine=_machine(found), goal=wanted.goal, time=_time(found), memory=_memory(found),
    )  # fmt: skip
    head = wrap(said, _WIDTH, "# ", "# ")
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
            lines += wrap(_comment(choice), _WIDTH, f"{indent}# ", f"{indent}# ")
        lines.append(line)
    return "\n".join([*head, *lines, ""])


def written(value: Any) -> str:
    """A provider with its settings, or a value, in one line."""
    if isinstance(value, dict):
        ((name, settings),) = value.items()
        return f"{name} ({', '.join(f'{key}={one}' for key, one in settings.items())})"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _choice(choice: Reasoned) -> Iterator[str]:
    said = f"{written(choice.value)}{_(': ')}{translated(choice.reason)} [{choice.rule.id}]"
    yield _wrapped(said, f"{choice.topic:<17} ", " " * 18)
    if choice.instead_of:
        yield _wrapped(_("not {other}", other=translated(choice.instead_of)), " " * 18, " " * 20)


def _comment(choice: Reasoned) -> str:
    values = {"reason": translated(choice.reason), "rule": translated(choice.rule.text), "source": choice.rule.source}
    if not choice.instead_of:
        return _("{reason}: {rule} ({source}).", **values)
    return _("{reason}: {rule} ({source}). Not {other}.", other=translated(choice.instead_of), **values)


def _wrapped(text: str, first: str, rest: str) -> str:
    return "\n".join(wrap(text, terminal_width() if sys.stdout.isatty() else _WIDTH, first, rest))


def _data(wanted: Wanted) -> str:
    data = wanted.data
    held = [name for name in data["modalities"] if name != "text"]
    rows = _(
        "{path}: {rows} rows for {task}, about {tokens} tokens",
        path=wanted.path, rows=number(data["rows"]), task=wanted.asked_task, tokens=number(data["tokens"]),
    )  # fmt: skip
    return _(", ").join(filter(None, (rows, wanted.language, *list(data["domains"])[:1], *held)))


def _machine(found: Recommendation) -> str:
    told = found.prediction
    if not told.device:
        return _("a device of which nothing is known")
    if told.devices > 1:
        return _("{devices} x {device}, {size} each", devices=told.devices, device=told.device, size=size(told.of))
    return _(", ").join((told.device, size(told.of)))


def _time(found: Recommendation) -> str:
    told = found.prediction
    if not told.seconds:
        return _("not known, {steps} optimizer steps", steps=number(told.steps))
    if told.low:
        between = {"low": duration(told.low), "high": duration(told.high)}
        return _("about {time} of training ({low} to {high}), {steps} optimizer steps", time=duration(told.seconds),
                 steps=number(told.steps), **between)  # fmt: skip
    return _("about {time} of training, {steps} optimizer steps", time=duration(told.seconds), steps=number(told.steps))


def _quality(found: Recommendation) -> Iterator[tuple[str, str, str]]:
    """Nothing where nobody knows: no rule says."""
    if found.prediction.quality:
        yield "quality", _("quality"), _("a validation loss of about {loss}", loss=f"{found.prediction.quality:.3g}")


def _memory(found: Recommendation) -> str:
    told = found.prediction
    return _("about {memory} of {there}", memory=size(told.memory), there=size(told.of)) if told.memory else _("not known")
