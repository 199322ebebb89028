"""Health check of the environment: called there when it has been built."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def probe() -> dict[str, str]:
    """Versions of what serves, and the devices that this vLLM was built for.

    Raises:
        ImportError: when vLLM, or its server, can't be imported.
        RuntimeError: when it finds no device that it can use.
    """
    import vllm.entrypoints.openai.api_server
    from vllm.platforms import current_platform

    if not current_platform.device_type:
        raise RuntimeError("vLLM was built for no device of this machine")
    facts = {"vllm": vllm.__version__, "device": current_platform.device_type}
    for name in ("torch", "transformers", "compressed-tensors"):
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            continue
    return facts
