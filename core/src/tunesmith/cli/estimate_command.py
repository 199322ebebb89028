"""`tunesmith estimate`: what a step would need, from the model's configuration alone, before there is data or weights."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.cli.catalog import Catalog
from tunesmith.cli.estimate_page import as_json, page
from tunesmith.cli.estimate_parser import estimate_parser, general_help
from tunesmith.cli.estimate_words import form_of
from tunesmith.cli.launching import Session
from tunesmith.cli.setting_options import settings_given
from tunesmith.cli.verb_form import SETTINGS, Part, VerbForm
from tunesmith.errors import UserError
from tunesmith.planning.foresight import Foreseen, Foresight
from tunesmith.planning.grammar import Wanted


def run_words(arguments: Sequence[str]) -> int:
    """Run the command with what stands after it."""
    from tunesmith.cli.main import use_common

    catalog = Catalog(Session.open().registry)
    form = form_of(catalog, arguments)
    if form is None:
        print(general_help(catalog))
        return 0
    args = estimate_parser(form).parse(form.arguments)
    use_common(args)
    session = Session.open()
    foresight, about = _foresight(form, args, session)
    given = settings_given(args, form.own).get(SETTINGS, {})
    slots = _wanted(form, args)
    others = _others(form, slots)
    found = {name: foresight.of(form.verb, given, {**slots, **one}) for name, one in others.items()}
    if len(found) == 1:
        (seen,) = found.values()
        tried = _savings(foresight, form, given, slots, seen)
    else:
        tried = []
    title = f"{form.name.removeprefix('estimate ')} on {about}"
    print(json.dumps(as_json(title, found, tried), indent=2) if args.json else page(title, found, tried))
    return int(all(seen.fits is False for seen in found.values()))


def _wanted(form: VerbForm, args: Namespace) -> dict[str, Wanted]:
    """The provider of each slot, the main one among them."""
    return {part.name: _of(part, part.value(args), _kind(form, part)) for part in (*form.mains, *form.slots)}


def _of(part: Part, value: Any, kind: str) -> Wanted:
    if isinstance(value, Mapping):
        ((name, settings),) = value.items()
        return Wanted(kind, name, settings, (part.name, name))
    return Wanted(kind, str(value), {}, (part.name,))


def _kind(form: VerbForm, part: Part) -> str:
    return next((slot.kind for slot in form.verb.slots if slot.name == part.name), form.verb.main_kind)


def _others(form: VerbForm, slots: Mapping[str, Wanted]) -> dict[str, dict[str, Wanted]]:
    """What to look at: each provider of the slot that makes the result, if none was named; else just what was asked for."""
    slot = form.verb.produces_of
    if slot not in slots or slots[slot].name != "auto" or slots[slot].settings or slot == form.verb.main_kind:
        return {"": {}}
    kind = slots[slot].kind
    return {name: {slot: Wanted(kind, name, {}, (slot,))} for name in form.registry.providers(kind)}


def _savings(
    foresight: Foresight, form: VerbForm, given: Mapping[str, Any], slots: Mapping[str, Wanted], seen: Foreseen
) -> list[tuple[str, Foreseen]]:  # fmt: skip
    """Settings with which it would need less, one on top of the other, then other providers with all of them."""
    if seen.estimate is None or seen.problems:
        return []
    found, settings, words = [], dict(given), ""
    for saving in seen.estimate.savings:
        settings |= saving
        words = " ".join(filter(None, (words, *(option(name, value) for name, value in saving.items()))))
        found.append((words, foresight.of(form.verb, settings, slots)))
    slot = form.verb.produces_of
    if slot in slots and slot in seen.choices and slot != form.verb.main_kind:
        for name in form.registry.providers(slots[slot].kind):
            if name != seen.choices[slot].record.name:
                other = foresight.of(form.verb, given, {**slots, slot: Wanted(slots[slot].kind, name, {}, (slot,))})
                if other.estimate and not other.problems and other.estimate.memory < 0.9 * seen.estimate.memory:
                    found.append((f"--{slot.replace('_', '-')} {name}", other))
    return [(words, less) for words, less in found if less.estimate and less.estimate.memory < seen.estimate.memory]


def option(name: str, value: Any) -> str:
    """A setting as it is typed."""
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{dashed}" if value else f"--no-{dashed}"
    return f"--{dashed} {value}"


def _foresight(form: VerbForm, args: Namespace, session: Session) -> tuple[Foresight, str]:
    """What looks at steps on the model that was named, and what the model is called."""
    from tunesmith.cli.estimate_model import model_product
    from tunesmith.planning.advice import Advice
    from tunesmith.planning.devices import probe

    if not args.model:
        raise UserError("TS-CLI-006", f"tunesmith {form.name} needs --model: a directory, a config.json, or scheme://place",
                        fix=f"`tunesmith {form.name} --help` shows an example.")  # fmt: skip
    product = model_product(args.model, session)
    if product.shape is None:
        raise UserError("TS-CLI-017", f"The sizes of {args.model} are not known", why="Its configuration describes no dense decoder.",
                        fix="Name a causal language model whose config.json has hidden_size, num_hidden_layers and so on.")  # fmt: skip
    data = _data(args, session, form)
    count, advice = product.shape.parameters, Advice()
    return (
        Foresight(session.registry, probe(session.registry, advice), product, data, args.device or "auto", advice),
        f"{args.model} ({count / 1e9:.2f} billion parameters)" if count >= 1e9 else f"{args.model} ({count / 1e6:.0f} million parameters)",
    )


def _data(args: Namespace, session: Session, form: VerbForm) -> dict[str, Any]:
    """Statistics of the rows: of a file, or as told."""
    found: dict[str, Any] = {}
    if args.data:
        from tunesmith.planning.datasets import detect

        with session.row_check() as check:
            seen = detect(Path(args.data), session.registry, ("dataset/*",), shown=args.data, reader=form.verb.name, check=check)
        if seen.problems:
            raise seen.problems[0]
        found = {"rows": seen.rows, "characters": seen.characters}
    told = {"rows": args.rows, "length": args.length}
    return found | {name: value for name, value in told.items() if value}
