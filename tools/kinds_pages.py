"""Write the generated parts of docs/kinds/*.md and docs/types.md: `python tools/kinds_pages.py [--check]`.

A part stands between two markers (`<!-- contract -->` and `<!-- /contract -->`); what is around it is written by hand. Contracts come from
core/src/tunesmith/contracts and from the plugins that bring a kind, examples from the scaffold's templates, checks from the kit's register.
"""

from __future__ import annotations

import atexit
import dataclasses
import importlib
import inspect
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml

from tunesmith import hookspecs
from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith.contracts.provider import API, Input, Need, Provider, Slot, Verb
from tunesmith.contracts.settings import schema_of, setting
from tunesmith.contracts.step import Placement, Step
from tunesmith_data.api import Message, Part
from tunesmith_models import ModelShape
from tunesmith_sdk.conformance import catalog
from tunesmith_sdk.conformance.report.levels import LEVELS
from tunesmith_sdk.scaffold.template_repository import write_template
from tunesmith_sdk.templates import scaffold_of
from tunesmith_serve import Endpoint

sys.path.insert(0, str(Path(__file__).resolve().parent))
from hooks_page import ROOT, brought

FOLDER = ROOT / "docs" / "kinds"
NAME, DISTRIBUTION = "tilt", "acme-tilt"
#: files of an example beside `<kind>.py`: for readers in the order in which they are needed
_FILES = ("plugin.py", "settings.py", "generation.py")
TYPES = FOLDER.parent / "types.md"
_MARKED = re.compile(r"<!-- (contract|example|checks|step|record|settings|rows|estimates|endpoints) -->\n(.*?)<!-- /\1 -->\n", re.S)


def pages() -> dict[Path, str]:
    """Every page of a kind, their index, and what several kinds meet, as they should be."""
    return {path: written(path) for path in paths()}


def paths() -> list[Path]:
    """Where they are."""
    return [FOLDER / "README.md", TYPES, *(FOLDER / f"{kind}.md" for kind in kinds())]


def kinds() -> list[str]:
    """Names of all kinds: the kernel's and those that plugins of this repository bring."""
    return [*API, *brought()]


def written(path: Path) -> str:
    """A page with its generated parts made anew."""
    parts: dict[str, Callable[[], str]] = {
        "contract": lambda: contract(path.stem), "example": lambda: example(path.stem), "checks": lambda: checks(path.stem),
        "step": lambda: "".join(_class(cls) for cls in (Step, Placement)),
        "record": lambda: "".join(_class(cls) for cls in (Provider, Need)), "settings": settings,
        "rows": lambda: "".join(map(_class, (Message, Part))), "endpoints": lambda: _class(Endpoint, Endpoint.__init__),
        "estimates": lambda: "".join(map(_class, (EstimateRequest, ModelShape, Estimate))),
    }  # fmt: skip

    def filled(found: re.Match[str]) -> str:
        return f"<!-- {found[1]} -->\n{parts[found[1]]().strip()}\n<!-- /{found[1]} -->\n"

    return _MARKED.sub(filled, path.read_text(encoding="utf-8"))


# --- contracts -----------------------------------------------------------------------------------------------------------------------


def contract(kind: str) -> str:
    """What is asked of a kind, from its module and its hook."""
    if kind in brought():
        return _brought_contract(kind)
    hook = getattr(hookspecs, kind)
    since = re.search(r"Since (\d+\.\d+)\.", inspect.getdoc(hook) or "")
    module = importlib.import_module(f"tunesmith.contracts.{'provider' if kind == 'verb' else f'kinds.{kind}'}")
    classes = [Verb, Input, Slot] if kind == "verb" else [one for one in vars(module).values() if _is_of(one, module)]
    signature = _signature(hook)
    head = f"Hook `{kind}{signature}` ([example](../hooks.md#{kind})), contract version {API[kind]}, since {since[1] if since else '?'}; "
    head += f"module `{module.__name__}`.\n\n"
    text = "" if kind == "verb" else "\n\n".join(_prose(inspect.getdoc(module) or "").split("\n\n")[1:]) + "\n\n"
    return head + text.lstrip("\n") + "".join(_class(one) for one in classes)


def _brought_contract(kind: str) -> str:
    told, plugin = brought()[kind]
    module = importlib.import_module(told.contract.partition(":")[0])
    head = f"Hook `{kind}() -> Providers` ([example](../hooks.md#{kind})), contract version {told.api}; module `{module.__name__}`. "
    head += f"The kind is brought by `{plugin.distribution}`.\n\n"
    text = "\n\n".join(_prose(inspect.getdoc(module) or "").split("\n\n")[1:]) + "\n\n"
    return head + text.lstrip("\n") + "".join(_class(one) for part in _parts(module) for one in vars(part).values() if _is_of(one, part))


def _parts(module: Any) -> list[Any]:
    """The modules of a contract: its own, and those beside it of which it names a class."""
    beside = (one.__module__ for one in vars(module).values() if inspect.isclass(one))
    named = [name for name in dict.fromkeys(beside) if name.rpartition(".")[0] == module.__package__ and name != module.__name__]
    return [module, *map(importlib.import_module, named)]


def _is_of(thing: Any, module: Any) -> bool:
    return inspect.isclass(thing) and thing.__module__ == module.__name__


#: every type that a setting may have
_TYPES: dict[str, Any] = {
    "`bool`": bool, "`int`": int, "`float`": float, "`str`": str, "`list[int]`": list[int], "`dict[str, float]`": dict[str, float],
    "`str | None`": str | None, "`int | list[int]`": int | list[int], "another settings dataclass": Placement, "`Any`": Any,
}  # fmt: skip


def settings() -> str:
    """The types of settings with the schema that comes of each, and what else `setting` takes."""
    rows = []
    for name, hint in _TYPES.items():
        entry = schema_of(dataclasses.make_dataclass("Settings", [("field", hint)]))["properties"]["field"]
        shown = "an object of its settings" if hint is Placement else f"`{json.dumps(entry)}`" if entry else "anything that JSON can say"
        rows.append(f"| {name.replace('|', chr(92) + '|')} | {shown} |")
    names = ", ".join(f"`{name}`" for name in inspect.signature(setting).parameters if name not in ("default", "help"))
    table = "\n".join(["| a setting's type | in the schema |", "|---|---|", *rows])
    return f"{table}\n\n`setting(default, help, ...)` takes {names}. {_prose(inspect.getdoc(setting) or '')}\n"


def _class(cls: type, documented: Callable[..., Any] | None = None) -> str:
    text, entries = sections(inspect.getdoc(cls) or "") if cls.__doc__ else ("", {})
    if dataclasses.is_dataclass(cls):
        about = {**_inherited(cls), **dict(entries.get("Args", ()))}
        rows = [f"| `{field.name}` | `{_type(field)}` | {about.get(field.name, '')} |" for field in dataclasses.fields(cls)]
        table = "\n".join(["| field | type, default | |", "|---|---|---|", *rows])
        return f"### `{cls.__name__}`\n\n{_own(text, cls)}{table}\n\n"
    said = f"{text}\n\n" if text else ""
    if documented:
        said += f"```python\n{cls.__name__}{_signature(documented)}\n```\n\n".replace(" -> None", "")
    about = [f"- `{name}`: {what}" for name, what in entries.get("Args", ())]
    said += "\n".join(about) + "\n\n" if about else ""
    return f"### `{cls.__name__}`\n\n{said}" + "".join(_members(cls)) + "\n"


def _own(text: str, cls: type) -> str:
    return "" if text.startswith(f"{cls.__name__}(") or not text else f"{text}\n\n"


def _inherited(cls: type) -> dict[str, str]:
    return {name: text for base in cls.__mro__[1:-1] for name, text in sections(inspect.getdoc(base) or "")[1].get("Args", ())}


def _members(cls: type) -> Iterator[str]:
    facts = [name for name in inspect.get_annotations(cls) if not name.startswith("_")]
    if facts:
        hints = {name: getattr(hint, "__forward_arg__", hint) for name, hint in inspect.get_annotations(cls).items()}
        yield f"Attributes: {', '.join(f'`{name}: {hint}`' for name, hint in hints.items())}.\n\n"
    for name, method in vars(cls).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            text, entries = sections(inspect.getdoc(method) or "")
            yield f"```python\n{name}{_signature(method)}\n```\n\n{text}\n\n"
            for title in ("Args", "Raises"):
                label = "" if title == "Args" else "raises "
                lines = [f"- {label}`{key}`: {said}" for key, said in entries.get(title, ())]
                yield "\n".join(lines) + "\n\n" if lines else ""


def _signature(function: Callable[..., Any]) -> str:
    """Without `self`, and annotations without the quotes that postponed evaluation gives them."""
    return re.sub(r"\(self(, )?", "(", re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function))))


def _type(field: dataclasses.Field[Any]) -> str:
    hint = str(field.type).replace("|", "\\|")
    if field.default is not dataclasses.MISSING:
        return f"{hint} = {field.default!r}"
    return f"{hint} = {field.default_factory()!r}" if field.default_factory is not dataclasses.MISSING else hint


def sections(doc: str) -> tuple[str, dict[str, list[tuple[str, str]]]]:
    """A docstring's prose, and the entries of its `Args:` and `Raises:`."""
    prose: list[str] = []
    entries: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] | None = None
    for line in doc.splitlines():
        if line in ("Args:", "Raises:"):
            current = entries.setdefault(line[:-1], [])
        elif current is None or (line and not line.startswith(" ")):
            current = None
            prose.append(line)
        elif entry := re.match(r"    ([\w, ]+): (.*)", line):
            current += [(name.strip(), _code(entry[2])) for name in entry[1].split(",")]
        elif line.strip() and current:
            current[-1] = (current[-1][0], f"{current[-1][1]} {_code(line.strip())}")
    return _prose("\n".join(prose)), entries


def _prose(text: str) -> str:
    """Paragraphs on a line each, code in Markdown's way."""
    return "\n\n".join(" ".join(_code(paragraph).split()) for paragraph in text.split("\n\n") if paragraph.strip())


def _code(text: str) -> str:
    return text.replace("``", "`")


# --- examples ------------------------------------------------------------------------------------------------------------------------


def example(kind: str) -> str:
    """What `tunesmith plugin new` makes, without what is the same for each kind."""
    files = rendered(kind)
    parts = []
    for path in (*_FILES[:2], f"{kind}.py", *_FILES[2:]):
        name = f"src/acme_tilt/{path}"
        if name in files:
            parts.append(f"`{name}`:\n\n```python\n{files[name]}```\n\n")
    return "".join(parts)


@cache
def _template() -> Path:
    """The scaffold's template with those of the kinds that plugins of this repository bring."""
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    found = {name: scaffold_of(plugin, name) for name, (_, plugin) in brought().items()}
    write_template(folder, {name: scaffold.folder for name, scaffold in found.items() if scaffold})
    return folder


def rendered(kind: str) -> dict[str, str]:
    """The files of the example plugin of a kind, from the scaffold's template."""
    template = _template()
    questions = yaml.safe_load((template / "copier.yml").read_text(encoding="utf-8"))
    place = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template), keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )  # as in copier.yml
    place.filters["to_json"] = json.dumps
    answers: dict[str, Any] = {"kind": kind, "name": NAME, "distribution": DISTRIBUTION, "author": "A. Person"}
    answers["_copier_conf"] = {"answers_file": ".copier-answers.yml"}
    answers["_copier_answers"] = {}
    for question, asked in questions.items():
        if not question.startswith("_") and question not in answers:
            value = place.from_string(str(asked.get("default", ""))).render(answers)
            answers[question] = value == "True" if asked["type"] == "bool" else value
    files = {}
    for path in sorted((template / "project").rglob("*.jinja")):
        name = place.from_string(path.relative_to(template / "project").as_posix()).render(answers).removesuffix(".jinja")
        if path.is_file() and not name.endswith("/") and not name.startswith(".") and "//" not in name:
            files[name] = place.get_template(path.relative_to(template).as_posix()).render(answers)
    return files


# --- checks --------------------------------------------------------------------------------------------------------------------------


def checks(kind: str) -> str:
    """The kit's checks: those of the kind, then those of every plugin."""
    found = catalog.load().values()
    own = [check for check in found if check.kind == kind]
    common = [check for check in found if not check.kind]
    parts = []
    for title, chosen in (("Of this kind", own), ("Of every plugin", common)):
        chosen.sort(key=lambda check: LEVELS.index(check.level))
        rows = [f"| [{check.id}](../conformance/{check.id}.md) | {check.level} | {check.title} |" for check in chosen]
        parts.append("\n".join([f"| {title.lower()} | level | the promise |", "|---|---|---|", *rows]) + "\n\n" if rows else "")
    return "".join(parts)


def main() -> int:
    made = pages()
    if "--check" in sys.argv[1:]:
        return int(any(path.read_text(encoding="utf-8") != text for path, text in made.items()))
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
