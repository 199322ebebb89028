"""What importers are made of: all of `tunesmith_import` that other distributions may import. A name is imported at its first use.

Example::

    from tunesmith_import.api import TableImporter

    class Oven(TableImporter):
        table = "acme_oven:oven.toml"

        def shape(self, account, draft, options):
            draft.set("objective", "sft", account.take("task", "train"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_import.api.contract import Importer, Options
    from tunesmith_import.configuration.configuration import Configuration, Entry
    from tunesmith_import.configuration.file import read_configuration
    from tunesmith_import.mapping.account import Account, Verdict
    from tunesmith_import.mapping.draft import Draft, Origin
    from tunesmith_import.mapping.table import Rule, Table, read_table, rules
    from tunesmith_import.mapping.table_importer import TableImporter
    from tunesmith_import.output.pipeline_text import pipeline_of, pipeline_text

#: Of everything here: raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

_MODULES = {
    "tunesmith_import.api.contract": "Importer, Options",
    "tunesmith_import.configuration.configuration": "Configuration, Entry",
    "tunesmith_import.configuration.file": "read_configuration",
    "tunesmith_import.mapping.account": "Account, Verdict",
    "tunesmith_import.mapping.draft": "Draft, Origin",
    "tunesmith_import.mapping.table": "Rule, Table, read_table, rules",
    "tunesmith_import.mapping.table_importer": "TableImporter",
    "tunesmith_import.output.pipeline_text": "pipeline_of, pipeline_text",
}
__getattr__ = exports(__name__, {name: module for module, names in _MODULES.items() for name in names.split(", ")})

__all__ = [
    "API", "Account", "Configuration", "Draft", "Entry", "Importer", "Options", "Origin", "Rule", "Table", "TableImporter", "Verdict",
    "pipeline_of", "pipeline_text", "read_configuration", "read_table", "rules",
]  # fmt: skip
