"""Health check of the environment: called there when it has been built."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def probe() -> dict[str, str]:
    """Versions of what serves.

    Raises:
        ImportError: when LMDeploy, or its server, can't be imported.
        RuntimeError: when torch finds no GPU, which LMDeploy needs.
    """
    import lmdeploy.serve.openai.api_server  # noqa: F401
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError("torch finds no GPU here, and LMDeploy computes on nothing else")
    facts = {}
    for name in ("lmdeploy", "torch", "transformers"):
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            continue
    return facts
