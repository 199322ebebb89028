"""Which architectures the installed transformers has, read from its files: to import it would take seconds, and a plan has none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.model_loader import brings_code
from tunesmith_models.weight_check import needs_code

_FILES = ("auto_mappings.py", "configuration_auto.py")  # newer and older releases keep the names in one or the other
_ENTRY = re.compile(r'"([\w.-]+)"\s*[,:]\s*"\w+Config"')


@cache
def known_types() -> frozenset[str]:
    """Values of ``model_type``; none where transformers is not in this environment."""
    found = find_spec("transformers")
    folders = [Path(folder) / "models" / "auto" for folder in (found.submodule_search_locations if found else None) or ()]
    files = [folder / name for folder in folders for name in _FILES]
    return frozenset(name for file in files if file.is_file() for name in _ENTRY.findall(file.read_text("utf-8")))


def refuse_code(config: Mapping[str, Any]) -> None:
    """
    Raises:
        UserError: TS-MODEL-023 when a model brings its architecture as code and transformers, which is here, has none of its name.
    """
    known, named = known_types(), str(config.get("model_type"))
    if known and named not in known and brings_code(config):
        raise needs_code(f"of type `{named}`")
