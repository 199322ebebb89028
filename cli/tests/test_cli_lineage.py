"""Lineages of models of models: each artifact is told once, or a chain of thirty would be told a thousand million times."""

from __future__ import annotations

import json
from typing import Any

from tunesmith.running.journal.records import LineageRow
from tunesmith_cli.commands.lineage import _tree, ancestry

DEPTH = 30


class _Chain:
    """A journal in which each artifact was made of the one before it, twice."""

    def lineage(self, *, digest: str) -> list[LineageRow]:
        number = int(digest.rpartition(":")[2])
        if not number:
            return []
        before = f"sha256:{number - 1:064}"
        producer: dict[str, Any] = {"kind": "verb", "name": "combine"}
        return [LineageRow("run", f"step{number}", "key", digest, False, 0.0, producer, {}, {"model": before, "tuned": before})]


def _last() -> Any:
    return ancestry(_Chain(), f"sha256:{DEPTH:064}")  # type: ignore[arg-type]


def test_what_was_read_twice_is_told_once():
    lines = list(_tree(_last(), set()))
    assert sum("of run" in line for line in lines) == DEPTH
    assert sum("as above" in line for line in lines) == DEPTH - 1, "the first of all is a file, told in a line"


def test_json_names_by_its_digest_what_it_has_told():
    said = json.loads(json.dumps(_last().to_json(set())))
    assert said["inputs"]["tuned"] == {"digest": said["inputs"]["model"]["digest"], "told": True}
    assert said["makers"][0]["step"] == f"step{DEPTH}"
    assert len(json.dumps(said)) < 20_000
