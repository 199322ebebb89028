"""What a command is, and where the commands of the kernel are found without importing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


class Command(NamedTuple):
    """A command: `configure` adds its options to a parser, `run` gives the exit status. `examples` are (what for, what to type)."""

    name: str
    summary: str
    configure: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    examples: tuple[tuple[str, str], ...] = ()


class Entry(NamedTuple):
    """A command of the kernel: its module has a `COMMAND`, `COMMANDS` when it is a group of them, or `run_words` when its options depend
    on what is typed. Imported only when it is used."""

    name: str
    summary: str
    module: str
    group: str


PIPELINES, STEPS, MODELS, LOOK, PLUGINS = "Pipelines", "Single steps", "Models and data", "What was done, and where", "Plugins"
GROUPS = (PIPELINES, STEPS, MODELS, LOOK, PLUGINS)

ENTRIES = (
    Entry("plan", "show what a pipeline will do, what it needs and why; computes nothing", "tunesmith_cli.commands.plan", PIPELINES),
    Entry("run", "run a pipeline; what is done already comes from the cache", "tunesmith_cli.commands.run", PIPELINES),
    Entry("resume", "go on with a run that was stopped or killed", "tunesmith_cli.commands.resume", PIPELINES),
    Entry("chat", "talk to a model", "tunesmith_cli.chat.command", MODELS),
    Entry("estimate", "memory of a step, part by part, from the model's configuration alone", "tunesmith_cli.estimate.command", MODELS),
    Entry("runs", "past runs: their steps, decisions and logs", "tunesmith_cli.commands.runs", LOOK),
    Entry("lineage", "where an artifact came from: who made it of what, with which settings", "tunesmith_cli.commands.lineage", LOOK),
    Entry("store", "the artifacts of this home: list them, measure them, verify them", "tunesmith_cli.commands.store", LOOK),
    Entry("doctor", "this machine: devices, disk, plugins and what they miss", "tunesmith_cli.commands.doctor", LOOK),
    Entry("plugin", "what is installed, why something is not active, and an author's tools", "tunesmith_cli.commands.plugin", PLUGINS),
)

#: what a verb is called on the command line
SPOKEN = {"evaluate": "eval"}

#: a plugin's command of this name is what `tunesmith` alone begins in a terminal; it is typed as no word
ALONE = "tunesmith"

#: words after `plugin` that come with the SDK
AUTHORS = ("new", "update", "sync", "check")
