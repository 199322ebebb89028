"""Translations: what there is to translate, in each package's catalogues (``locale/<language>/LC_MESSAGES/tunesmith.po``), and how much is.

    python tools/translations.py            find the texts, write the catalogues, compile them, and write docs/translations.md
    python tools/translations.py --check    say what of that is not up to date
    python tools/translations.py --missing AREA    print the texts of an area that nobody has translated

English is in the code. A text that went away leaves the catalogue with it; a new one stands there untranslated.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from message_templates import is_text, messages, numbered, sentences

ROOT = Path(__file__).parents[1]
LANGUAGES = ("zh",)
PAGE, BOUNDS = ROOT / "docs" / "translations.md", ROOT / "tests" / "translations" / "bounds.json"
DOMAIN = "tunesmith"
#: area -> what it is; the order is that of the table
AREAS = {
    "wizard": "questions, help and pages of `tunesmith` and `tunesmith wizard`",
    "headings": "names of groups and sections, one-line descriptions of commands",
    "help": "what `--help` says of options, and examples",
    "providers": "one-line descriptions of what plugins bring",
    "settings": "what plugins say of their settings",
    "plan": "what a plan says: steps, decisions with their reasons, warnings",
    "progress": "what a run says as it goes",
    "report": "the page about a run",
    "recommend": "reasons and rules of recommendations",
    "output": "what `recommend`, `tune`, `ask`, `auto`, `data facts` and `probe` print around that",
    "errors": "what happened, why, and what to do",
}
#: modules that say nothing but what is shown: package -> [(area, modules)]
_SHOWN = {
    "tunesmith": [
        ("plan", f"planning/{modules}.py")
        for modules in ("estimates/*", "placement/*", "providers/reasons", "providers/own_artifacts", "providers/selection", "plan*",
                        "inputs/model_source", "pipeline/gate*", "problems")
    ],
    "tunesmith_cli": [
        *(("progress", f"display/{module}.py") for module in ("event_messages", "summary", "time_left", "plain_lines")),
        ("output", "commands/doctor_self_test.py"),
    ],
    "tunesmith_report": [("report", "[a-rt]*.py"), ("report", "steps.py")],
    "tunesmith_recommend": [
        ("recommend", f"{modules}.py") for modules in ("choice/*", "diagnosis/*", "evidence/correction", "machine/probe")
    ],
    "tunesmith_tune": [
        *(("output", f"{modules}.py") for modules in ("study/loop", "study/patience", "budget", "commands/preparation")),
    ],
    "tunesmith_bench": [("output", f"{modules}.py") for modules in ("results/marks", "results/comparison", "results/point", "rate_search")],
    "tunesmith_audit": [("plan", "estimate.py"), ("plan", "report_text.py")],
    "tunesmith_gateway": [("output", "commands/switch.py")],
    "tunesmith_import": [("output", f"{modules}.py") for modules in ("importers/*", "training/*", "mapping/account")],
    "tunesmith_auto": [("output", f"{modules}.py") for modules in ("policy", "rate_search")],
    "tunesmith_data": [("plan", "verbs/*.py"), ("plan", "contamination/plan_warning.py")],
    "tunesmith_devices": [("plan", "outcome.py")],
    "tunesmith_statistics": [("plan", "resolution.py")],
    "tunesmith_torch": [("plan", "estimate/label_preview.py"), ("plan", "estimate/micro_batch.py"), ("plan", "model/model_impl.py"),
                        ("plan", "model/architecture.py")],
    "tunesmith_transformers": [("plan", "estimate.py")],
}  # fmt: skip
#: area of the texts that a package looks up itself, where it is not that of commands' output
_LOOKED_UP = {"tunesmith_wizard": "wizard", "tunesmith_cli": "help"}
_CODE = frozenset({"errors", "plan", "progress", "help", "texts"})


def packages() -> Iterator[Path]:
    """Folders of all packages of this repository that somebody installs."""
    yield ROOT / "core/src/tunesmith"
    yield ROOT / "cli/src/tunesmith_cli"
    for manifest in sorted(ROOT.glob("plugins/*/*/src/*/plugin.toml")):
        yield manifest.parent


def texts(package: Path) -> dict[str, str]:
    """Template -> area, of everything that a package says to somebody."""
    found: dict[str, str] = {}

    def take(area: str, text: str, *, listed: bool = False) -> None:
        text = numbered(text.strip())
        if listed or is_text(text):
            found.setdefault(text, area)

    for area, text in _declared(package):
        take(area, text)
    for path in sorted(package.rglob("*.py")):
        for area, text in messages(path, _CODE):
            if area == "texts":  # looked up as they stand
                found.setdefault(text, _LOOKED_UP.get(package.name, "output"))
            else:
                take(_area(area, package, path), text)
    for area, pattern in _SHOWN.get(package.name, ()):
        for path in sorted(package.glob(pattern)):
            for text in sentences(path):
                take(area, text)
    for area, text in _further(package):
        take(area, text, listed=True)
    return found


def _area(area: str, package: Path, path: Path) -> str:
    if area == "progress" and "display" not in path.parts:
        return "wizard" if package.name == "tunesmith_wizard" else area
    return area


def _declared(package: Path) -> Iterator[tuple[str, str]]:
    """What manifests say."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    for path in sorted(package.rglob("plugin.toml")):
        yield from _of_manifest(tomllib.loads(path.read_text(encoding="utf-8")))


def _of_manifest(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("headings", command["summary"]) for command in manifest.get("commands", ()))
    for provider in manifest.get("providers", ()):
        yield ("headings" if provider["kind"] in ("verb", "objective") else "providers"), provider["summary"]
        yield from (("help", part["summary"]) for name in ("slots", "inputs") for part in provider.get(name, ()) if part.get("summary"))
        schema = provider.get("schema", {})
        yield from _descriptions(json.loads(schema) if isinstance(schema, str) else schema)
        said = provider.get("facts", {}).get("recommend", {})
        yield from (("recommend", one["rule"]) for one in (said if isinstance(said, list) else [said]) if one.get("rule"))


def _descriptions(schema: object) -> Iterator[tuple[str, str]]:
    if isinstance(schema, dict):
        for entry in schema.get("properties", {}).values():
            if isinstance(entry, dict):
                yield "settings", str(entry.get("description", ""))
                yield from _descriptions(entry)


def _further(package: Path) -> Iterator[tuple[str, str]]:
    """Texts that the package lists itself: a JSON list of [area, template] beside its catalogues."""
    path = package / "locale" / "texts.json"
    if path.is_file():
        yield from json.loads(path.read_text(encoding="utf-8"))
    for table in package.rglob("importers/keys/*.toml"):
        yield from (("output", group[part]) for group in _reasons(table) for part in ("because", "instead") if group.get(part))
    for rules in (*package.rglob("rules.json"), *package.rglob("policy.json")):
        yield from (("recommend", rule["text"]) for rule in json.loads(rules.read_text(encoding="utf-8")).values())


def _reasons(table: Path) -> list[dict[str, Any]]:
    """Groups of keys of another tool that have no setting here, with the reason."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    written = tomllib.loads(table.read_text(encoding="utf-8"))
    return [*written.get("no-effect", ()), *written.get("refused", ())]


def catalog_of(package: Path, language: str) -> tuple[Path, Catalog]:
    """The catalogue as it should be: all texts by area, with the translations that are there."""
    path = package / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    before = Catalog(locale=language)
    if path.is_file():
        with path.open("rb") as file:
            before = read_po(file, locale=language)
    catalog = Catalog(locale=language, header_comment=f"# {package.name}: written by tools/translations.py, translated by hand.")
    order = list(AREAS)
    for text, area in sorted(texts(package).items(), key=lambda item: (order.index(item[1]), item[0])):
        known = before.get(text)
        catalog.add(text, known.string if known else "", auto_comments=[area])
    return path, catalog


_CHANGING = tuple(f'"{name}' for name in ("POT-", "PO-Rev", "Last-T", "Language-T", "Generated", "Project", "Report", "Plural"))


def po_text(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, width=140, omit_header=False, sort_output=False, include_lineno=False)
    lines = [line for line in file.getvalue().decode().splitlines() if not line.startswith(_CHANGING)]
    return ("\n".join(line for line in lines if line != "#, fuzzy").strip() + "\n").encode()


class _Compiled(Catalog):
    """Without dates, so that the same texts are the same bytes."""

    mime_headers = property(lambda self: [("Content-Type", "text/plain; charset=utf-8")])  # type: ignore[assignment]


def mo_bytes(text: bytes) -> bytes:
    compiled, file = _Compiled(), io.BytesIO()
    for message in read_po(io.BytesIO(text)):
        if message.id and message.string:
            compiled.add(message.id, message.string)
    write_mo(file, compiled)
    return file.getvalue()


def coverage() -> tuple[dict[Path, bytes], dict[str, dict[str, list[str]]]]:
    """The files as they should be, and for each language and area the texts that are missing, with how many there are."""
    files: dict[Path, bytes] = {}
    found: dict[str, dict[str, list[str]]] = {}
    for language in LANGUAGES:
        areas: dict[str, list[str]] = {area: [] for area in AREAS}
        for package in packages():
            path, catalog = catalog_of(package, language)
            entries = [message for message in catalog if message.id]
            for message in entries:
                areas[message.auto_comments[0]].append(("+" if message.string else "-") + str(message.id))
            if any(message.string for message in entries) or path.is_file():
                files[path] = po_text(catalog)
                files[path.with_suffix(".mo")] = mo_bytes(files[path])
        found[language] = areas
    files[PAGE] = page(found).encode()
    return files, found


def missing(texts: list[str]) -> list[str]:
    return [text[1:] for text in texts if text.startswith("-")]


def page(found: dict[str, dict[str, list[str]]]) -> str:
    lines = [
        "# Translations", "",
        "Texts stand in English in the code and are translated where they are shown, by catalogues in gettext's form in each package's",
        "`locale/` ([how](wizard.md#languages)). `python tools/translations.py` finds the texts, brings the catalogues up to date and",
        "writes this page; a test holds what is missing to [bounds](../tests/translations/bounds.json) that only fall. Words that stand",
        "for one another: [Chinese](glossary-zh.md).", "",
        "| area | what it is | texts | " + " | ".join(f"`{language}`" for language in LANGUAGES) + " |",
        "|---|---|---|" + "---|" * len(LANGUAGES),
    ]  # fmt: skip
    for area, what in AREAS.items():
        counts = [len(found[language][area]) for language in LANGUAGES]
        done = [f"{count - len(missing(found[language][area]))}" for language, count in zip(LANGUAGES, counts, strict=True)]
        lines.append(f"| {area} | {what} | {counts[0]} | {' | '.join(done)} |")
    return "\n".join(lines) + "\n"


def main(words: list[str]) -> int:
    files, found = coverage()
    if words[:1] == ["--missing"]:
        for text in missing(found[LANGUAGES[0]][words[1]]):
            print(json.dumps(text, ensure_ascii=False))
        return 0
    old = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
    if "--check" in words:
        for path in old:
            print(f"{path.relative_to(ROOT)} is not up to date: python tools/translations.py")
        return bool(old)
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path])
    for language, areas in found.items():
        print(language, {area: f"{len(texts) - len(missing(texts))}/{len(texts)}" for area, texts in areas.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
