"""Contract of kind ``importer``: makes a pipeline of another tool's configuration.

An importer is asked in the process of the command `import`. It reads what it is given and starts nothing: neither the tool nor its
libraries are imported. Each key of the configuration gets one verdict: mapped, refused with a reason, without effect with a reason, or
unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tunesmith_import.configuration.configuration import Configuration
    from tunesmith_import.mapping.account import Account
    from tunesmith_import.mapping.draft import Draft


@dataclass(frozen=True)
class Options:
    """What the user says beside the configuration.

    Args:
        method: what the rows teach (``dpo``), of a file that doesn't say.
        num_processes: that the tool ran in; 0: what the configuration says, else 1.
        rows: in the training data; 0: they are counted where the file is here. Warm-up steps become a share of the steps by them.
        model: URI to start from in place of the configuration's.
        data: file of rows in place of the configuration's.
        folder: that relative paths of the configuration start from, beside its own.
        written_to: folder of the pipeline file: its relative paths start from there.
    """

    method: str = ""
    num_processes: int = 0
    rows: int = 0
    model: str = ""
    data: str = ""
    folder: Path = field(default_factory=Path)
    written_to: Path = field(default_factory=Path)


class Importer(Protocol):
    def claim(self, configuration: Configuration) -> float:
        """How likely the configuration is its tool's: 0, certainly not, to 1. The importer with the highest claim reads it."""

    def keys(self) -> Mapping[str, Any]:
        """Every key that it knows (``lora_rank``, ``datasets.path``), with what becomes of it: ``mapped``, ``refused`` or ``no effect``."""

    def translate(self, configuration: Configuration, options: Options) -> tuple[Draft, Account]:
        """The pipeline, and what became of each key.

        Raises:
            UserError: TS-IMPORT-005 for a value that its tool would not take either.
        """
