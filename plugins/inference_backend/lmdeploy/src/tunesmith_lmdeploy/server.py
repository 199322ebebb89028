"""``python -m tunesmith_lmdeploy.server``: LMDeploy's own server with its own options, closed to other pages and to other weights."""

from __future__ import annotations

import sys
from functools import partial

#: Routes that change what is served, end it or let other machines into its memory; LMDeploy guards them by no key of their own.
CLOSED = (
    "/terminate", "/update_weights", "/init_weights_update_group", "/destroy_weights_update_group", "/sleep", "/wakeup", "/abort_request",
    "/distserve",
)  # fmt: skip


def main() -> None:
    from lmdeploy.cli.entrypoint import run
    from lmdeploy.serve.openai import api_server
    from starlette.middleware import Middleware

    from tunesmith_serve.local_names import LocalNames

    # LMDeploy makes its application where it starts it, and takes no middleware from outside.
    api_server.FastAPI = partial(api_server.FastAPI, middleware=[Middleware(LocalNames, closed=CLOSED)])
    sys.argv[0] = "lmdeploy"
    run()


if __name__ == "__main__":  # its processes import this module once more
    main()
