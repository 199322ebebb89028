"""What the tests of every hub begin with: the module of its server, and an environment in which nothing else can be reached."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from tunesmith_sdk.testing.loopback_hub import STRANGERS

_CACHES = {
    "HF_HOME": "hf-home", "MODELSCOPE_CACHE": "modelscope", "XDG_CACHE_HOME": "xdg", "DOCKER_CONFIG": "docker", "TUNESMITH_CACHE": "cache",
}  # fmt: skip
_MIRRORS = tuple(f"TUNESMITH_{hub}_MIRRORS" for hub in ("HUGGINGFACE", "MODELSCOPE", "MODELERS", "OCI"))


def module_at(path: Path) -> Any:
    """A module that lies beside tests, loaded once; test folders are no packages, so it has its file's name."""
    if path.stem not in sys.modules:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[path.stem]


def alone(monkeypatch: Any, folder: Path) -> None:
    """No token, address, mirror or cache of this machine's user: what is kept lies below `folder`.

    Args:
        monkeypatch: pytest's.
    """
    for variable in (*STRANGERS, *_MIRRORS):
        monkeypatch.delenv(variable, raising=False)
    for variable, name in _CACHES.items():
        monkeypatch.setenv(variable, str(folder / name))
