"""Where models and rows lie: what a configuration names, as a pipeline names it."""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith_import.api.contract import Options
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft

HUGGINGFACE, MODELSCOPE = "hf", "modelscope"


def model(account: Account, draft: Draft, options: Options, key: str, revision: str = "", hub: str = HUGGINGFACE) -> None:
    """The model to start from: the user's, a folder that is here, or one of a hub."""
    if options.model:
        account.skip(key, "--model names another one")
        draft.set("model", options.model, note="--model")
        return
    text = account.text(key)
    if not text:
        draft.remarks.append("the configuration names no model: write `model`, or say --model URI")
        draft.set("model", "file://model", note="to be filled in")
        return
    draft.set("model", uri(text, options, account.text(revision) if revision else "", hub), account.take(key, "model"))
    if revision and account.given(revision):
        account.take(revision, "model")


def uri(text: str, options: Options, revision: str = "", hub: str = HUGGINGFACE) -> str:
    """``org/name`` as a hub's, a path as a file's."""
    if "://" in text:
        return text
    here = found(text, options)
    if here is not None or text.startswith(("/", ".", "~")) or text.count("/") != 1:
        return f"file://{placed(text, options)}"
    return f"{hub}://{text}" + (f"@{revision}" if revision and revision not in ("main", "master") else "")


def found(text: str, options: Options) -> Path | None:
    """A file or folder that a configuration names, from where the command is typed or from the configuration's folder."""
    if not text:
        return None
    for folder in (Path(), options.folder):
        if (path := folder / Path(text).expanduser()).exists():
            return path
    return None


def placed(text: str, options: Options) -> str:
    """A path as the pipeline's file names it."""
    here = found(text, options)
    if here is None or Path(text).expanduser().is_absolute():
        return str(Path(text).expanduser()) if text.startswith("~") else text
    return os.path.relpath(here, options.written_to).replace(os.sep, "/")
