"""Write docs/formats.md, who makes and who takes formats, from the manifests: `python tools/formats_page.py [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith import toml
from tunesmith.contracts.artifacts import fits

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "formats.md"
MAKERS = ("quantizer", "exporter")
ORIGINS = ("model_loader", "adapter", "verb", *MAKERS)  # who makes a format
#: column -> kinds of those that take a format
TAKERS: Mapping[str, tuple[str, ...]] = {
    "served by": ("inference_backend",),
    "made into another by": MAKERS,
    "evaluated by": ("evaluator",),
}
_HEAD = """# Formats of models: who makes them and who takes them

<!-- Written by tools/formats_page.py from the manifests: run it again after a change. -->

A format of a model or an adapter is what loaders, adapters, verbs, quantizers and exporters say that they write, and what backends,
exporters and evaluators say that they read. Who reads it outside stands in [export](export.md); an adapter in PEFT's layout is merged by
`merge`, and served beside its base by engines that can ([serving](serving.md)). What
a step reads and the step before does not write, the planner converts where somebody can ([pipelines](pipelines.md)); what no engine here
serves is for those that are outside. All of them are held against their parent before they are published ([audit](audit.md)).

"""


def providers() -> list[Mapping[str, Any]]:
    """Of all manifests in this repository, by kind and name."""
    found = [one for path in sorted(ROOT.glob("plugins/*/*/src/*/plugin.toml")) for one in toml.read(path).get("providers", ())]
    return sorted(found, key=lambda one: (one["kind"], one["name"]))


def formats(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """That somebody makes or takes by name: models and adapters without a role."""
    named = {name for one in found for name in (*one.get("produces", ()), *one.get("accepts", ()))}
    return sorted(name for name in named if name.startswith(("model/", "adapter/")) and not set("*+") & set(name))


def row(name: str, found: Sequence[Mapping[str, Any]]) -> list[str]:
    makers = (one for kind in ORIGINS for one in found if one["kind"] == kind and fits(name, tuple(one.get("produces", ()))))
    made = _names(makers)
    return [f"`{name}`", made, *(_names(_takers(name, found, kinds)) for kinds in TAKERS.values())]


def _takers(name: str, found: Sequence[Mapping[str, Any]], kinds: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    return (one for one in found if one["kind"] in kinds and fits(name, tuple(one.get("accepts", ()))))


def _names(found: Iterator[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(f"`{one['name']}`" for one in found))


def page() -> str:
    found = providers()
    columns = ["format", "made by", *TAKERS]
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    lines += [f"| {' | '.join(row(name, found))} |" for name in formats(found)]
    return _HEAD + "\n".join(lines) + "\n"


def main(words: Sequence[str]) -> int:
    if "--check" in words:
        return PAGE.read_text("utf-8") != page()
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
