"""What a plugin's author says to the kit, in pyproject.toml::

[tool.tunesmith.conformance]
author = "tests/conformance_author.py"        # functions: see tunesmith_sdk.conformance.author_functions

[tool.tunesmith.conformance.settings]
"quantizer.tiny" = {group_size = 32}          # settings of the provider under test, where its defaults don't suit a tiny model

[tool.tunesmith.conformance.devices]
"trainer_strategy.tiny" = "cpu"               # where its author's functions answer for a device that is not here

[tool.tunesmith.conformance.tolerances]
"adapter.merges" = 1e-3                       # shown in the report

[tool.tunesmith.conformance.expected-failures]
"quantizer.deterministic" = "its library seeds by the clock: issue 12"    # of all its providers
"quantizer.tiny:quantizer.smaller" = "..."                                # of one
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith import toml
from tunesmith.contracts.settings import problems
from tunesmith.errors import UserError
from tunesmith_sdk.conformance import catalog

_TABLE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "author": {"type": "string", "minLength": 1},
        "settings": {"type": "object", "additionalProperties": {"type": "object"}},
        "devices": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        "tolerances": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
        "expected-failures": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
    },
}


@dataclass(frozen=True)
class Declared:
    """The table, read."""

    author: str = ""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tolerances: Mapping[str, float] = field(default_factory=dict)
    expected: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)

    def reason(self, provider: str, check: str) -> str:
        """Why a check is expected to fail; empty if it is not."""
        return self.expected.get(f"{provider}:{check}") or self.expected.get(check, "")

    def fit(self, planned: Sequence[tuple[str, str]], schemas: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
        """Whether what is named is there: an expected failure of what nobody tries would be a note that nobody reads.

        Args:
            planned: provider (``kind.name``) and id of every check that is made of the plugin.
            schemas: provider -> what its settings may be.

        Raises:
            UserError: TS-PLUGIN-012 for what is not.
        """
        providers = sorted({provider for provider, _ in planned if provider})
        keys = {f"{provider}:{check}" for provider, check in planned} | {check for _, check in planned}
        found = [f"it expects `{key}` to fail, which is not made of this plugin" for key in self.expected if key not in keys]
        found += [f"it has settings of `{name}`, which the plugin does not bring" for name in self.settings if name not in providers]
        found += [f"it has a device of `{name}`, which the plugin does not bring" for name in self.devices if name not in providers]
        found += [
            f"its setting `{path}` of `{name}` {sentence}"
            for name in self.settings
            for path, sentence in problems({**schemas.get(name, {}), "required": ()}, self.settings[name])
        ]
        if found:
            fix = f"Write `kind.name:check`, or the check alone; it brings {', '.join(providers) or 'hooks alone'}."
            raise UserError("TS-PLUGIN-012", f"{folder / 'pyproject.toml'}: [tool.tunesmith.conformance]: {'; '.join(found)}", fix=fix)


def read(folder: Path) -> Declared:
    """The table of a source folder.

    Raises:
        UserError: TS-PLUGIN-012 for what it can't say: an unknown check, an expected failure without a reason.
    """
    path = folder / "pyproject.toml"
    table = toml.read(path).get("tool", {}).get("tunesmith", {}).get("conformance", {})
    found = [f"`{where}` {sentence}" for where, sentence in problems(_TABLE, table)]
    known = catalog.load()
    named = [*table.get("tolerances", {}), *(key.rpartition(":")[2] for key in table.get("expected-failures", {}))]
    found += [f"there is no check `{name}`" for name in named if name not in known]
    author = (folder / table["author"]).resolve() if isinstance(table.get("author"), str) else None
    if author and not author.is_file():
        found.append(f"there is no file {author}")
    if found:
        raise UserError(
            "TS-PLUGIN-012", f"{path}: [tool.tunesmith.conformance]: {'; '.join(found)}", why="An expected failure needs a reason.",
            fix="Correct the table.",
        )  # fmt: skip
    parts = (table.get(name, {}) for name in ("settings", "tolerances", "expected-failures", "devices"))
    return Declared(str(author or ""), *parts)
