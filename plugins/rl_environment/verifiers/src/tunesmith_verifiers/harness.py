"""verifiers' harness for a model that answers a turn at a time: a chat with the task's tools, in this process.

Every answer goes through verifiers' own endpoint, as its harnesses' answers have to, so that its traces, limits and rewards see what they
see of any model. Only when a turn is due is Tunesmith asked.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
from verifiers.v1 import Harness, HarnessConfig, ModelContext, ProgramResult, Runtime, TaskData, Trace
from verifiers.v1.dialects.chat import message_to_wire
from verifiers.v1.harnesses.utils.mcp import call_mcp, connect_mcp

from tunesmith_verifiers.stage import episode_of


class ChatHarness(Harness[HarnessConfig]):
    APPENDS_SYSTEM_PROMPT = True
    SUPPORTS_MCP = True
    SUPPORTS_RESUME = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(
        self, ctx: ModelContext, trace: Trace, runtime: Runtime, endpoint: str, secret: str, mcp_urls: dict[str, str], data: TaskData
    ) -> ProgramResult:  # fmt: skip
        episode, messages = episode_of(ctx.client.base_url), self._opening(data)
        servers = {"mcpServers": {name: {"url": url, "timeout": self.config.tool_timeout} for name, url in mcp_urls.items()}}
        async with AsyncExitStack() as stack, httpx.AsyncClient(timeout=None, headers={"Authorization": f"Bearer {secret}"}) as client:
            tools, dispatch, connected = await connect_mcp(servers, stack)
            while await episode.ask(messages, tools):
                body = {"model": ctx.model, "messages": messages, **({"tools": tools} if tools else {})}
                said = await client.post(f"{endpoint.rstrip('/')}/chat/completions", json=body)
                if said.status_code >= 400:  # a limit or a @stop of the task's: the trace has it
                    break
                message = {name: value for name, value in said.json()["choices"][0]["message"].items() if value is not None}
                messages = [*messages, message]
                calls = message.get("tool_calls")
                if not calls:
                    break
                for call in calls:
                    found = await _called(call["function"], dispatch, connected)
                    messages = [*messages, {"role": "tool", "tool_call_id": call["id"], "name": call["function"]["name"], "content": found}]
        return ProgramResult(exit_code=0, stdout="", stderr="")

    def _opening(self, data: TaskData) -> list[dict[str, Any]]:
        system, prompt = self.resolve_prompt(data)
        opening = [{"role": "system", "content": system}] if system else []
        if isinstance(prompt, str):
            return [*opening, {"role": "user", "content": prompt}]
        return [*opening, *(message_to_wire(message) for message in prompt or ())]


async def _called(function: dict[str, Any], dispatch: dict[str, tuple[str, str]], servers: dict[str, Any]) -> Any:
    """What a tool says; of a call that can't be made, why."""
    if function["name"] not in dispatch:
        return f"error: there is no tool {function['name']}"
    return await call_mcp(servers, dispatch, function["name"], json.loads(function["arguments"]))
