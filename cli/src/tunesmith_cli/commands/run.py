"""`tunesmith run`: plan a pipeline, then carry it out."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tunesmith.config import load_config
from tunesmith.errors import UserError
from tunesmith.planning.pipeline.step_syntax import EXECUTOR, LOCAL
from tunesmith.plugins.registry import load_registry
from tunesmith_cli.command import Command
from tunesmith_cli.launch import DEFAULT_FILE, Session, add_judgement, add_run_options, as_asked
from tunesmith_cli.options.device_catalog import add_cards, named_cards
from tunesmith_cli.options.listeners import add_listeners, listeners
from tunesmith_cli.options.pipeline_file import add_file, load


def configure(parser: ArgumentParser) -> None:
    add_file(parser)
    add_judgement(parser)
    add_listeners(parser, load_registry(load_config()))
    add_cards(parser)
    add_run_options(parser)


def run(args: Namespace) -> int:
    spec = as_asked(load(args.file, args.set, listeners(args)), args)
    session = Session.open(spec.place)
    named = named_cards(args, session.registry)
    if named and not {str(one or LOCAL) for one in (spec.executor, *(step.get(EXECUTOR) for step in spec.steps.values()))} - {LOCAL}:
        fix = "Name an executor whose machines have them (--executor NAME), or leave --on out. `tunesmith plan` takes it alone."
        raise UserError("TS-CLI-002", f"--on {args.on} names cards that are not here, and every step of this run is", fix=fix)
    plan = session.plan(spec, args.strict, args.refresh, dict([named]) if named else None)
    return session.carry_out(plan, args).exit_status


COMMAND = Command(
    "run", "run a pipeline; what is done already comes from the cache", configure, run,
    (
        (f"the pipeline in ./{DEFAULT_FILE}", "tunesmith run"),
        ("another value for this time", "tunesmith run support-bot.yaml --set steps.tune.settings.epochs=3"),
        ("for a program", "tunesmith run --json --no-serve"),
    ),
)  # fmt: skip
