"""The tokenizer in a model's directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_torch.transformers_library import library


def load_tokenizer(source: Artifact | Path | str) -> Any:
    """The fast tokenizer in a model's directory.

    Raises:
        UserError: TS-TRAIN-006 when there is none.
    """
    path = directory(source)
    try:
        tokenizer = library().AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            "TS-TRAIN-006", f"The model {path.name} has no tokenizer that can be loaded: {str(error).splitlines()[0]}",
            fix="Give a model whose directory holds its tokenizer.json, or the files that its tokenizer is made of.",
        ) from error  # fmt: skip
    if not tokenizer.is_fast:
        raise UserError("TS-TRAIN-006", f"The model {path.name} has a tokenizer without tokenizer.json", fix="Convert it to a fast one.")
    return tokenizer


def directory(source: Artifact | Path | str) -> Path:
    return source.path if isinstance(source, Artifact) else Path(source)
