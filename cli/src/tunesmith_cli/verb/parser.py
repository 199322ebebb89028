"""The parser of a verb's command, with help and examples made from what is installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tunesmith.plugins.records import ProviderRecord
from tunesmith_cli.options.columns import add_columns, add_filter
from tunesmith_cli.options.parser import Parser, dashed, usage_of
from tunesmith_cli.options.settings import SettingOption, add_setting, typed
from tunesmith_cli.verb.arguments import AUTO, VerbForm, takes_model, takes_rows

_SEED = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}


def verb_parser(form: VerbForm) -> Parser:
    """A parser of what makes the step; what is to be done with it is the caller's to add."""
    verb = form.verb
    main = form.mains[0].record if form.promoted else None
    parser = Parser(f"tunesmith {form.name}", main.summary if main else verb.summary, examples(form))
    parser.elsewhere = dict.fromkeys(
        ("--on", "--cards"), "For cards that are not here: `--yaml` writes the step as a file, `tunesmith plan FILE --on CARD` plans it."
    )
    _add_work(parser, form)
    add_providers(parser, form)
    return parser


def add_providers(parser: Parser, form: VerbForm) -> None:
    """The options that choose providers and their settings."""
    verb = form.verb
    for slot, part in zip(verb.slots, form.slots, strict=True):
        group = parser.add_argument_group(f"{slot.name}: {slot.summary}")
        known = ", ".join(form.registry.providers(slot.kind)) or "none"
        group.add_argument(f"--{dashed(slot.name)}", metavar="NAME", help=f"one of {known} (default: {slot.default})")
        _add(group, part.options)
        if part.wanted == AUTO:
            parser.unchosen[dashed(slot.name)] = _owners(form.registry.providers(slot.kind).values())
    if form.own:
        _add(parser.add_argument_group(f"settings of {verb.name}"), form.own, form.short)
    for part in form.mains:
        if part.record and part.options:
            group = parser.add_argument_group(f"settings of {part.record.name}", f"in full --{dashed(part.record.name)}.NAME")
            _add(group, part.options, form.short)
    parser.usage = usage_of(parser)
    if form.takes_provider:
        parser.usage = parser.usage.replace(parser.prog, f"{parser.prog} " + ("[NAME ...]" if verb.many else "[NAME]"), 1)
        parser.leading = tuple(form.registry.providers(verb.main_kind))
        known = ", ".join(parser.leading)
        parser.description = f"{parser.description}\n\nNAME: the {verb.main_kind.replace('_', ' ')}, one of {known} (default: {AUTO})"


def _owners(records: Iterable[ProviderRecord]) -> dict[str, list[str]]:
    """The settings of providers, as they stand in an option, each with those that have it."""
    found: dict[str, list[str]] = {}
    for record in records:
        for name in record.schema.get("properties", {}):
            found.setdefault(dashed(name), []).append(record.name)
    return found


def _add(group: Any, options: Sequence[SettingOption], short: dict[str, str] | None = None) -> None:
    for option in options:
        add_setting(group, option, short)


def _add_work(parser: Parser, form: VerbForm) -> None:
    group = parser.add_argument_group("what to work on")
    main, others = form.verb.inputs[0], form.others
    many: dict[str, Any] = {"nargs": "+"} if form.verb.many else {}
    made = "what this step of an earlier command or pipeline made"
    if form.takes_model:
        group.add_argument("--model", metavar="URI", help=f"{main.summary}: scheme://place, or a local directory")
    group.add_argument("--from", dest="source", metavar="STEP", help=f"{'or' if form.takes_model else main.summary + ':'} {made}", **many)
    group.add_argument("--pipeline", metavar="FILE", help="where STEP is (default: earlier commands here, then ./tunesmith.yaml)")
    for entry in others:
        needed = "" if form.needs(entry) else " (optional)"
        name, rows = dashed(entry.name), takes_rows(entry)
        more = "; again for more files" if rows else "; again for more of them" if entry.many else ""
        if model := takes_model(entry):
            needed += f": scheme://place, a local directory, or {made}"
        group.add_argument(
            f"--{name}", dest=f"input:{entry.name}", metavar="MODEL" if model else "PATH" if rows or not entry.many else "STEP",
            help=entry.summary + needed + more, **({"action": "append"} if more else {}),
        )  # fmt: skip
        if rows:
            group.add_argument(
                f"--{name}-weights", dest=f"weights:{entry.name}", metavar="X,X", help=f"share of each --{name} (default: all rows of all)"
            )
    if any(map(takes_rows, others)):
        add_columns(group)
        add_filter(group)
    if form.verb.many:
        group.add_argument("--gate", action="append", default=[], metavar="METRIC=BOUND", help='fail unless it holds, e.g. "loss<=2.5"')
    group.add_argument("--seed", type=typed(_SEED), metavar="N", help="of everything random (default 0)")
    group.add_argument("--device", metavar="NAME", help="device backend (default: the best that is here)")
    group.add_argument("--as", dest="title", metavar="NAME", help=f"what to call this step (default: {form.name})")


def examples(form: VerbForm) -> list[tuple[str, str]]:
    """Commands that could be typed: with the installed providers' names and settings."""
    words = [f"tunesmith {form.name}"]
    if form.takes_provider and form.mains[0].record:
        words.append(form.mains[0].record.name)
    if form.needs_main or not form.verb.inputs[0].required:
        words.append("--model file://path/to/model" if form.takes_model else "--from STEP")
    needed = [entry for entry in form.others if form.needs(entry)]
    lists = [entry for entry in needed if entry.many and not takes_rows(entry)]
    if lists:
        words = words[:1]  # their steps know the model
    words += [f"--{dashed(entry.name)} {step}" for entry in lists for step in ("STEP", "STEP")]
    others = {entry.name: "file://path/to/another" if takes_model(entry) else "rows.jsonl" for entry in needed if entry not in lists}
    words += [f"--{dashed(name)} {value}" for name, value in others.items()]
    shown = [("with what is chosen automatically; --plan shows what that is", " ".join([*words, "--plan"]))]
    for part in form.slots:
        numbers = [o for o in part.options if o.schema.get("type") == "integer" and o.schema.get("default") is not None]
        if part.record and numbers and part.default == AUTO:
            chosen = f"--{dashed(part.name)} {part.record.name} --{numbers[0].name} {numbers[0].schema['default']}"
            shown.append((f"another {part.name}, with settings of its own", " ".join([*words, chosen])))
            break
    return [*shown, ("the same as a step of a pipeline file", " ".join([*words, "--yaml"]))]
