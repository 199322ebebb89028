"""What the formats are held against beside the check's own conversations."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARAGRAPHS, LONG = 12, 300  # of the documentation; characters of the shortest


def paragraphs() -> list[str]:
    """Prose of the documentation, in the order of its pages."""
    found = []
    for name in ("architecture", "environments", "serving", "training", "datasets", "runs"):
        blocks = (ROOT / "docs" / f"{name}.md").read_text("utf-8").split("\n\n")
        found += [block for block in blocks if len(block) >= LONG and block[0].isalpha()]
    return found[:PARAGRAPHS]
