"""What the conformance kit can't know: a build context of the exporter docker."""

from __future__ import annotations

import json

from tunesmith_sdk.conformance import Case


def source(case: Case) -> str:
    said = {"name": "Tiny model", "port": 8080, "ctx_size": 512, "parallel": 2, "memory": 200_000_000}
    (case.directory / "serve.json").write_text(json.dumps(said))
    return "folder/docker"
