"""An importer by a table: its code shapes the step and translates what belongs together, the table does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_import.api.contract import Options
from tunesmith_import.configuration.configuration import Configuration
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.mapping.table import Rule, Table, read_table


class TableImporter:
    """
    Subclasses say which `table` (``package:file.toml``) and override `shape`; `commands` are the programs that start the tool.
    """

    table = ""
    commands: tuple[str, ...] = ()

    def keys(self) -> Mapping[str, str]:
        return {name: rule.kind for name, rule in self._table.rules.items()}

    @property
    def _table(self) -> Table:
        return read_table(self.table)

    def claim(self, configuration: Configuration) -> float:
        """Certain for its own command; else by the keys that it alone has, and by how many of all it knows."""
        if configuration.form == "command" and configuration.command:
            return float(configuration.command.partition(" ")[0] in self.commands)
        if configuration.form != "keys":
            return 0.0
        names = configuration.names()
        signs = sum(sign in names for sign in self._table.signs)
        entries = configuration.entries
        known = sum(self._table.rule(name) is not None for name in names) / max(1, len(names))
        return 0.5 * known * min(1.0, signs) + (0.1 * min(signs, 5) if entries else 0.0)

    def translate(self, configuration: Configuration, options: Options) -> tuple[Draft, Account]:
        account, draft = Account(configuration, self._table), Draft()
        self.shape(account, draft, options)
        self._apply(account, draft)
        account.close()
        return draft, account

    def shape(self, account: Account, draft: Draft, options: Options) -> None:
        """Choose objective and adapter, and translate the keys of `code`."""
        raise NotImplementedError

    def _apply(self, account: Account, draft: Draft) -> None:
        """What is written goes before what is a default: two keys may name one setting."""
        decided = set(draft.values)
        open_keys = {entry.key for entry in account.open()}
        for written in (True, False):
            for name, rule in self._table.rules.items():
                asked = name in open_keys if written else not account.given(name)
                if asked and rule.to and rule.to not in (decided if written else draft.values) and self._applies(rule, draft):
                    self._carry(name, rule, account, draft)

    @staticmethod
    def _applies(rule: Rule, draft: Draft) -> bool:
        return not rule.with_ or bool({*rule.with_} & draft.names())

    @staticmethod
    def _carry(name: str, rule: Rule, account: Account, draft: Draft) -> None:
        value: Any = account.get(name, rule.default)
        if value is None:
            return
        if rule.values:
            word = str(value).lower() if isinstance(value, bool) else str(value)
            if word not in rule.values:
                account.refuse(name, "it has no such value here", "one of: " + ", ".join(str(one) for one in rule.values))
                return
            value = rule.values[word]
        draft.set(rule.to, value if rule.to.startswith("track") else number_of(value), account.take(name, rule.to))


def number_of(value: Any) -> Any:
    """A number that is written as a text (``"1e-4"``) as a number; all else as it is."""
    if isinstance(value, str):
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
    return value
