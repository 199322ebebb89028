"""Asking a vendor's tool: what it printed, or nothing. A tool that hangs must not hang the plan."""

from __future__ import annotations

import subprocess

TIMEOUT = 10.0  # seconds for one answer


def ask(*command: str) -> str:
    """What a command prints; empty when it is not there, refuses or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def chosen(names: list[str], variable: str | None) -> list[str]:
    """Those that a variable like ``HIP_VISIBLE_DEVICES`` leaves of the numbers, in its order, up to the first that is none of them.

    Args:
        variable: its value; None where it is not set.
    """
    if variable is None:
        return names
    left: list[str] = []
    for entry in (entry.strip() for entry in variable.split(",")):
        if entry not in names:
            break
        left.append(entry)
    return left
