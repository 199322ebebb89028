"""The argument that names a pipeline file."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_cli.launch import DEFAULT_FILE

if TYPE_CHECKING:
    from tunesmith.planning.pipeline.spec import PipelineSpec


def add_file(parser: ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", default=DEFAULT_FILE, metavar="FILE", help=f"the pipeline or its folder (default: ./{DEFAULT_FILE})"
    )
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="change a value, e.g. seed=7; repeatable")


def file_argument(file: str | Path) -> str:
    """A pipeline's file as it is typed behind a command, with a space before it; empty for the one that need not be named."""
    return "" if str(file) == DEFAULT_FILE else f" {shlex.quote(str(file))}"


def load(file: str, assignments: Sequence[str] = (), more: Mapping[str, Any] | None = None) -> PipelineSpec:
    """The pipeline in a file, with values changed.

    Args:
        more: what stands under further keys of it, in place of what the file says there.

    Raises:
        UserError: TS-CLI-005 when no file is named and there is none here.
    """
    from tunesmith.planning.pipeline.spec import load_pipeline
    from tunesmith_cli.options.overrides import override

    if file == DEFAULT_FILE and not Path(file).exists():
        others = sorted(p.name for p in Path.cwd().glob("*.y*ml"))
        hint = (
            f"Name one: {', '.join(others[:5])}."
            if others
            else "Name a file, or change to the directory of one. A command of a single step prints one: `--yaml`."
        )
        raise UserError("TS-CLI-005", f"there is no {DEFAULT_FILE} in {Path.cwd()}", fix=hint)
    spec = override(load_pipeline(Path(file)), assignments)
    return replace(spec, more={**spec.more, **(more or {})})
