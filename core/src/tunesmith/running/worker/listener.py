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
    """A listening Unix domain socket in a private directory; a TCP socket on the loopback where the system has none."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(32)
        self._directory = ""
        if hasattr(socket, "AF_UNIX"):
            # Not below the home: the path of a socket may have no more than about 100 bytes.
            self._directory = tempfile.mkdtemp(prefix="tunesmith-")
            path = os.path.join(self._directory, "socket")
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.bind(path)
            self.address = f"unix:{path}"
        else:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.socket.bind(("127.0.0.1", 0))
            self.address = f"tcp:127.0.0.1:{self.socket.getsockname()[1]}"
        self.socket.listen(BACKLOG)

    def knows(self, token: object) -> bool:
        return hmac.compare_digest(str(token).encode(), self.token.encode())

    def close(self) -> None:
        self.socket.close()
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = ""
