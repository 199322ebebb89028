"""Where a peer is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from peers import Peer


def environment(peer: Peer, directory: Path) -> Path:
    """Of its own, made once, with its bytecode."""
    target = directory / peer.environment
    if not peer.requirements:
        return Path(sys.executable).parents[1]
    if (target / "made").exists():
        return target
    uv = Path(sys.executable).with_name("uv")
    python = target / "bin" / "python"
    subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, target], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *peer.requirements], check=True)
    if peer.absent:
        subprocess.run([uv, "pip", "uninstall", "-q", "--python", python, *peer.absent], check=True)
    site = next(target.glob("lib/python*/site-packages"))
    for stub in peer.stubs:
        (site / stub).mkdir(exist_ok=True)
        (site / stub / "__init__.py").touch()
    subprocess.run([python, "-m", "compileall", "-q", "-j", "0", site], check=False, stdout=subprocess.DEVNULL)
    (target / "made").touch()
    return target
