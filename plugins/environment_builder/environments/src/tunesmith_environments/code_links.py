"""The code that a worker of an environment runs: the host's, linked into a folder that is the first on its path.

So an environment holds third-party packages only. The folder is named after what it links to: made once, then used by every worker.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import tunesmith

KERNEL = Path(tunesmith.__file__).parent
FOLDER = "links"  # below the environments' directory
_MAIN = '''"""Starts a worker: `python THIS-FOLDER`."""

from tunesmith.isolation.worker import main

main()
'''


def make(directory: Path, packages: Mapping[str, Path]) -> Path:
    """The folder with a link to each package, and a ``__main__.py`` that starts the worker.

    Args:
        directory: the environments' directory.
        packages: import name -> its directory, or its file. The kernel's own is always among them.
    """
    wanted = {link_name(name, path): os.path.realpath(path) for name, path in {"tunesmith": KERNEL, **packages}.items()}
    digest = hashlib.sha256(json.dumps([sorted(wanted.items()), _MAIN]).encode()).hexdigest()[:16]
    folder = directory / FOLDER / digest
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        for name, target in wanted.items():
            (made / name).symlink_to(target)
        (made / "__main__.py").write_text(_MAIN, encoding="utf-8")
        made.chmod(0o755)
        with contextlib.suppress(OSError):  # another process was quicker with the same
            made.rename(folder)
    finally:
        if made.exists():
            shutil.rmtree(made)
    return folder


def link_name(name: str, path: Path) -> str:
    """A package keeps its import name; a module of one file its file's."""
    return name if not path.is_file() else path.name
