"""`tunesmith run`: plan a pipeline, then carry it out."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_cli.command import Command
from tunesmith_cli.launch import DEFAULT_FILE, Session, add_judgement, add_run_options, as_asked
from tunesmith_cli.options.listeners import add_listeners, listeners
from tunesmith_cli.options.pipeline_file import add_file, load


def configure(parser: ArgumentParser) -> None:
    add_file(parser)
    add_judgement(parser)
    add_listeners(parser, load_registry(load_config()))
    add_run_options(parser)


def run(args: Namespace) -> int:
    spec = as_asked(load(args.file, args.set, listeners(args)), args)
    session = Session.open(spec.place)
    return session.carry_out(session.plan(spec, args.strict, args.refresh), args).exit_status


COMMAND = Command(
    "run", "run a pipeline; what is done already comes from the cache", configure, run,
    (
        (f"the pipeline in ./{DEFAULT_FILE}", "tunesmith run"),
        ("another value for this time", "tunesmith run support-bot.yaml --set steps.tune.settings.epochs=3"),
        ("for a program", "tunesmith run --json --no-serve"),
    ),
)  # fmt: skip
