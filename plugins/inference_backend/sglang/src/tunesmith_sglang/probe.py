"""Health check of the environment: called there when it has been built."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def probe() -> dict[str, str]:
    """Versions of what serves.

    Raises:
        ImportError: when SGLang, or its server, can't be imported.
        RuntimeError: when torch finds no GPU, which SGLang needs.
    """
    import sglang.srt.entrypoints.http_server  # noqa: F401
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError("torch finds no GPU here, and SGLang computes on nothing else")
    facts = {}
    for name in ("sglang", "torch", "transformers"):
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            continue
    return facts
