"""The model to estimate with: its configuration from a file, a directory, or its loader."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tunesmith.contracts.untrusted_files import open_regular
from tunesmith.errors import UserError
from tunesmith.planning.inputs.model_source import model_uri
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.spec import MODEL, PipelineSpec
from tunesmith_cli.launch import Session

CONFIG = "config.json"
PLAIN = "model/hf"  #: the format of a directory with such a file


def model_product(text: str, session: Session) -> Product:
    """What is known of a model before it is here.

    Raises:
        UserError: TS-CLI-017 when a configuration can't be read; TS-MODEL-... when a loader says so.
    """
    path = Path(os.path.expanduser(text.removeprefix("file://")))
    file = path / CONFIG if path.is_dir() else path
    if file.suffix == ".json" and file.is_file():
        config = read_config(file)
        if "quantization_config" not in config:  # what its weights are called is the loader's to know
            size = sum(weights.stat().st_size for weights in file.parent.glob("*.safetensors"))
            return Product(MODEL, MODEL, PLAIN, size, config=config, model_bytes=size)
    with session.resolver() as resolve:
        info = resolve(model_uri(PipelineSpec("estimate", text, {}, Path.cwd())))
    return Product(MODEL, MODEL, info.format, info.size, config=info.config, model_bytes=info.size)


def read_config(file: Path) -> dict[str, Any]:
    """What a ``config.json`` says.

    Raises:
        UserError: TS-CLI-017 when it can't be read, or is no object.
    """
    try:
        with open_regular(file) as read:
            found = json.loads(read.read())
    except (OSError, ValueError) as error:
        raise UserError("TS-CLI-017", f"{file} can't be read: {error}", fix="Name a model's config.json.") from None
    if not isinstance(found, dict):
        raise UserError("TS-CLI-017", f"{file} holds no JSON object", fix="Name a model's config.json.")
    return found
