"""A script on a host, by the `ssh` of this machine: no password is asked for, and one connection to a host serves all questions."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError

TIMEOUT = 25.0  # seconds for a script
CONNECT = 10  # seconds for a host to answer, where the user's configuration says nothing
KEPT = 30  # seconds for which a connection is kept after a question
FAILED = 255  # exit status of ssh for its own failures
_UNKNOWN_KEY = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "No matching host key", "no matching host key")
_DENIED = ("Permission denied", "Too many authentication failures", "No supported authentication methods")


class Unreachable(TunesmithError):
    """A host that does not answer, which may be so for a while."""


class SshClient:
    """A context, at whose end the connections are closed.

    Args:
        config: file for ``ssh -F``; empty: OpenSSH's own.
    """

    def __init__(self, config: str = "") -> None:
        self._config = ("-F", config) if config else ()
        self._options: dict[str, tuple[str, ...]] = {}
        self._sockets = Path(tempfile.mkdtemp(prefix="ts-ssh-"))  # private to the user, and short, as a socket's path must be

    def __enter__(self) -> SshClient:
        return self

    def __exit__(self, *_: object) -> None:
        for host in self._options:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                if any(self._sockets.iterdir()):
                    subprocess.run(["ssh", *self._options[host], "-O", "exit", "--", host], capture_output=True, timeout=5)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def run(self, host: str, script: str) -> tuple[str, str]:
        """What the script, for `sh`, prints on the host, and what it complains of. It comes over stdin, whatever the user's shell is there.

        Raises:
            Unreachable: TS-RUN-031.
            TunesmithError: TS-RUN-032, the host's key isn't known; TS-RUN-033, the host doesn't let the user in.
        """
        command = ["ssh", *self._options_of(host), "--", host, "sh", "-s"]
        with tempfile.TemporaryFile() as told:  # not a pipe, which a connection that is kept would hold open
            try:
                done = subprocess.run(command, input=script.encode(), stdout=subprocess.PIPE, stderr=told, timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                raise _unreachable(host, f"it did not answer in {TIMEOUT:.0f} s") from None
            told.seek(0)
            said = told.read().decode("utf-8", "replace").strip()
        if done.returncode == FAILED:
            raise _failure(host, said)
        return done.stdout.decode("utf-8", "replace"), said

    def _options_of(self, host: str) -> tuple[str, ...]:
        """What the user's configuration says goes, but for what would ask or forward something."""
        if host not in self._options:
            own = self._configured(host)
            options = [*self._config, "-T", "-a", "-x", "-o", "BatchMode=yes", "-o", "ClearAllForwardings=yes"]
            if own.get("connecttimeout", "none") == "none":
                options += ["-o", f"ConnectTimeout={CONNECT}"]
            if own.get("serveraliveinterval", "0") == "0":
                options += ["-o", f"ServerAliveInterval={CONNECT // 2}"]
            if own.get("controlpath", "none") == "none":
                options += ["-o", "ControlMaster=auto", "-o", f"ControlPath={self._sockets}/%C", "-o", f"ControlPersist={KEPT}"]
            self._options[host] = tuple(options)
        return self._options[host]

    def _configured(self, host: str) -> Mapping[str, str]:
        try:
            done = subprocess.run(["ssh", *self._config, "-G", "--", host], capture_output=True, text=True, timeout=TIMEOUT)
        except FileNotFoundError:
            raise TunesmithError("TS-RUN-031", "There is no `ssh` on the PATH", fix="Install the OpenSSH client.") from None
        if done.returncode:
            raise _failure(host, done.stderr.strip())
        return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def _unreachable(host: str, why: str) -> Unreachable:
    return Unreachable(
        "TS-RUN-031", f"The host `{host}` can't be reached: {why}", facts={"host": host},
        fix=f"`ssh {host} true` says the same; if it is down, take it out of `hosts`.",
    )  # fmt: skip


def _failure(host: str, said: str) -> TunesmithError:
    last = said.splitlines()[-1] if said else "ssh says nothing"
    facts: Mapping[str, Any] = {"host": host}
    if any(sign in said for sign in _UNKNOWN_KEY):
        return TunesmithError(
            "TS-RUN-032", f"The key of the host `{host}` is not the one that is known, or none is known: {last}",
            fix=f"Compare its fingerprint with what its administrator gives (`ssh-keygen -l -f` there), then `ssh {host}` by hand "
            "notes it.", facts=facts,
        )  # fmt: skip
    if any(sign in said for sign in _DENIED):
        return TunesmithError(
            "TS-RUN-033", f"The host `{host}` does not let you in: {last}",
            fix="No password can be given here: use a key (`ssh-copy-id`) and an agent, and set `User` and `IdentityFile` in your "
            "ssh_config.", facts=facts,
        )  # fmt: skip
    return _unreachable(host, last)
