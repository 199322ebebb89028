"""A tool's keys as data: what each becomes here.

```toml
tool = "oven"                 # as it is called in comments
version = "2.1"               # whose definitions the table was written by
includes = ["transformers"]   # tables whose keys it has, too; its own go before
signs = ["crust"]             # keys that no other tool has, by which its files are known
code = ["batch", "pieces"]    # keys that the importer's code translates together

[defaults]                    # the tool's, of what stands in `code`
batch = 4

[mapped]                      # one key, one setting
heat = { to = "settings.learning_rate", default = 1e-4 }
rank = { to = "adapter.r", with = ["lora"], default = 8 }

[[no-effect]]
keys = ["shelf"]
because = "artifacts lie in the project's store"

[[refused]]
keys = ["steam"]
because = "there is no steam here"
instead = "bake longer"
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tunesmith.toml import read

MAPPED, REFUSED, NO_EFFECT, UNKNOWN = "mapped", "refused", "no effect", "unknown"
_OWN = "tunesmith_import.importers.keys"


@dataclass(frozen=True)
class Rule:
    """What becomes of a key.

    Args:
        kind: ``mapped``, ``refused`` or ``no effect``.
        to: of `mapped`: the path in the pipeline, whose first part is a part of the step (``settings.learning_rate``, ``adapter.r``);
            empty: the importer's code translates it.
        with_: names of objectives, adapters or optimizers with which it is read; empty: with any.
        values: theirs -> ours, of what is written otherwise.
        off: values with which a refused key asks for nothing, beside those that are empty or false.
    """

    kind: str
    to: str = ""
    with_: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    default: Any = None
    because: str = ""
    instead: str = ""
    off: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Table:
    tool: str
    version: str
    signs: tuple[str, ...]
    rules: Mapping[str, Rule]
    defaults: Mapping[str, Any]

    def rule(self, key: str) -> Rule | None:
        """That of a key, or of the longest beginning of it that has one: what lies below a key is of it."""
        parts = key.split(".")
        return next((self.rules[name] for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in self.rules), None)


@cache
def read_table(place: str) -> Table:
    """
    Args:
        place: ``package:file.toml``, or a name of this distribution's own.
    """
    package, _, name = place.rpartition(":")
    written = read(Path(str(files(package or _OWN) / (name if package else f"{name}.toml"))))
    rules: dict[str, Rule] = {}
    defaults: dict[str, Any] = {}
    for included in written.get("includes", ()):
        table = read_table(included)
        rules |= table.rules
        defaults |= table.defaults
    rules |= dict(_rules(written))
    defaults |= written.get("defaults", {})
    return Table(written.get("tool", ""), str(written.get("version", "")), tuple(written.get("signs", ())), rules, defaults)


def _rules(written: Mapping[str, Any]) -> Iterator[tuple[str, Rule]]:
    for name in written.get("code", ()):
        yield name, Rule(MAPPED)
    for name, rule in written.get("mapped", {}).items():
        values = rule.get("values", {})
        yield name, Rule(MAPPED, rule["to"], tuple(rule.get("with", ())), values, rule.get("default"))
    for section, kind in (("no-effect", NO_EFFECT), ("refused", REFUSED)):
        for group in written.get(section, ()):
            rule = Rule(kind, because=group["because"], instead=group.get("instead", ""), off=tuple(group.get("off", ())))
            yield from ((name, rule) for name in _names(group["keys"]))


def rules(kind: str, *keys: str, because: str = "", instead: str = "") -> dict[str, Rule]:
    """Rules of keys that become the same, for a table in Python: ``mapped`` ones are translated by the importer's code."""
    return {key: Rule(kind, because=because, instead=instead) for key in keys}


def _names(keys: str | Sequence[str]) -> list[str]:
    return keys.split() if isinstance(keys, str) else list(keys)
