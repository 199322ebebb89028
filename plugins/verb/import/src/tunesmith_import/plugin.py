"""What this plugin brings: the command `import`, the kind `importer`, and importers."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Kind, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_import import IMPORT, KIND

_HERE = "tunesmith_import.importers"


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("import", IMPORT, "tunesmith_import.command:main")]


@hookimpl
def kind() -> Kind:
    return Kind(
        name=KIND,
        summary="makes a pipeline of another tool's configuration",
        contract="tunesmith_import.api.contract:Importer",
        checks="tunesmith_import.conformance",
        scaffold="scaffold/importer",
        example='Provider("oven", "recipes of oven", "acme_oven.importer:Oven")',
    )


@hookimpl
def importer() -> Sequence[Provider]:
    return [
        Provider("llamafactory", "LLaMA-Factory's YAML and its dataset_info.json", f"{_HERE}.llamafactory:LlamaFactory"),
        Provider("trl", "YAML and command lines of TRL's `trl` command", f"{_HERE}.trl:TRL"),
        Provider("ms-swift", "command lines and args.json of ms-swift", f"{_HERE}.ms_swift:Swift"),
        Provider("axolotl", "axolotl's YAML", f"{_HERE}.axolotl:Axolotl"),
        Provider("torchtune", "torchtune's YAML", f"{_HERE}.torchtune:Torchtune"),
        Provider("unsloth", "arguments in scripts and notebooks of unsloth", f"{_HERE}.unsloth:Unsloth"),
    ]
