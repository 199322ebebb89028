"""A single step from the command line: a pipeline of one step, planned and run like any other."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError
from tunesmith_cli.launch import Session, add_judgement, add_run_options, as_asked
from tunesmith_cli.options.earlier_step import Earlier, note
from tunesmith_cli.options.listeners import add_listeners, listeners
from tunesmith_cli.options.output import check_output, write_output
from tunesmith_cli.plugin_commands import Catalog
from tunesmith_cli.untrusted_text import safe_json
from tunesmith_cli.verb.arguments import VerbForm, takes_rows
from tunesmith_cli.verb.models_beside import ModelsBeside
from tunesmith_cli.verb.parser import verb_parser


def run_verb(catalog: Catalog, name: str, arguments: Sequence[str]) -> int:
    """Run the command of a verb, or of a provider that is a command of its own."""
    called = catalog.verbs[name]
    if called.verb.main_kind == "model_loader":
        from tunesmith_cli.commands.download import command
        from tunesmith_cli.dispatch import run_command

        return run_command(command(called.verb.summary), f"tunesmith {name}", arguments)
    form = VerbForm.of(catalog.registry, name, called, arguments)
    parser = verb_parser(form)
    parser.further = catalog.added(name)
    group = parser.add_argument_group("what to do with it")
    group.add_argument("--plan", action="store_true", help="show what would be done, and do nothing")
    group.add_argument("--yaml", action="store_true", help="print the pipeline file that does the same, and do nothing")
    if not called.verb.service:
        group.add_argument("--output", type=Path, metavar="DIR", help="put a copy of what is made there")
    add_judgement(group)
    add_listeners(group, form.registry)
    add_run_options(parser, serving=False)
    parser.add_common()
    return _run(form, parser.parse(form.arguments))


def _run(form: VerbForm, args: Namespace) -> int:
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith_cli.dispatch import use_common

    use_common(args)
    output = getattr(args, "output", None)
    check_output(output)
    session = Session.open(beside=[Path(args.pipeline)] if args.pipeline else [])
    data, step = pipeline(form, args, session)
    data |= {"ignore_estimates": True} if args.ignore_estimates else {}
    data |= {"executor": args.executor} if args.executor else {}
    data |= listeners(args)
    if args.yaml:
        print(safe_json(data, 2) if args.json else yaml_text(data), end="\n" if args.json else "")
        return 0
    spec = as_asked(PipelineSpec.from_mapping(data, Path.cwd(), name=step), args)
    plan = session.plan(spec, args.strict, args.refresh)
    if args.plan:
        session.show(plan, args.json)
        return 0
    note(session, step, data)
    outcome = session.carry_out(plan, args)
    if output and not outcome.exit_status:
        write_output(outcome, plan, step, output, args.json, session.config.home)
    return outcome.exit_status


def pipeline(form: VerbForm, args: Namespace, session: Session) -> tuple[dict[str, Any], str]:
    """The pipeline of one step, after those it takes from, and the step's name.

    Raises:
        UserError: TS-CLI-006 when it is not said what to work on.
    """
    raw = form.step(args)
    sources = [args.source] if isinstance(args.source, str) else list(args.source or ())
    lists = [entry for entry in form.verb.inputs[1:] if entry.many and not takes_rows(entry) and raw.get(entry.name)]
    named = [step for entry in lists for step in raw[entry.name]]
    main, model = form.verb.inputs[0], getattr(args, "model", None)
    if model and sources:
        raise UserError("TS-CLI-006", f"tunesmith {form.name} works on --model or on --from, and was given both",
                        fix="Leave one of them out.")  # fmt: skip
    absent = form.absent(args)
    if form.needs_main and not (model or sources or named):
        absent.insert(0, f"{'--model' if form.takes_model else '--from'} ({main.summary})")
    if absent:
        raise UserError("TS-CLI-006", f"tunesmith {form.name} needs {' and '.join(absent)}",
                        fix=f"`tunesmith {form.name} --help` shows an example.")  # fmt: skip
    name = args.title or form.name
    beside = ModelsBeside.of(form, raw, session.registry)
    if not sources and not named and not beside.steps:
        return {"name": name, **({"model": model} if model else {}), "steps": {**beside.fetched(raw, [name]), name: raw}}, name
    earlier = Earlier.find(session, args.pipeline, [*sources, *named, *beside.steps])
    if model:
        earlier = earlier.about(model, session)
    if name in earlier.steps:
        name = next(f"{name}-{number}" for number in range(2, 10**6) if f"{name}-{number}" not in earlier.steps)
    if sources:
        raw["from"] = sources if form.verb.many and len(sources) > 1 else sources[0]
    return replace(earlier, steps={**earlier.steps, **beside.fetched(raw, [name, *earlier.steps])}).with_step(name, raw), name


def yaml_text(data: dict[str, Any]) -> str:
    """A mapping as a person writes it: a key a line, what belongs to one provider on one line."""
    import yaml

    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
