"""`tunesmith mcp` as an assistant starts it: real processes over stdio and HTTP, runs that outlive the server that started them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

pytestmark = pytest.mark.slow

SECRET = "a-word-of-sixteen-characters"


def server(folder: Path) -> StdioServerParameters:
    words = [
        "-c",
        "import os, sys; open('server.pid', 'w').write(str(os.getpid())); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])",
    ]
    return StdioServerParameters(
        command=sys.executable, args=[*words, "-m", "tunesmith_cli", "mcp", "--root", str(folder)], cwd=folder, env=dict(os.environ)
    )  # fmt: skip


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def ended(client: Client, run: str) -> tuple[str, list[dict[str, Any]]]:
    since, events = 0, []
    while True:
        told = await call(client, "watch", run=run, since=since, wait=30)
        since, events = told["next"], events + told["events"]
        if told["state"] not in ("running", "serving"):
            return told["state"], events


def test_a_run_is_confirmed_watched_and_queried_over_stdio(folder: Path):
    async def talk():
        async with Client(server(folder)) as client:
            confirmation = await call(client, "prepare_run")
            assert [step["name"] for step in confirmation["plan"]["steps"]] == ["rows"]
            started = await call(client, "run", token=confirmation["token"])
            again = await client.call_tool("run", {"token": confirmation["token"]})
            state, events = await ended(client, started["run"])
            shown = await call(client, "show_run", run=started["run"])
            return started, again, state, events, shown

    started, again, state, events, shown = anyio.run(talk)
    assert again.structured_content["error"]["code"] == "TS-MCP-003"
    assert (state, shown["run"]["state"]) == ("done", "done")
    assert [step["step"] for step in shown["run"]["steps"]] == ["rows"]
    assert len({json.dumps(event) for event in events}) == len(events), "no event is told twice"
    assert '"event": "run_finished"' in Path(started["log"]).read_text()


def test_a_run_goes_on_when_its_server_is_killed_and_a_new_one_finds_it(folder: Path):
    async def begin():
        async with Client(server(folder)) as client:
            confirmation = await call(client, "prepare_run")
            started = await call(client, "run", token=confirmation["token"])
            os.kill(int((folder / "server.pid").read_text()), signal.SIGKILL)
            return started["run"]

    async def go_on(run: str):
        async with Client(server(folder)) as client:
            listed = await call(client, "list_runs")
            return [row["id"] for row in listed["runs"]], (await ended(client, run))[0]

    run = anyio.run(begin)
    assert anyio.run(go_on, run) == ([run], "done")


class Models(BaseHTTPRequestHandler):
    """What stands for a server elsewhere: it lists one model, and answers nothing."""

    def do_GET(self) -> None:
        body = b'{"object": "list", "data": [{"id": "acme", "object": "model"}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def test_a_run_that_serves_is_cancelled(folder: Path):
    elsewhere = ThreadingHTTPServer(("127.0.0.1", 0), Models)
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{elsewhere.server_port}/v1"
    (folder / "api.yaml").write_text(f"name: api\nsteps:\n  api: {{serve: {{remote: {{url: '{url}'}}}}}}\n")

    async def talk():
        async with Client(server(folder)) as client:
            confirmation = await call(client, "prepare_run", file="api.yaml", keep_serving=True)
            started = await call(client, "run", token=confirmation["token"])
            while (await call(client, "watch", run=started["run"], wait=0))["state"] == "running":
                await anyio.sleep(0.2)
            serving = (await call(client, "list_runs", state="serving"))["runs"]
            stopped = await call(client, "cancel", run=started["run"], wait=60)
            again = await client.call_tool("cancel", {"run": started["run"]})
            return started["run"], [row["id"] for row in serving], stopped["state"], again

    run, serving, state, again = anyio.run(talk)
    elsewhere.shutdown()
    assert serving == [run]
    assert state in ("done", "cancelled")
    assert again.structured_content["error"]["code"] == "TS-MCP-006"


def test_over_http_who_does_not_know_the_word_is_not_heard(folder: Path, unused_port: int):
    command = [sys.executable, "-m", "tunesmith_cli", "mcp", "--http", str(unused_port)]
    without = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (without.returncode, "TS-MCP-009" in without.stderr) == (2, True)
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "TUNESMITH_MCP_TOKEN": SECRET}, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{unused_port}/mcp"

    async def talk(word: str) -> dict[str, Any]:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {word}"}) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            return await call(client, "list_runs")

    try:
        until = time.monotonic() + 60
        while True:
            try:
                status = httpx2.post(url, json={}).status_code
                break
            except httpx2.ConnectError:
                assert time.monotonic() < until
                time.sleep(0.2)
        assert status == 401
        assert httpx2.post(url, json={}, headers={"Authorization": "Bearer guess"}).status_code == 401
        elsewhere = {"Authorization": f"Bearer {SECRET}", "Host": "evil.example"}
        assert httpx2.post(url, json={}, headers=elsewhere).status_code == 421
        assert anyio.run(talk, SECRET) == {"runs": []}
    finally:
        process.terminate()
        process.wait()
