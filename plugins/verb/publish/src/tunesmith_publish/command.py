"""`tunesmith publish STEP TARGET`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

from tunesmith_cli.api import Command, confirmed, gettext, safe, safe_json, size
from tunesmith_publish import SUMMARY

_SHOWN = 20  # names of files


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("source", metavar="STEP|ARTIFACT", help="a step of the last run, or the beginning of an artifact's digest")
    parser.add_argument("target", metavar="TARGET", help="where to: hf://ORG/NAME[@BRANCH], s3://BUCKET/FOLDER, a folder ...")
    parser.add_argument("--run", metavar="RUN", help="the run whose step is meant: the beginning of its id (default: the last one)")
    parser.add_argument("--plan", action="store_true", help="show what would be sent, and send nothing")
    parser.add_argument("--public", action="store_true", help="a repository that has to be made is for everybody; else it is private")
    parser.add_argument("--message", metavar="TEXT", default="", help="of the commit, where the place has commits")
    parser.add_argument("--yes", action="store_true", help="don't ask in a terminal")
    parser.add_argument("--json", action="store_true", help="print JSON")
    card = parser.add_argument_group("the card")
    card.add_argument("--name", metavar="TEXT", default="", help="its title (default: the pipeline's name)")
    card.add_argument("--summary", metavar="TEXT", default="", help="what the model is for, and for whom")
    card.add_argument("--license", metavar="NAME", default="", help="as the hub writes it: apache-2.0 (default: the base model's)")
    card.add_argument(
        "--base-model", metavar="ORG/NAME", default="", help="as the hub names it (default: where the model was fetched from)"
    )
    card.add_argument("--language", metavar="CODE", action="append", default=[], help="of its texts, ISO 639; may be given again")
    card.add_argument("--tag", metavar="TAG", action="append", default=[], help="by which it is found; may be given again")


def run(args: Namespace) -> int:
    from tunesmith.contracts.settings import build
    from tunesmith_cli.api import Session
    from tunesmith_hub_folder.api import HubFolderSettings
    from tunesmith_publish.changes import changes
    from tunesmith_publish.publication import files_of, publish, publisher_of
    from tunesmith_publish.source import source_of

    session = Session.open()
    uri, publisher = publisher_of(args.target, session.registry)
    settings = build(HubFolderSettings, {
        "model_name": args.name, "summary": args.summary, "license": args.license, "base_model": args.base_model,
        "language": args.language, "tags": args.tag,
    })  # fmt: skip
    source = source_of(args.source, args.run)
    with files_of(source, settings) as files:
        before = changes(files, publisher.found(uri))
        told = {"source": source.artifact.digest, "target": uri, **before.to_json()}
        if args.plan:
            print(safe_json(told, 2) if args.json else safe("\n".join(_page(uri, before, files))))
            return 0
        if not args.json:
            print(safe("\n".join(_page(uri, before, files))), flush=True)
        if before.new + before.changed and not (args.yes or args.json) and sys.stdin.isatty() and not confirmed(gettext("Send it? [y/N] ")):
            return 1
        message = args.message or f"{source.step or 'model'} of {source.pipeline or 'tunesmith'}, {source.artifact.digest[:19]}"
        outcome = publish(publisher, uri, files, before, message, args.public, lambda name: _sent(name, args.json))
    if args.json:
        print(safe_json({**told, **outcome.to_json(), "verified": True}, 2))
    elif outcome.there:
        where = outcome.there.page or uri
        print(safe(gettext("{count} files verified at {where}, revision {revision}", count=len(files), where=where,
                           revision=outcome.there.revision[:20])))  # fmt: skip
    return 0


def _page(uri, before, files) -> Iterator[str]:
    yield uri
    for names, word in ((before.new, gettext("new")), (before.changed, gettext("changed"))):
        yield from (f"  {word:<8} {name}  {size(files[name].size)}" for name in names[:_SHOWN])
        if len(names) > _SHOWN:
            yield f"  {word:<8} " + gettext("and {count} more", count=len(names) - _SHOWN)
    yield gettext("{count} files to send, {size}; {same} are there already", count=len(before.new) + len(before.changed),
                  size=size(before.bytes), same=len(before.same))  # fmt: skip
    if before.other:
        yield gettext("{count} other files there stay as they are", count=len(before.other))


def _sent(name: str, silent: bool) -> None:
    if not silent:
        print(safe(gettext("sent {name}", name=name)), flush=True)


COMMAND = Command(
    "publish", SUMMARY, configure, run,
    (
        ("what would be sent?", "tunesmith publish tune hf://org/support-bot --plan"),
        ("the model of a step, with a card", "tunesmith publish tune hf://org/support-bot --license apache-2.0 --language en"),
        ("into a bucket", "tunesmith publish small s3://models/support-bot"),
        ("into a folder, for programs", "tunesmith publish small ./shared/support-bot --json"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    from tunesmith_cli.api import run_command

    return run_command(COMMAND, "tunesmith publish", arguments)
