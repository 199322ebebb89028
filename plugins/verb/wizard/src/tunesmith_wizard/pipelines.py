"""The pipeline that comes of the answers: shown, written, planned, run; and talked to at the end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tunesmith_cli.api import DEFAULT_FILE, write_whole
from tunesmith_cli.api import gettext as _
from tunesmith_wizard import commands
from tunesmith_wizard.interview import Interview
from tunesmith_wizard.question import Option, Question

#: questions that come after everything else is decided
LAST = ("run", "talk")


class Ending(NamedTuple):
    """What is done with a pipeline.

    Args:
        run: the command that carries it out; `FILE` in it is the pipeline's file.
        talk: the step that can be talked to afterwards; empty: none.
        question: in place of "Run it now?".
    """

    run: tuple[str, ...] = ("run", "FILE", "--no-serve")
    talk: str = ""
    question: str = ""

    def words(self, file: str) -> list[str]:
        """The command. The usual file need not be named."""
        return [file if word == "FILE" else word for word in self.run if word != "FILE" or file != DEFAULT_FILE or self.run[0] != "run"]


def text_of(pipeline: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(pipeline), sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def finish(interview: Interview, text: str, ending: Ending, suggested: str = DEFAULT_FILE) -> int:
    """Write the pipeline, show it with the commands that do the same, plan it, and run it if that is wanted.

    Args:
        text: of the pipeline's file.
    """
    file = _written(interview, text, suggested)
    named = [] if file == DEFAULT_FILE else [file]
    front = interview.front
    front.print()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    reasons = len(lines) < len(text.splitlines())
    told = (
        _("This is the pipeline; {file} holds it, with the reasons as comments:")
        if reasons
        else _("This is the pipeline; {file} holds it:")
    )
    front.say(told.format(file=file), "bold")
    for line in lines:
        bare = line.lstrip()
        interview.say(bare, indent="    " + line[: len(line) - len(bare)], hanging="  ")
    if status := commands.run(interview, "plan", *named):
        interview.say(_("The plan does not hold. Change {file}, then: tunesmith plan {file}", file=file), "warn")
        return status
    run = ending.words(file)
    talk = ["chat", "--from", ending.talk, "--pipeline", file, "--temperature", "0"] if ending.talk else []
    front.print()
    front.say(_("The same without the wizard, today or in a script:"), "bold")
    for words in filter(None, (["plan", *named], run, talk)):
        front.print(f"    {commands.line(words)}")
    interview.answers.refuse_unasked(LAST)
    talking = _("It is served for as long as you talk; /exit or Ctrl-D ends.")
    stopping = _("It may be stopped at any moment, by Ctrl-C or otherwise: `tunesmith resume` goes on from where it was.")
    help = talking if run[0] == "chat" else stopping
    if not interview.yes("run", ending.question or _("Run it now?"), help=help):
        return 0
    status = commands.run(interview, *run)
    if status == commands.INTERRUPTED:
        raise KeyboardInterrupt
    if status:
        interview.say(_("What is done is kept: put right what is said above, then `{line}` goes on.", line=commands.line(run)), "warn")
        return status
    if talk and interview.yes("talk", _("Talk to it now?"), help=talking):
        return commands.run(interview, *talk)
    return 0


def _written(interview: Interview, text: str, suggested: str) -> str:
    """Write the file, and give its name. One that holds this already stays as it is."""

    def check(name: str) -> str:
        path = Path(name)
        if path.suffix not in (".yaml", ".yml"):
            raise ValueError(_("a pipeline's file ends in .yaml"))
        if not path.parent.is_dir():
            raise ValueError(_("there is no folder {folder}", folder=path.parent))
        if path.parent.resolve() != Path.cwd().resolve():
            raise ValueError(_("it has to lie in this folder: a pipeline names files from where it lies"))
        if path.exists() and _held(path) != text:
            raise ValueError(_("{file} is there already and holds something else", file=name))
        return name

    question = Question("file", _("Which file shall hold the pipeline?"), recommended=_free(suggested, text), check=check, paths=True)
    file = interview.ask(question)
    write_whole(Path(file), text)
    return file


def _held(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # a folder, or somebody else's
        return ""


def _free(name: str, text: str) -> str:
    """A name like this that no other pipeline has."""
    path, number = Path(name), 2
    while path.exists() and _held(path) != text:
        path, number = Path(name).with_stem(f"{Path(name).stem}-{number}"), number + 1
    return str(path)


def made_here(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Pipeline files of this folder: name and what they hold."""
    found = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if isinstance(data, dict) and isinstance(data.get("steps"), dict) and data["steps"]:
            found.append((path.name, data))
    return found


def steps_of(data: Mapping[str, Any], *verbs: str) -> list[str]:
    """Steps of a pipeline that have one of these verbs."""
    return [name for name, step in data["steps"].items() if isinstance(step, dict) and any(verb in step for verb in verbs)]


def step_options(data: Mapping[str, Any], names: list[str]) -> list[Option]:
    return [Option(name, name, text_of({name: data["steps"][name]}).strip()) for name in names]
