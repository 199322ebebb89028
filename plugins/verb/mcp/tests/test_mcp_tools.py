"""The tools, as the SDK's client sees and calls them in this process."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml
from mcp import Client
from mcp_types import CallToolResult

from tunesmith.errors import TunesmithError
from tunesmith_cli.api import main
from tunesmith_mcp import run_process
from tunesmith_recommend.machine.measurement import Measured
from tunesmith_sdk.distributions.written_plugins import age, write_plugin

LOOKING = {"inspect_plugins", "inspect_provider", "inspect_machine", "inspect_data", "recommend", "plan", "watch", "list_runs", "show_run"}


def calls(connected, *asked: tuple[str, dict[str, Any]]) -> list[CallToolResult]:
    """What the tools answer, one after the other."""

    async def talk() -> list[CallToolResult]:
        async with connected() as client:
            return [await client.call_tool(name, arguments) for name, arguments in asked]

    return anyio.run(talk)


def given(connected, tool: str, **arguments: Any) -> dict[str, Any]:
    (result,) = calls(connected, (tool, arguments))
    assert not result.is_error, result.content
    return result.structured_content


def code(result: CallToolResult) -> str:
    assert result.is_error
    assert result.structured_content["error"]["fix"]
    assert result.structured_content["error"]["code"] in result.content[0].text
    return result.structured_content["error"]["code"]


def test_each_tool_has_schemas_and_says_whether_it_changes_anything(connected):
    async def talk():
        async with connected() as client:
            return (await client.list_tools()).tools, client.instructions

    tools, instructions = anyio.run(talk)
    assert {tool.name for tool in tools if tool.annotations.read_only_hint} == LOOKING
    assert {tool.name for tool in tools if tool.annotations.destructive_hint} == {"run", "cancel", "write_pipeline"}
    for tool in tools:
        assert tool.description
        assert tool.output_schema["properties"], tool.name
        for parameter in tool.input_schema.get("properties", {}).values():
            assert parameter.get("description") or "maximum" in parameter, tool.name
    assert "only after their yes" in instructions


def test_a_port_that_is_taken_is_told_of_before_anything_is_served(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("TUNESMITH_MCP_TOKEN", "a-word-of-sixteen-characters")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["mcp", "--http", str(taken.getsockname()[1])]) == 2
    assert "TS-MCP-010" in capsys.readouterr().err
    assert main(["mcp", "--http", "99999999"]) == 2


def test_a_file_that_can_not_be_written_is_told_of(connected, folder: Path):
    (folder / "taken").write_text("a file, no folder")
    (result,) = calls(connected, ("write_pipeline", {"file": "taken/new.yaml", "pipeline": {}}))
    assert code(result) == "TS-MCP-007"


def test_which_hubs_answer_is_told_of_this_machine(connected, monkeypatch: pytest.MonkeyPatch):
    told = [{"loader": "huggingface", "address": "https://hub.example", "answers": False, "why": "no route"}]
    monkeypatch.setattr("tunesmith_recommend.machine.network.reached", lambda *_, **__: told)
    monkeypatch.setattr("tunesmith_recommend.machine.probe.measured", lambda registry, devices, *_, **__: Measured(devices))
    assert given(connected, "inspect_machine")["network"] == told
    assert given(connected, "inspect_machine", on="A10")["network"] == []


def test_a_run_that_does_not_start_in_time_does_not_start_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_process, "START_TIMEOUT", 0.2)
    (tmp_path / "log").write_text("")
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"], start_new_session=True)
    with pytest.raises(TunesmithError, match="TS-MCP-005"):
        anyio.run(run_process.RunProcess(process, tmp_path / "log").number)
    assert process.wait(30) == -signal.SIGTERM


def test_what_is_installed_is_told_with_settings(connected):
    assert {one["name"] for plugin in given(connected, "inspect_plugins", kind="adapter")["plugins"] for one in plugin["providers"]} >= {
        "lora"
    }
    (lora,) = given(connected, "inspect_provider", name="adapter.lora")["found"]
    assert lora["schema"]["properties"]["r"]["minimum"] == 1


def test_rows_are_looked_into(connected):
    found = given(connected, "inspect_data", file="train.jsonl")
    assert (found["rows"], found["task"], list(found["languages"])) == (3, "instruction", ["en"])


def test_a_recommendation_becomes_a_file_that_plans(connected, folder: Path):
    found = given(connected, "recommend", data="train.jsonl", goal="edge", on="A10")
    assert found["choices"][0]["rule"]["source"]
    written = given(connected, "write_pipeline", file="small.yaml", pipeline=found["pipeline"])
    assert yaml.safe_load((folder / written["file"]).read_text()) == found["pipeline"]


def test_a_plan_tells_its_steps_and_changed_values(connected):
    plan = given(connected, "plan", assignments=["steps.rows.seed=7"])
    assert [(step["name"], step["seed"]) for step in plan["steps"]] == [("rows", 7)]


def test_a_file_that_is_there_is_replaced_only_where_that_is_said(connected, folder: Path):
    pipeline = {"name": "other", "steps": {"rows": {"prepare": "messages", "from": "train.jsonl"}}}
    asked = {"file": "tunesmith.yaml", "pipeline": pipeline}
    refused, replaced, no_pipeline = calls(
        connected, ("write_pipeline", asked), ("write_pipeline", {**asked, "overwrite": True}),
        ("write_pipeline", {**asked, "file": "train.jsonl", "overwrite": True}),
    )  # fmt: skip
    assert (code(refused), replaced.structured_content["replaced"], code(no_pipeline)) == ("TS-MCP-007", True, "TS-MCP-007")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("inspect_data", {"file": "../secret.jsonl"}),
        ("inspect_data", {"file": "/etc/passwd"}),
        ("inspect_data", {"file": "link.jsonl"}),
        ("inspect_data", {"file": "train.jsonl\0"}),
        ("plan", {"assignments": ["steps.rows.from=a\0b"]}),
        ("recommend", {"data": "../secret.jsonl"}),
        ("plan", {"file": "../elsewhere.yaml"}),
        ("plan", {"assignments": ["model=file:///"]}),
        ("plan", {"assignments": ["steps.rows.from=../secret.jsonl"]}),
        ("plan", {"file": "sly.yaml"}),
        ("prepare_run", {"file": "sly.yaml"}),
        ("write_pipeline", {"file": "../new.yaml", "pipeline": {}}),
        ("write_pipeline", {"file": "new.yaml", "pipeline": {"steps": {"a": {"train": "sft", "data": ["train.jsonl", "~/x"]}}}}),
    ],
)
def test_what_lies_outside_the_root_is_refused(connected, folder: Path, tool: str, arguments: dict[str, Any]):
    (folder / "link.jsonl").symlink_to("../secret.jsonl")
    (folder / "sly.yaml").write_text("name: sly\nsteps:\n  a: {prepare: messages, from: link.jsonl, from: train.jsonl}\n")
    (result,) = calls(connected, (tool, arguments))
    assert code(result) == "TS-MCP-002"
    assert not (folder.parent / "new.yaml").exists()


def test_an_option_is_no_name(connected, folder: Path):
    for result in calls(connected, ("inspect_data", {"file": "--help"}), ("inspect_provider", {"name": "--help"})):
        assert result.is_error
        assert "usage" not in result.content[0].text


def test_all_that_is_wrong_with_a_pipeline_is_told_with_codes(connected, folder: Path):
    (folder / "tunesmith.yaml").write_text("name: x\nsteps:\n  a: {prepare: mesages, from: train.jsonl}\n  b: {trian: sft}\n")
    (result,) = calls(connected, ("plan", {}))
    code(result)
    assert len(result.structured_content["error"]["problems"]) == 2


def test_arguments_that_do_not_fit_the_schema_are_refused(connected):
    for result in calls(connected, ("recommend", {"data": "train.jsonl", "goal": "fame"}), ("watch", {"run": "x", "wait": 10**6})):
        assert result.is_error


def test_where_nothing_was_run_there_is_nothing(connected, folder: Path):
    runs, watched = calls(connected, ("list_runs", {}), ("watch", {"run": "2026", "wait": 0}))
    assert runs.structured_content == {"runs": []}
    assert code(watched) == "TS-RUN-021"
    assert not (folder / ".tunesmith").exists()


async def prepared(client: Client, **arguments: Any) -> str:
    result = await client.call_tool("prepare_run", arguments)
    assert not result.is_error, result.content
    return result.structured_content["token"]


def test_nothing_is_run_without_a_token_or_with_one_that_is_too_old(connected, clock, folder: Path):
    async def talk():
        async with connected() as client:
            made_up = await client.call_tool("run", {"token": "yes"})
            token = await prepared(client)
            clock.now = 61
            return made_up, await client.call_tool("run", {"token": token})

    assert [code(result) for result in anyio.run(talk)] == ["TS-MCP-003"] * 2
    assert not (folder / ".tunesmith" / "runs").exists()


@pytest.mark.parametrize("change", ["pipeline", "rows"])
def test_what_was_changed_since_it_was_shown_is_not_run_and_the_token_is_spent(connected, folder: Path, change: str):
    async def talk():
        async with connected() as client:
            token = await prepared(client)
            if change == "rows":
                (folder / "train.jsonl").write_text((folder / "train.jsonl").read_text().replace("order", "chair"))
            else:
                (folder / "tunesmith.yaml").write_text((folder / "tunesmith.yaml").read_text() + "seed: 7\n")
            return [await client.call_tool("run", {"token": token}) for _ in range(2)]

    assert [code(result) for result in anyio.run(talk)] == ["TS-MCP-008", "TS-MCP-003"]
    assert not (folder / ".tunesmith" / "runs").exists()


def test_a_new_token_for_a_pipeline_takes_the_place_of_the_one_before(connected):
    async def talk():
        async with connected() as client:
            first, second = await prepared(client), await prepared(client, keep_serving=True)
            return first != second, await client.call_tool("run", {"token": first})

    other, result = anyio.run(talk)
    assert (other, code(result)) == (True, "TS-MCP-003")


def test_a_strangers_plugin_takes_part_once_it_is_installed(connected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    site = tmp_path / "site"
    site.mkdir()
    said = {"schema": {"type": "object", "properties": {"angle": {"type": "integer", "maximum": 90, "default": 4}}}}
    write_plugin(site, "acme-tilt", providers=[{"kind": "adapter", "name": "tilt", "summary": "tilts every projection", **said}])
    age(site)
    monkeypatch.syspath_prepend(site)
    plugins = given(connected, "inspect_plugins", kind="adapter")["plugins"]
    assert "tilt" in {one["name"] for plugin in plugins for one in plugin["providers"]}
    (tilt,) = given(connected, "inspect_provider", name="tilt")["found"]
    assert tilt["schema"]["properties"]["angle"]["maximum"] == 90
