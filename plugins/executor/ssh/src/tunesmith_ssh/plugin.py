"""What this plugin brings: the executor `ssh`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_ssh.settings import SshSettings


@hookimpl
def executor() -> Provider:
    return Provider("ssh", "steps on a list of hosts, over OpenSSH", "tunesmith_ssh.executor:Ssh", settings=SshSettings)
