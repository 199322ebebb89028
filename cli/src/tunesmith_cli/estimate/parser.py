"""The options of `tunesmith estimate`: those of the command that is estimated, and what stands for the data."""

from __future__ import annotations

from typing import Any

from tunesmith_cli.estimate.arguments import estimable
from tunesmith_cli.options.columns import add_columns, add_filter
from tunesmith_cli.options.device_catalog import add_cards
from tunesmith_cli.options.parser import Parser, dashed
from tunesmith_cli.options.settings import typed
from tunesmith_cli.plugin_commands import Catalog
from tunesmith_cli.verb.arguments import VerbForm
from tunesmith_cli.verb.parser import add_providers

_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}


def estimate_parser(form: VerbForm) -> Parser:
    summary = f"what `tunesmith {form.name.removeprefix('estimate ')}` would need, from the model's configuration alone"
    parser = Parser(f"tunesmith {form.name}", summary, _examples(form))
    group = parser.add_argument_group("what to work on")
    group.add_argument("--model", metavar="URI", help="a config.json, a directory that has one, or scheme://place: no weights are read")
    group.add_argument("--data", metavar="PATH", help="rows whose number and length to take (instead of the two below)")
    add_columns(group)
    add_filter(group)
    group.add_argument("--rows", type=typed(_COUNT), metavar="N", help="how many rows there are (default: enough for full batches)")
    group.add_argument("--length", type=typed(_COUNT), metavar="N", help="tokens of a row (default: the longest that is allowed)")
    group.add_argument("--device", metavar="NAME", help="device backend (default: the best that is here)")
    add_cards(group)
    group.add_argument("--memory", metavar="SIZE", help="memory of the device, where it is another than is known: 24GiB")
    group.add_argument("--json", action="store_true", help="print JSON")
    add_providers(parser, form)
    parser.add_common()
    return parser


def _examples(form: VerbForm) -> list[tuple[str, str]]:
    start = f"tunesmith {form.name}"
    if form.takes_provider and form.mains[0].record:
        start += f" {form.mains[0].record.name}"
    found = [("from the configuration alone; no weights have to be there", f"{start} --model path/to/config.json")]
    slot = next((part for part in form.slots if part.name == form.verb.produces_of and part.record), None)
    if slot and slot.record:
        found = [
            (f"every {slot.name} that is installed, side by side", f"{start} --model path/to/config.json"),
            ("one of them, part by part, on rows of 600 tokens",
             f"{start} --model path/to/config.json --{dashed(slot.name)} {slot.record.name} --length 600"),
        ]  # fmt: skip
    return [*found, ("for a program", f"{start} --model path/to/config.json --json")]


def general_help(catalog: Catalog) -> str:
    """The page of the command without a word behind it."""
    names = estimable(catalog)
    parser = Parser(
        "tunesmith estimate",
        "memory and disk of a step before there is data or weights: from the model's configuration and the step's settings",
        [(catalog.verbs[name].summary, f"tunesmith estimate {name} --model path/to/config.json") for name in names[:3]],
    )
    words = ", ".join(names)
    parser.usage = "tunesmith estimate COMMAND [options]\n       tunesmith estimate --method COMMAND [options]"
    parser.description = (
        f"{parser.description}\n\nCOMMAND: one of {words}\n\nThe options are the command's own. `tunesmith estimate COMMAND --help` shows"
        " them. The breakdown says\nwhat the memory is for, what this machine has, and which settings would need less."
    )
    return parser.format_help().rstrip()
