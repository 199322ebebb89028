"""Hosts for tests of the executor `ssh`: real servers of OpenSSH on the loopback, each with its own key, port and configuration."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

MARK = "TUNESMITH_TEST_HOST"
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
MISSING = "" if SSHD and shutil.which("ssh") else "there is no sshd here; it runs where OpenSSH's server is installed (openssh-server)"


class SshHost:
    """One server, which whoever has the key of `SshHosts` may enter as the user of the test."""

    def __init__(self, folder: Path, name: str, public_key: str) -> None:
        self.name, self._folder, self._mark = name, folder / name, f"{folder}:{name}"
        self._folder.mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / "host_key")], check=True)
        (self._folder / "authorized_keys").write_text(public_key)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self._folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self._folder}/host_key\nPidFile {self._folder}/pid\n"
            f"AuthorizedKeysFile {self._folder}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            f"KbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\n"
            f"SetEnv {MARK}={self._mark} HOME={self._folder}\n"  # the shell's own files are not the user's
        )
        self.start()

    def start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        log = str(self._folder / "log")
        self._server = subprocess.Popen(
            [str(SSHD), "-D", "-f", str(self._folder / "sshd_config"), "-E", log], env=os.environ | {MARK: self._mark}
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError((self._folder / "log").read_text())

    @property
    def known(self) -> str:
        """Its line of known_hosts."""
        key = (self._folder / "host_key.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {key[0]} {key[1]}\n"

    def processes(self) -> list[int]:
        """Those that live, of all that were started over it."""
        found, mark = [], f"{MARK}={self._mark}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                named = (process / "comm").read_text().strip()
                if mark in (process / "environ").read_bytes().split(b"\0") and named not in ("sshd", "ssh"):
                    found.append(int(process.name))
        return found

    def dies(self) -> None:
        """As when its power is cut: nothing gets a last word, and nobody answers any more."""
        self._server.send_signal(signal.SIGSTOP)  # it takes no one on while the others end
        for _ in range(3):
            for pid in (*self.processes(), *_children(self._server.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._server.kill()
        self._server.wait()


class SshHosts:
    """Hosts and what a user needs to enter them: a key, their keys, and a configuration of ssh in which they have names."""

    def __init__(self, folder: Path, names: tuple[str, ...] = ("alpha", "beta", "gamma")) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "id")], check=True)
        public = (folder / "id.pub").read_text()
        self.hosts = {name: SshHost(folder, name, public) for name in names}
        self.known_hosts, self.config = folder / "known_hosts", folder / "config"
        self.known_hosts.write_text("".join(host.known for host in self.hosts.values()))
        self.config.write_text(
            "".join(f"Host {name}\n  Port {host.port}\n" for name, host in self.hosts.items())
            + f"Host *\n  HostName 127.0.0.1\n  User {getpass.getuser()}\n  IdentityFile {folder}/id\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
        )

    def processes(self) -> list[int]:
        return [pid for host in self.hosts.values() for pid in host.processes()]

    def close(self) -> None:
        for host in self.hosts.values():
            host.dies()


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
