"""The provider: a proxy on this machine that adds the key, so that nobody else in the pipeline has it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from tunesmith.contracts import Address, Artifact, Step, UserError
from tunesmith.contracts.port_in_use import listen, not_free
from tunesmith_remote.settings import RemoteSettings
from tunesmith_remote.settings_check import check

POLL = 0.2  # seconds between looks at whether the step is to stop
_Result = TypeVar("_Result")


class RemoteBackend:
    """Implements `tunesmith.contracts.InferenceBackend`. It starts no engine: whoever asks the endpoint asks the server at `url`, by way of
    this process, which alone knows the key."""

    def __init__(self, settings: RemoteSettings) -> None:
        self.settings = settings

    def serve(self, model: Artifact | None, name: str, address: Address, step: Step) -> None:
        check(dataclasses.asdict(self.settings), address.host)
        try:
            listener = listen(address.host, address.port, 2048)
        except OSError as error:
            raise not_free(address.host, address.port, error) from error
        with listener:
            asyncio.run(self._serve(listener, name, address, step))

    async def _serve(self, listener: socket.socket, name: str, address: Address, step: Step) -> None:
        from aiohttp import web

        from tunesmith_remote.proxy import Proxy
        from tunesmith_remote.upstream import Upstream

        async with Upstream(self.settings.url, self._key(), self.settings.timeout) as upstream:
            model = await _unless_cancelled(upstream.model(self.settings.model), step)
            if model is None:
                return
            proxy = Proxy(upstream, model, name, address)
            runner = web.AppRunner(proxy.app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
            await runner.setup()
            try:
                await web.SockSite(runner, listener).start()
                host, port = listener.getsockname()[:2]
                host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
                url = f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"
                step.log(f"{name} at {url} is {model} at {self.settings.url}")
                step.ready(url=url, model=name)
                await _cancelled(step)
                await proxy.drain(step.settings.shutdown_grace)
            finally:
                await runner.cleanup()

    def _key(self) -> str:
        """The key out of the environment; it is kept in this process alone."""
        name = self.settings.api_key_env
        key = os.environ.get(name, "").strip() if name else ""
        if name and not (key.isascii() and key.isprintable() and key):
            raise UserError("TS-SERVE-051", f"the environment variable {name} holds no key", why="A key is a line of ASCII characters.",
                            fix=f"export {name}=... with the key alone.")  # fmt: skip
        return key


async def _cancelled(step: Step) -> None:
    while not step.wait_cancelled(0):
        await asyncio.sleep(POLL)


async def _unless_cancelled(work: Coroutine[Any, Any, _Result], step: Step) -> _Result | None:
    """What comes of work; None where the step is asked to stop before."""
    task, stop = asyncio.create_task(work), asyncio.create_task(_cancelled(step))
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        return task.result()
    task.cancel()
    return None
