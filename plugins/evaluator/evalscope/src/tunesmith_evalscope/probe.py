"""Health check: the library imports, and knows the benchmarks that rows are put into."""

from __future__ import annotations

import os


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from evalscope.api.registry import get_benchmark
    from evalscope.config import TaskConfig
    from evalscope.version import __version__

    for name in ("general_mcq", "general_qa"):
        get_benchmark(name, TaskConfig(model="none", datasets=[name]))
    return {"evalscope": __version__}
