"""The digest of a plugin's code, by which a policy may pin it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def digest(module: str, manifest: Path | str | None) -> str:
    """``sha256:...`` over names and contents of all files of the package that the manifest lies in; empty if there is none.

    The same for a wheel wherever it is installed: compiled bytecode does not count.
    """
    if not manifest:
        return ""
    package = module.partition(":")[0].partition(".")[0]
    root = next((folder for folder in Path(manifest).parents if folder.name == package), Path(manifest).parent)
    whole = hashlib.sha256()
    try:
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for file in sorted(name for name in files if not name.endswith(".pyc")):
                path = Path(folder, file)
                whole.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root).as_posix()}\n".encode())
    except OSError:
        return ""
    return f"sha256:{whole.hexdigest()}"
