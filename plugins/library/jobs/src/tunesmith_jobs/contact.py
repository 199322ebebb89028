"""Where a job's agents find their host: a file in the job's directory, written anew by every host that takes the job up.

It is what keeps two tries at a job apart, too: an agent whose try is not the one in the file has nothing more to do, and ends.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "contact.json"


@dataclass(frozen=True)
class Contact:
    """
    Args:
        attempt: number of the try.
        token: by which host and agents of this try know each other.
        addresses: that the host may be reached at.
        port: of all of them.
        certificate: the host's, in PEM; no other is believed.
        reconnect_timeout: seconds for which an agent goes on without a host.
    """

    attempt: int
    token: str
    addresses: tuple[str, ...]
    port: int
    certificate: str
    reconnect_timeout: float

    def write(self, directory: Path) -> None:
        place = directory / FILE
        part = place.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        os.replace(part, place)

    @classmethod
    def read(cls, directory: Path) -> Contact | None:
        """None where there is none: the step has ended."""
        try:
            data = json.loads((directory / FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(**{**data, "addresses": tuple(data["addresses"])})


def addresses_of_this_machine() -> tuple[str, ...]:
    """Its names and addresses, the loopback last, for machines of a cluster that is all on this one."""
    name = socket.gethostname()
    found = [socket.getfqdn(), name]
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):  # documentation's own: nothing is sent
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect((target, 9))
                found.append(str(sock.getsockname()[0]))
        except OSError:
            continue
    return tuple(dict.fromkeys((*found, "127.0.0.1")))
