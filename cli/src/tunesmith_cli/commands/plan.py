"""`tunesmith plan`: everything that can be decided before compute is spent (law L4)."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from tunesmith.config import load_config
from tunesmith.errors import UserError
from tunesmith.planning.pipeline.step_syntax import AUTO
from tunesmith.plugins.registry import load_registry
from tunesmith_cli.command import Command
from tunesmith_cli.launch import DEFAULT_FILE, Session, add_judgement, as_asked
from tunesmith_cli.options.device_catalog import add_cards, named_cards
from tunesmith_cli.options.listeners import add_listeners, listeners
from tunesmith_cli.options.pipeline_file import add_file, load
from tunesmith_cli.untrusted_text import safe, safe_json

if TYPE_CHECKING:
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith.planning.plan import Plan


def configure(parser: ArgumentParser) -> None:
    add_file(parser)
    add_judgement(parser)
    add_listeners(parser, load_registry(load_config()))
    parser.add_argument(
        "--why",
        metavar="KEY",
        help="say who reads a setting, with what value and from where: r, adapter.r, tune.epochs; or who fills a slot, and why: strategy",
    )
    add_cards(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    spec = as_asked(load(args.file, args.set, listeners(args)), args)
    session = Session.open(spec.place)
    named = named_cards(args, session.registry)
    if named and spec.device not in (AUTO, named[0]):
        fix = f"Leave the pipeline's `device` out, or write `device: {named[0]}`."
        raise UserError("TS-CLI-002", f"--on {args.on} is a card of `{named[0]}`, and the pipeline asks for `{spec.device}`", fix=fix)
    plan = session.plan(spec, args.strict, devices=dict([named]) if named else None)
    if args.why:
        _explain(args.why, plan, spec, session, args)
    else:
        session.show(_told(plan, args.on) if args.on else plan, args.json, here=not args.on)
    return 0


def _told(plan: Plan, text: str) -> Plan:
    from tunesmith.planning.plan import Decision

    said = Decision("", f"planned for {text}", "`--on` says so; its figures are those of data sheets, not verified on hardware")
    return replace(plan, decisions=(said, *plan.decisions))


def _explain(key: str, plan: Plan, spec: PipelineSpec, session: Session, args: Namespace) -> None:
    """Print who reads a setting, or who fills a slot and why.

    Raises:
        UserError: TS-CLI-019 when the key is neither.
    """
    from tunesmith.running.steps.cached_results import hits
    from tunesmith_cli.commands.plan_why import readers, why_json, why_text
    from tunesmith_cli.commands.plan_why_choice import choices, choices_json, choices_text

    remedies = {name: (hit.step.settings, hit.because) for name, hit in hits(plan, session.config.home).items() if hit and hit.because}
    flags = [assignment.partition("=")[0] for assignment in args.set]
    if chosen := choices(key, plan, spec, session.registry, flags):
        print(safe_json(choices_json(chosen), 2) if args.json else safe(choices_text(chosen)), end="\n" if args.json else "")
        return
    found = readers(key, plan, spec, session.registry, flags=flags, remedies=remedies, defaults=session.config.pipelines)
    print(safe_json(why_json(found), 2) if args.json else safe(why_text(found)), end="\n" if args.json else "")


COMMAND = Command(
    "plan", "show what a pipeline will do, what it needs and why; computes nothing", configure, run,
    (
        (f"the pipeline in ./{DEFAULT_FILE}", "tunesmith plan"),
        ("who reads a setting, and where is its value from?", "tunesmith plan --why adapter.r"),
        ("how would it be done on eight other cards?", "tunesmith plan --on 8xH100"),
        ("what would another value change?", "tunesmith plan --set steps.tune.settings.epochs=3"),
    ),
)  # fmt: skip
