"""``python -m tunesmith_sglang.server``: SGLang's own server with its own options, closed to other pages and to other weights."""

from __future__ import annotations

import os
import secrets
import sys


def main() -> None:
    from sglang.launch_server import run_server
    from sglang.srt.plugins import load_plugins
    from sglang.srt.server_args import prepare_server_args
    from sglang.srt.utils import kill_process_tree

    load_plugins()
    # Whoever may ask could otherwise load other weights than the step's: with a key that nobody knows, nobody can.
    arguments = prepare_server_args([*sys.argv[1:], "--admin-api-key", secrets.token_hex(16)])
    from sglang.srt.entrypoints import http_server

    from tunesmith_serve.local_names import LocalNames

    http_server.app.add_middleware(LocalNames)
    try:
        run_server(arguments)
    finally:
        kill_process_tree(os.getpid(), include_parent=False)


if __name__ == "__main__":  # its processes import this module once more
    main()
