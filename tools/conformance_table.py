"""Run the conformance kit over the plugins of this repository, and write what came of it to docs/conformance/README.md.

    python tools/conformance_table.py                  # those without a report, each in an isolated environment
    python tools/conformance_table.py tilt acme-hub    # these, anew
    python tools/conformance_table.py --none           # examine nothing: the page alone, after checks or plugins came or went

A report is kept for each plugin (in build/conformance), so that the table can be made in parts; a plugin without one keeps its row.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tunesmith import toml
from tunesmith.errors import TunesmithError
from tunesmith_sdk.conformance import catalog, conform
from tunesmith_sdk.conformance.checks import Check
from tunesmith_sdk.conformance.report.levels import LEVELS
from tunesmith_sdk.conformance.report.outcome import EXPECTED, FAILED, NOT_RUN, PASSED, UNEXPECTED
from tunesmith_sdk.manifest.source import find_sources

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance" / "README.md"
REPORTS = ROOT / "build" / "conformance"
COLUMNS = ("plugin", "kinds", "level", "passed", "failed", "expected", "not run", "in", "with", "on", "what did not pass, and why")
_EVERY = {"source": "Of every plugin, from its source", "worker": "Of every provider", "host": "Of every provider"}
_MARKED = re.compile(r"<!-- (checks|plugins) -->\n(.*?)<!-- /\1 -->\n", re.S)


def plugins() -> dict[str, Path]:
    """Distribution -> source folder, of every plugin of the repository."""
    folders = (path for top in ("plugins", "contrib") for path in find_sources(ROOT / top))
    return {toml.read(folder / "pyproject.toml")["project"]["name"]: folder for folder in folders}


def page(text: str, reports: Mapping[str, Any]) -> str:
    """The page with its generated parts made anew."""
    parts = {"checks": "".join(index()), "plugins": "\n".join(table(rows_of(text), reports)) + "\n"}
    return _MARKED.sub(lambda found: f"<!-- {found[1]} -->\n{parts[found[1]]}<!-- /{found[1]} -->\n", text)


# --- the checks ----------------------------------------------------------------------------------------------------------------------


def index() -> Iterator[str]:
    """Every check, by the kind that it is made of."""
    groups: dict[str, list[Check]] = {}
    for check in sorted(catalog.load().values(), key=lambda check: (check.kind, check.at != "source", LEVELS.index(check.level))):
        groups.setdefault((check.kind and f"`{check.kind}`") or _EVERY[check.at], []).append(check)
    for title, checks in groups.items():
        yield f"\n### {title}\n\n| check | level | the promise |\n|---|---|---|\n"
        yield from (f"| [{check.id}]({check.id}.md) | {check.level} | {check.title} |\n" for check in checks)


# --- the plugins ---------------------------------------------------------------------------------------------------------------------


def rows_of(text: str) -> dict[str, str]:
    """Distribution -> its row of the page."""
    return {found[1]: found[0] for found in re.finditer(r"^\| \[([\w.-]+)\]\(\.\./\.\./.*\|$", text, re.M)}


def table(rows: Mapping[str, str], reports: Mapping[str, Any]) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|" + "---|" * len(COLUMNS)
    for name, folder in plugins().items():
        link = f"[{name}](../../{folder.relative_to(ROOT).as_posix()})"
        if name in reports:
            yield f"| {link} | {' | '.join(row(reports[name]))} |"
        else:
            yield rows.get(name, f"| {link} |{' |' * (len(COLUMNS) - 2)} not examined yet |")


def row(report: Mapping[str, Any]) -> Iterator[str]:
    """A report's cells, without the plugin's name."""
    checks = report["checks"]
    yield ", ".join(dict.fromkeys(check["provider"].partition(".")[0] for check in checks if check["provider"])) or "hooks alone"
    yield report["level"] or "none"
    for states in ((PASSED,), (FAILED, UNEXPECTED), (EXPECTED,), (NOT_RUN,)):
        yield str(sum(check["state"] in states for check in checks))
    yield "the host's" if report["where"] == "host" else "its own"
    yield ", ".join(f"{name} {version}" for name, version in report["libraries"].items())
    yield report["examined"]
    yield "; ".join(reasons(checks))


def reasons(checks: list[Mapping[str, Any]]) -> Iterator[str]:
    """What is said of the checks that did not pass; what is said of several, once."""
    said: dict[str, list[str]] = {}
    for check in checks:
        if check["state"] != PASSED:
            what = f"{check['state']}: {check['what']}".replace("|", "/").replace("\n", " ")
            said.setdefault(what, []).append(check["check"])
    for what, ids in said.items():
        yield f"{', '.join(f'`{id}`' for id in dict.fromkeys(ids))} {what}"


# --- the command ---------------------------------------------------------------------------------------------------------------------


def kept() -> dict[str, Any]:
    """Distribution -> its report."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(REPORTS.glob("*.json"))}


def write() -> None:
    PAGE.write_text(page(PAGE.read_text("utf-8"), kept()), encoding="utf-8")


def examine(name: str, folder: Path, env: str) -> bool:
    """Whether it keeps what it must; its report is kept."""
    print(f"{name} ...", end=" ", flush=True)
    try:
        report = conform(folder, env=env)
    except TunesmithError as error:
        print(error)
        return False
    REPORTS.mkdir(parents=True, exist_ok=True)
    said = report.to_json() | {"examined": date.today().isoformat()}
    (REPORTS / f"{name}.json").write_text(json.dumps(said, indent=2), encoding="utf-8")
    print(report.level or "none")
    return report.ok


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plugins", nargs="*", metavar="PLUGIN", help="a distribution, with or without `tunesmith-`")
    parser.add_argument("--env", choices=("host", "isolated", "auto"), default="isolated", help="where (default: isolated)")
    parser.add_argument("--none", action="store_true", help="examine nothing")
    args = parser.parse_args()
    known = plugins()
    names = [name for name in known if name in args.plugins or name.removeprefix("tunesmith-") in args.plugins]
    if len(names) < len(args.plugins):
        parser.error(f"the plugins are {', '.join(known)}")
    if not names and not args.none:
        names = [name for name in known if name not in kept()]
    kept_promises = True
    for name in names:
        kept_promises &= examine(name, known[name], args.env)
        write()
    write()
    return 0 if kept_promises else 1


if __name__ == "__main__":
    sys.exit(main())
