"""Addresses to listen on: whether one is free, and who has it if not. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path

from tunesmith.errors import UserError


def listen(host: str, port: int, backlog: int = 128) -> socket.socket:
    """A socket that listens there.

    Args:
        backlog: connections that may wait to be taken.

    Raises:
        OSError: when that is not possible.
    """
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def free_port(host: str, port: int) -> int:
    """`port` if it can be listened on now; for 0 one that can.

    Raises:
        UserError: TS-SERVE-001, naming who listens there.
    """
    try:
        with listen(host, port) as listener:
            return int(listener.getsockname()[1])
    except OSError as error:
        raise not_free(host, port, error) from None


def not_free(host: str, port: int, error: OSError, step: str = "") -> UserError:
    """TS-SERVE-001 for what listening there gave; `step`: who would have listened."""
    busy = error.errno == errno.EADDRINUSE
    others = "Another program, or another step of this pipeline," if step else "Another program"
    return UserError(
        "TS-SERVE-001", f"`{step}` can't listen on port {port} of {host}" if step else f"Port {port} on {host} can't be listened on",
        why=f"{holder(port) or others} uses it." if busy else error.strerror or str(error),
        fix="Stop that program, or choose another port (`port: 0` takes any free one)." if busy else "Choose another host or port.",
    )  # fmt: skip


def holder(port: int) -> str:
    """Which other process listens on a port, as ``process 12 (its command)``; empty where that can't be told."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        if process.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):  # it has ended, or belongs to somebody else
            if any(os.readlink(entry.path) in sockets for entry in os.scandir(process / "fd")):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                return f"process {process.name} ({command[:100]})"
    return ""


def _listening(port: int) -> set[str]:
    """Inodes of the TCP sockets that listen on a port, as Linux tells them."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table) as lines:
            for fields in map(str.split, lines):
                if fields[3] == "0A" and fields[1].endswith(f":{port:04X}"):
                    inodes.add(fields[9])
    return inodes
