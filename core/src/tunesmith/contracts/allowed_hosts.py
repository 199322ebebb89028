"""Under which names a server may be asked: what a request's ``Host`` may be. Standard library only."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

_NAME = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<name>[^:]*))(?::\d*)?")  # a Host header: a name or an address, and perhaps a port


def is_allowed(header: str, host: str, allowed_hosts: Collection[str] = ()) -> bool:
    """Whether a request with this ``Host`` is to be answered by a server that listens on `host`.

    A server that listens on this machine alone answers to this machine's names: else any web page could have a name of its own lead
    here and speak to it through the browser (DNS rebinding). Others are known by names that only their network knows.
    """
    found = _NAME.fullmatch(header.strip().lower())
    name = (found["six"] or found["name"] or "") if found else header
    return not is_loopback(host) or not header or is_loopback(name) or name in {host, *allowed_hosts}


def is_loopback(name: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
