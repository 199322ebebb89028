"""The file of approvals, and the command that adds one."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from tunesmith.contracts import UserError

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def place() -> Path:
    return Path(os.environ.get("ACME_APPROVALS", "approvals.jsonl"))


def approved() -> dict[str, str]:
    """Digest -> who approved it."""
    try:
        lines = place().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {entry["digest"]: entry["by"] for entry in map(json.loads, lines)}


def main(arguments: Sequence[str]) -> int:
    """`tunesmith approve DIGEST --by NAME`."""
    parser = argparse.ArgumentParser(prog="tunesmith approve", description="Approve a model for serving.")
    parser.add_argument("digest", metavar="DIGEST", help="of the model's artifact, sha256:...")
    parser.add_argument("--by", required=True, metavar="NAME", help="who approves it")
    found = parser.parse_args(list(arguments))
    if not DIGEST.fullmatch(found.digest):
        raise UserError("ACME-APPROVAL-002", f"`{found.digest}` is no digest", fix="Copy it from the message of the refused run.")
    with place().open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"digest": found.digest, "by": found.by}) + "\n")
    print(f"approved: {found.digest}")
    return 0
