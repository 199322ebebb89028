"""Health check of the environment: called there when it has been built."""

from __future__ import annotations

from importlib.metadata import version


def probe() -> dict[str, str]:
    """Versions of what converts and runs.

    Raises:
        ImportError: when mlx-lm can't be imported.
        AssertionError: when MLX can't compute here.
    """
    import mlx.core as mx
    from mlx_lm import convert

    assert convert
    assert float((mx.array([1.0, 2.0]) * 2).sum()) == 6.0
    return {name: version(name) for name in ("mlx", "mlx-lm", "torch", "transformers")}
