"""``python -m tunesmith_llamacpp.server --model FILE --name NAME --port PORT ...``: up when it answers /health; SIGTERM ends it."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from tunesmith.contracts import Address
from tunesmith_llamacpp.server.llama_client import Upstream
from tunesmith_llamacpp.server.prompt_echo import Echo
from tunesmith_llamacpp.server.proxy import Proxy
from tunesmith_llamacpp.settings import LlamaCppSettings


def options(words: list[str] | None = None) -> argparse.Namespace:
    """One for each of the backend's settings, with its default."""
    parser = argparse.ArgumentParser(prog="tunesmith_llamacpp.server")
    parser.add_argument("--model", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--allowed-hosts", nargs="*", default=[])
    parser.add_argument("--shutdown-grace", type=float, default=30.0)
    for name, value in vars(LlamaCppSettings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return parser.parse_args(words)


async def serve(asked: argparse.Namespace, url: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    echo = await asyncio.to_thread(Echo, Upstream(url), asked.name)
    address = Address(asked.host, asked.port, tuple(asked.allowed_hosts))
    await Proxy(echo, asked.parallel).serve(address, stop, lambda: print(f"serving {asked.name}", flush=True), asked.shutdown_grace)


def main() -> None:
    from tunesmith_llamacpp.server.llama_server import start

    asked = options()
    try:
        server = start(asked)
    except RuntimeError as error:
        sys.exit(str(error))  # the library has said why above
    asyncio.run(serve(asked, server.listening_address))
    sys.stdout.flush()
    os._exit(0)  # the library's threads need no farewell


if __name__ == "__main__":
    main()
