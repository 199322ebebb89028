"""The judge's endpoint."""

from __future__ import annotations

from pathlib import Path

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_serve import Endpoint


def judge_endpoint(url: str, model: str, timeout: float) -> Artifact:
    """
    Args:
        model: empty: the first that it lists.

    Raises:
        TunesmithError: TS-SERVE-020 where it can't be reached, TS-EVAL-004 where it lists no model.
    """
    found = Artifact("endpoint/openai", Path(), meta={"url": url, "model": model})
    if not model:
        listed = Endpoint(found, timeout=timeout, retries=2, shorten="judge_max_tokens").models()
        if not listed:
            raise TunesmithError("TS-EVAL-004", f"the judge at {url} lists no model", fix="Name it with the setting `judge_model`.")
        found = Artifact("endpoint/openai", Path(), meta={"url": url, "model": listed[0]})
    return found
