"""Where workers call in: a socket that only this user can reach, and a token that only the step's workers know."""

from __future__ import annotations

import hmac
import os
import secrets
import shutil
import socket
import tempfile

BACKLOG = 64


class Listener:
    """A listening Unix domain socket in a private directory."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(32)
        # Not below the home: the path of a socket may have no more than about 100 bytes.
        self._directory = tempfile.mkdtemp(prefix="tunesmith-")
        self.address = os.path.join(self._directory, "socket")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(self.address)
        self.socket.listen(BACKLOG)

    def knows(self, token: object) -> bool:
        return hmac.compare_digest(str(token).encode(), self.token.encode())

    def close(self) -> None:
        self.socket.close()
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = ""
