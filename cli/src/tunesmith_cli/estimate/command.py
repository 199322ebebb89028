"""`tunesmith estimate`: what a step would need, from the model's configuration alone, before there is data or weights."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.step_syntax import ProviderSpec
from tunesmith_cli.estimate.arguments import form_of
from tunesmith_cli.estimate.comparison import Comparison
from tunesmith_cli.estimate.output import as_json, page
from tunesmith_cli.estimate.parser import estimate_parser, general_help
from tunesmith_cli.estimate.step import StepEstimator
from tunesmith_cli.launch import Session
from tunesmith_cli.options.columns import rows_given
from tunesmith_cli.options.settings import settings_given
from tunesmith_cli.plugin_commands import Catalog
from tunesmith_cli.verb.arguments import SETTINGS, Part, VerbForm
from tunesmith_models import ModelShape


def run_words(arguments: Sequence[str]) -> int:
    """Run the command with what stands after it."""
    from tunesmith.planning.estimates.estimators import Estimators
    from tunesmith_cli.dispatch import use_common
    from tunesmith_cli.estimate.target_devices import place_of

    catalog = Catalog(Session.open().registry)
    form = form_of(catalog, arguments)
    if form is None:
        print(general_help(catalog))
        return 0
    args = estimate_parser(form).parse(form.arguments)
    use_common(args)
    session = Session.open()
    product, shape = _model(args, session, form)
    estimators = Estimators()
    place = place_of(args, session.registry, estimators)
    foresight = StepEstimator(session.registry, place.devices, product, _data(args, session, form), place.asked, estimators)
    comparison = Comparison(foresight, form, settings_given(args, form.own).get(SETTINGS, {}), _wanted(form, args))
    found = [comparison.asked()] if comparison.chosen else list(comparison.all())
    less = comparison.less(found[0].seen) if comparison.chosen else []
    title = f"{form.name.removeprefix('estimate ')} on {args.model} ({_size(shape)})"
    print(json.dumps(as_json(title, found, less, place), indent=2) if args.json else page(title, found, less, place))
    return int(all(tried.seen.fits is False and not (tried.least and tried.least[1].fits) for tried in found))


def _wanted(form: VerbForm, args: Namespace) -> dict[str, ProviderSpec]:
    """The provider of each slot, the main one among them."""
    return {part.name: _of(part, part.value(args), _kind(form, part)) for part in (*form.mains, *form.slots)}


def _of(part: Part, value: Any, kind: str) -> ProviderSpec:
    if isinstance(value, Mapping):
        ((name, settings),) = value.items()
        return ProviderSpec(kind, name, settings, (part.name, name))
    return ProviderSpec(kind, str(value), {}, (part.name,))


def _kind(form: VerbForm, part: Part) -> str:
    return next((slot.kind for slot in form.verb.slots if slot.name == part.name), form.verb.main_kind)


def _model(args: Namespace, session: Session, form: VerbForm) -> tuple[Product, ModelShape]:
    """The model that was named, and its sizes."""
    from tunesmith_cli.estimate.model import model_product

    if not args.model:
        raise UserError("TS-CLI-006", f"tunesmith {form.name} needs --model: a directory, a config.json, or scheme://place",
                        fix=f"`tunesmith {form.name} --help` shows an example.")  # fmt: skip
    product = model_product(args.model, session)
    shape = ModelShape.from_config(product.config, product.model_bytes)
    if shape is None:
        raise UserError(
            "TS-CLI-017", f"The sizes of {args.model} are not known",
            why="Its configuration describes no decoder, or one of a family whose layers are not known.",
            fix="Name a causal language model of another family, or the directory with its weights: where they are as large as a plain "
            "decoder of these sizes, it is taken for one.",
        )  # fmt: skip
    return product, shape


def _size(shape: ModelShape) -> str:
    if shape.parameters < 1e6:
        return f"{shape.parameters:,} parameters"
    unit, word = (1e9, "billion") if shape.parameters >= 1e9 else (1e6, "million")
    digits = 2 if unit == 1e9 else 0 if shape.parameters >= 1e7 else 1
    text = f"{shape.parameters / unit:.{digits}f} {word} parameters"
    return f"{text}, {shape.active / unit:.{digits}f} compute a token" if shape.experts else text


def _data(args: Namespace, session: Session, form: VerbForm) -> dict[str, Any]:
    """Statistics of the rows: of a file, or as told."""
    found: dict[str, Any] = {}
    if args.data:
        from tunesmith.contracts.kinds.input_reader import InputRequest
        from tunesmith.planning.inputs.input_readers import facts_of

        written = rows_given(args.data, args)
        with session.reading() as planner:
            found = facts_of(InputRequest(written, ("dataset/*",), form.verb.name), session.registry, planner)
    told = {"rows": args.rows, "length": args.length}
    return found | {name: value for name, value in told.items() if value}
