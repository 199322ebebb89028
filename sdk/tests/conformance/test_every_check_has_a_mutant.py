"""Every check of the kit's own has a plugin that it catches, and it alone: where they stand. Those of a kind that a plugin brings stand
beside that plugin."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from tunesmith_sdk.conformance import catalog, plugin_kinds

#: file of tests -> its tables, keyed by check
TABLES = {
    "test_mutants.py": ("LIGHT", "SERVED", "KILLED_BY_CHECK", "CANCELLED", "UPDATED"),
    "test_mutants_of_plugins.py": ("FAULTS_OF_SOURCE", "FAULTS_OF_SETTINGS"),
    "test_mutants_of_settings.py": ("FAULTS",),
    "test_mutants_of_models.py": ("FAULTS", "FAULTS_IN_WORKERS"),
    "test_mutants_of_strategies.py": ("FAULTS", "FAULTS_OF_RANKS"),
    "test_mutants_in_environments.py": ("FAULTS",),
}


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"conformance_{Path(name).stem}", Path(__file__).with_name(name))
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def caught() -> Iterator[str]:
    for name, tables in TABLES.items():
        tests = module(name)
        for table in tables:
            yield from (entry if isinstance(entry, str) else entry[0] for entry in getattr(tests, table))


def test_every_check_has_a_broken_plugin_that_it_alone_catches():
    assert set(caught()) == {id for id, check in catalog.load().items() if check.kind not in plugin_kinds.all_kinds()}


def test_every_file_of_broken_plugins_is_looked_at():
    assert set(TABLES) == {path.name for path in Path(__file__).parent.glob("test_mutants*.py")}
