"""The tokenizer in a model's directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_torch.transformers_library import library


def load_tokenizer(source: Artifact | Path | str) -> Any:
    """The fast tokenizer in a model's directory; out of its GGUF where only that holds one.

    Raises:
        UserError: TS-TRAIN-006 when there is none.
    """
    path = directory(source)
    ggufs = sorted(path.glob("*.gguf"))
    if ggufs and not (path / "tokenizer.json").is_file():
        return _out_of_gguf(ggufs[0])
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


def _out_of_gguf(file: Path) -> Any:
    try:
        return library().AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True, trust_remote_code=False)
    except ImportError as error:
        raise UserError(
            "TS-TRAIN-006", f"The tokenizer in {file.name} can't be read without the package `gguf`", why=str(error).splitlines()[0],
            fix='Install it: pip install "tunesmith-dequantize[runtime]".',
        ) from error  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            "TS-TRAIN-006", f"The tokenizer in {file.name} can't be read: {str(error).splitlines()[0]}",
            fix="Put the model's tokenizer.json and tokenizer_config.json beside the file.",
        ) from error  # fmt: skip


def directory(source: Artifact | Path | str) -> Path:
    return source.path if isinstance(source, Artifact) else Path(source)
