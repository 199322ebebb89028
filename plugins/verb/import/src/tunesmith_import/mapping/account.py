"""What became of each key: mapped to where, refused why, without effect why, or unknown. Nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tunesmith.errors import UserError, shown
from tunesmith_import.configuration.configuration import Configuration, Entry, plain
from tunesmith_import.configuration.python_script import Expression
from tunesmith_import.mapping.draft import Origin
from tunesmith_import.mapping.table import MAPPED, NO_EFFECT, REFUSED, UNKNOWN, Table

_OFF = (None, False, 0, "", [], {}, "none", "None", "no", "off", "false", "null", ["none"], "auto")
_NOT_READ = "it is computed while the script runs"


@dataclass
class Verdict:
    """
    Args:
        kind: ``mapped``, ``refused``, ``no effect`` or ``unknown``.
        to: of what is mapped, the places in the pipeline.
        because: of what is not mapped, the reason; of an unknown key empty or the known one that is near.
    """

    entry: Entry
    kind: str
    to: tuple[str, ...] = ()
    because: str = ""
    instead: str = ""

    def to_json(self) -> dict[str, Any]:
        said = {"key": self.entry.key, "line": self.entry.line, "file": self.entry.file, "value": self.entry.value, "verdict": self.kind}
        return said | {name: found for name in ("to", "because", "instead") if (found := getattr(self, name))}


class Account:
    """The keys of a configuration as an importer goes through them.

    Args:
        further: configurations that the first one names (DeepSpeed's JSON, dataset_info.json) come with `join`.
    """

    def __init__(self, configuration: Configuration, table: Table) -> None:
        self.configuration, self.table = configuration, table
        self._entries = {entry.key: entry for entry in configuration.entries}
        self._verdicts: dict[str, Verdict] = {}
        self._defaults: dict[str, Any] = dict(table.defaults)

    def given(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: str, otherwise: Any = None) -> Any:
        """The value, else the tool's default, else `otherwise`; a key that is there with nothing in it counts as left out."""
        entry = self._entries.get(key)
        if entry is not None and entry.value is not None and not isinstance(entry.value, Expression):
            return entry.value
        return self._defaults.get(plain(key), otherwise)

    def default(self, key: str, value: Any) -> None:
        """The tool's default where it follows from other keys."""
        self._defaults[plain(key)] = value

    def verdict(self, key: str) -> Verdict | None:
        return self._verdicts.get(key)

    def refused(self, key: str) -> bool:
        return key in self._verdicts and self._verdicts[key].kind == REFUSED

    def origin(self, key: str) -> Origin:
        """Where a key's value is from, without a verdict."""
        entry = self._entries.get(key)
        return Origin(key, entry.line, entry.file) if entry else Origin(key, tool=self.table.tool)

    def take(self, key: str, to: str) -> Origin:
        """Note that a key is mapped to a place; a key that is left out has the tool's default.

        Returns: where the value is from, for the comment.
        """
        entry = self._entries.get(key)
        if entry is None:
            return Origin(key, tool=self.table.tool)
        if isinstance(entry.value, Expression):
            self.refuse(key, _NOT_READ, "write its value into the pipeline")
            return Origin(key, tool=self.table.tool)
        if entry.value is None:
            self.skip(key, "nothing is given")
            return Origin(key, tool=self.table.tool)
        before = self._verdicts.get(key)
        if before is None or before.kind != MAPPED:
            self._verdicts[key] = Verdict(entry, MAPPED, (to,))
        elif to not in before.to:
            before.to = (*before.to, to)
        return Origin(key, entry.line, entry.file)

    def refuse(self, key: str, because: str, instead: str = "") -> None:
        """Note that a key, if it is there, has no place here."""
        self._note(key, REFUSED, because, instead)

    def skip(self, key: str, because: str, instead: str = "") -> None:
        """Note that a key, if it is there, has no effect here."""
        self._note(key, NO_EFFECT, because, instead)

    def _note(self, key: str, kind: str, because: str, instead: str) -> None:
        entry = self._entries.get(key)
        if entry is None:
            return
        if kind == REFUSED and entry.value is None:
            kind, because, instead = NO_EFFECT, "nothing is given", ""
        self._verdicts[key] = Verdict(entry, kind, (), because, instead)

    def below(self, key: str) -> list[str]:
        """Keys of the configuration that lie below one, in its order, and itself."""
        return [name for name in self._entries if name == key or name.startswith((f"{key}.", f"{key}["))]

    def join(self, entries: Mapping[str, Entry]) -> None:
        """Entries of a further file, each under a key of its own."""
        self._entries |= entries

    def open(self) -> Iterator[Entry]:
        """Keys without a verdict."""
        return iter([entry for key, entry in self._entries.items() if key not in self._verdicts])

    def close(self) -> None:
        """Give what is left its verdict by the table."""
        for entry in self.open():
            rule = self.table.rule(plain(entry.key))
            if rule is None:
                self._verdicts[entry.key] = Verdict(entry, UNKNOWN, (), "", self._near(plain(entry.key)))
            elif rule.kind == REFUSED and any(_same(entry.value, one) for one in (*_OFF, *rule.off)):
                self.skip(entry.key, "it asks for nothing with this value")
            elif rule.kind == MAPPED:
                because = "it is read there only with other settings" if not isinstance(entry.value, Expression) else _NOT_READ
                kind = self.skip if not isinstance(entry.value, Expression) else self.refuse
                kind(entry.key, because)
            else:
                self._verdicts[entry.key] = Verdict(entry, rule.kind, (), rule.because, rule.instead)

    def _near(self, key: str) -> str:
        found = get_close_matches(key, self.table.rules, 1, 0.75)
        return found[0] if found else ""

    def verdicts(self) -> list[Verdict]:
        """In the order of the configuration."""
        return [self._verdicts[key] for key in self._entries if key in self._verdicts]

    def of(self, kind: str) -> list[Verdict]:
        return [verdict for verdict in self.verdicts() if verdict.kind == kind]

    def number(self, key: str, otherwise: float = 0) -> float:
        """A number.

        Raises:
            UserError: TS-IMPORT-005 when it is none.
        """
        value = self.get(key, otherwise)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise self.wrong(key, "a number") from None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(key, "a number")
        return int(value) if float(value).is_integer() else value

    def text(self, key: str, otherwise: str = "") -> str:
        value = self.get(key, otherwise)
        return "" if value is None else str(value)

    def true(self, key: str) -> bool:
        """Whether a switch is on.

        Raises:
            UserError: TS-IMPORT-005 when it is neither on nor off.
        """
        value = self.get(key, False)
        if isinstance(value, str) and value.casefold() in ("true", "false", "yes", "no", "on", "off", "auto", ""):
            return value.casefold() in ("true", "yes", "on", "auto")
        if not isinstance(value, (bool, int)):
            raise self.wrong(key, "true or false")
        return bool(value)

    def names(self, key: str) -> list[str]:
        """A list of names, or one text with commas."""
        value = self.get(key, [])
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return [str(part) for part in value] if isinstance(value, list) else [str(value)]

    def wrong(self, key: str, wanted: str) -> UserError:
        entry = self._entries.get(key)
        place = f"{entry.file}:{entry.line}: " if entry else ""
        found = shown(entry.value if entry else self.table.defaults.get(key))
        return UserError("TS-IMPORT-005", f"{place}`{key}: {found}` is not {wanted}", fix=f"Write {wanted}, as {self.table.tool} takes it.")


def _same(value: Any, other: Any) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)
