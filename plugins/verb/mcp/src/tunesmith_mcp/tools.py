"""The tools: each a command of Tunesmith, or what the journal knows of runs. Their docstrings are what an assistant reads."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import anyio
import yaml
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, TextContent
from pydantic import Field

from tunesmith.errors import TunesmithError, UserError, each
from tunesmith_cli.api import write_whole
from tunesmith_mcp import past_runs, results
from tunesmith_mcp.allowed_root import AllowedRoot
from tunesmith_mcp.confirmations import Confirmations, Prepared, digest_of
from tunesmith_mcp.run_process import RunProcess
from tunesmith_mcp.tunesmith_command import Ask

_POLL = 0.5  # seconds between two looks at a run
_Tool = TypeVar("_Tool", bound=Callable[..., Awaitable[Any]])

File = Annotated[str, Field(description="path of a pipeline's file, from the server's folder")]
Assignments = Annotated[list[str], Field(description="values to change, such as steps.tune.settings.num_train_epochs=1")]
RunId = Annotated[str, Field(description="its id, or the beginning of it")]


def coded(tool: _Tool) -> _Tool:
    """A tool whose refusals tell code, reason and fix, as words and as data."""

    @functools.wraps(tool)
    async def told(*args: Any, **named: Any) -> Any:
        try:
            return await tool(*args, **named)
        except TunesmithError as error:
            content = [TextContent(type="text", text="\n\n".join(map(_sentences, each(error))))]
            return CallToolResult(content=content, structured_content={"error": error.to_json()}, is_error=True)

    return told  # type: ignore[return-value]


def _sentences(error: TunesmithError) -> str:
    told = (f"{label}: {text}" for label, text in (("why", error.why), ("fix", error.fix)) if text)
    return "\n".join([f"{error.code}: {error.what}", *told])


class Tools:
    """
    Args:
        root: folder that files may lie in.
        home: where runs are kept.
        ask: runs a command in the root.
        confirmations: that wait for a yes.
    """

    def __init__(self, root: AllowedRoot, home: Path, ask: Ask, confirmations: Confirmations) -> None:
        self._root, self._home, self._ask, self._confirmations = root, home, ask, confirmations
        self._processes: list[RunProcess] = []  # those of this server, to be waited for when they end

    # --- looking around ---------------------------------------------------------------------------------------------------------------

    @coded
    async def inspect_plugins(
        self, kind: Annotated[str, Field(description="only this kind: adapter, quantizer, objective, ...; empty: all")] = ""
    ) -> results.Plugins:
        """What is installed: every plugin with what it provides. Pipelines may name these and nothing else."""
        told = await self._ask(["plugin", "list", *([f"--kind={kind}"] if kind else [])])
        keys = ("distribution", "version", "state", "reason", "fix", "providers")
        plugins = [{key: plugin[key] for key in keys} for plugin in told]
        for plugin in plugins:
            plugin["providers"] = [one for one in plugin["providers"] if kind in ("", one["kind"])]
        return results.Plugins(plugins=plugins)

    @coded
    async def inspect_provider(self, name: Annotated[str, Field(description="`lora` or `adapter.lora`")]) -> results.Provider:
        """One provider: its settings with types, bounds, defaults and help, what it reads and gives, and what it can be combined with."""
        found = await self._ask(["plugin", "info", _word(name)])
        kept = [one for plugin in found for one in plugin["providers"] if name in (one["name"], f"{one['kind']}.{one['name']}")]
        return results.Provider(found=kept or found)

    @coded
    async def inspect_machine(
        self, on: Annotated[str, Field(description="cards that are not here, such as A10 or 8xH100; empty: this machine")] = ""
    ) -> results.Machine:
        """Devices with their memory and speed, free disk, and which hubs answer."""
        return results.Machine(**await self._ask(["probe", *_options(on=on)]))

    @coded
    async def inspect_data(self, file: Annotated[str, Field(description="rows, from the server's folder")]) -> results.Data:
        """What a file of rows is for: task, languages, field, lengths, quality."""
        facts = await self._ask(["data", "facts", self._named(file)])
        named = {key: facts[key] for key in ("rows", "task", "languages", "domains", "tokens", "problem")}
        return results.Data(**named, facts=facts)

    # --- from rows to a plan ----------------------------------------------------------------------------------------------------------

    @coded
    async def recommend(
        self,
        data: Annotated[str, Field(description="rows to learn from, from the server's folder")],
        goal: Annotated[
            Literal["quality", "speed", "memory", "edge"],
            Field(description="the best answers that fit; quick ones; the least of the device; a phone or a board"),
        ] = "quality",
        on: Annotated[str, Field(description="cards that are not here, such as A10 or 8xH100; empty: this machine")] = "",
        budget: Annotated[str, Field(description="that training may take: 90m, 4h, 2d; empty: 8h")] = "",
        task: Annotated[str, Field(description="what the rows teach, in place of what they look like")] = "",
        any_model: Annotated[bool, Field(description="don't ask whether the model can be fetched from here")] = False,
    ) -> results.Recommendation:
        """Which model, method and settings for these rows on this machine, each with its reason and source. What comes has been planned."""
        words = [
            "recommend",
            f"--data={self._named(data).removeprefix('./')}",
            f"--goal={goal}",
            *_options(on=on, budget=budget, task=task),
        ]
        found = await self._ask([*words, *(["--any-model"] if any_model else [])])
        return results.Recommendation(**found)

    @coded
    async def write_pipeline(
        self,
        file: Annotated[str, Field(description="to write, from the server's folder; ends in .yaml")],
        pipeline: Annotated[dict[str, Any], Field(description="name, model, steps: as `recommend` gives it, or your own")],
        overwrite: Annotated[bool, Field(description="a file that is there may be replaced")] = False,
    ) -> results.Written:
        """Write a pipeline to a file, where it can be planned. It is checked by `plan`, and nothing is run."""
        path = self._root.folder / self._root.inside(file)
        self._root.check(pipeline, path.parent)
        there = path.exists()
        if path.suffix not in (".yaml", ".yml") or (there and not (overwrite and path.is_file())):
            what = f"{file} is there already" if there else f"{file} is no name for a pipeline's file"
            raise UserError("TS-MCP-007", what, fix="Name another one that ends in .yaml, or write over it: overwrite.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, yaml.safe_dump(pipeline, sort_keys=False, allow_unicode=True))
        except OSError as error:
            raise UserError(
                "TS-MCP-007",
                f"{file} can't be written: {error.strerror or error}",
                fix="Name another one, in a folder that may be written to.",
            ) from None
        return results.Written(file=str(path.relative_to(self._root.folder)), replaced=there)

    @coded
    async def plan(
        self, file: File = "tunesmith.yaml", assignments: Assignments = [],  # noqa: B006  pydantic copies it
        on: Annotated[str, Field(description="plan for cards that are not here, such as A10 or 8xH100")] = "",
    ) -> results.Plan:  # fmt: skip
        """What a pipeline would do, with reasons, estimates and all that is wrong with it. Computes nothing."""
        return (await self._planned(file, assignments, on))[0]

    # --- running ----------------------------------------------------------------------------------------------------------------------

    @coded
    async def prepare_run(
        self, file: File = "tunesmith.yaml", assignments: Assignments = [],  # noqa: B006  pydantic copies it
        keep_serving: Annotated[bool, Field(description="servers at the end of the pipeline stay up until `cancel`")] = False,
    ) -> results.Confirmation:  # fmt: skip
        """The plan of a pipeline with a token that confirms it. Show the plan to the user, and call `run` only after their yes."""
        plan, told, digest = await self._planned(file, assignments, "", keep_serving)
        token = self._confirmations.ask(Prepared(told, tuple(assignments), keep_serving, digest))
        return results.Confirmation(plan=plan, token=token, expires_in=self._confirmations.lasts)

    @coded
    async def run(self, token: Annotated[str, Field(description="of `prepare_run`")]) -> results.Started:
        """Run what the token confirms. It goes on when this server or the conversation ends: `list_runs` finds it again."""
        prepared = self._confirmations.take(token)
        _, file, digest = await self._planned(str(prepared.file), prepared.assignments, "", prepared.keep_serving)
        if digest != prepared.digest:
            raise UserError(
                "TS-MCP-008", f"{prepared.file} would do something else now than was confirmed",
                why="The file, the rows that it reads or what is installed has changed since `prepare_run`.",
                fix="Call `prepare_run` again, and show the new plan.",
            )  # fmt: skip
        words = [f"./{file}", *_sets(prepared.assignments), *([] if prepared.keep_serving else ["--no-serve"])]
        process = RunProcess.start(self._root.folder, self._home, words)
        self._processes = [one for one in (*self._processes, process) if not one.ended()]
        return results.Started(run=await process.number(), log=str(process.log))

    @coded
    async def watch(
        self, ctx: Context, run: RunId,
        since: Annotated[int, Field(ge=0, description="`next` of the call before")] = 0,
        wait: Annotated[float, Field(ge=0, le=60, description="seconds to wait for something new")] = 10.0,
    ) -> results.Watched:  # fmt: skip
        """How far a run is, and what it said since the last call. Waits until there is something new, or it has ended."""
        with anyio.move_on_after(wait):
            while not self._news(run, since):
                await anyio.sleep(_POLL)
        told = past_runs.told_since(self._home, run, since)
        for step in told["steps"]:
            if step["state"] == "running" and step["progress"]:
                task = step["progress"][-1]
                await ctx.report_progress(task["done"], task["total"], f"{step['step']}: {task['what']}")
        return results.Watched(**told)

    def _news(self, run: str, since: int) -> bool:
        told = past_runs.told_since(self._home, run, since)
        return bool(told["events"]) or told["state"] not in past_runs.GOING

    @coded
    async def cancel(
        self, run: RunId, wait: Annotated[float, Field(ge=0, le=60, description="seconds to wait for its end")] = 20.0
    ) -> results.Watched:
        """Ask a run to stop, as Ctrl-C does; called twice, it does not wait for running steps. What is finished is kept: it can go on."""
        found = past_runs.ask_to_stop(self._home, run)
        with anyio.move_on_after(wait):
            while past_runs.told_since(self._home, found, 0)["state"] in past_runs.GOING:
                await anyio.sleep(_POLL)
        return results.Watched(**past_runs.told_since(self._home, found, 0))

    # --- what was run -----------------------------------------------------------------------------------------------------------------

    @coded
    async def list_runs(
        self,
        state: Annotated[
            Literal["", "running", "serving", "done", "failed", "cancelled", "interrupted"], Field(description="only these; empty: all")
        ] = "",
        most: Annotated[int, Field(ge=1, le=1000)] = 20,
    ) -> results.Runs:
        """The runs of this folder, the newest first, whoever started them."""
        return results.Runs(runs=past_runs.listed(self._home, state, most))

    @coded
    async def show_run(self, run: RunId) -> results.Run:
        """All about a run: steps, metrics, curves, decisions, gates, its report's path, and why it failed."""
        told = past_runs.shown(self._home, run)
        return results.Run(series=told.pop("series"), gates=told.pop("gates"), run=told)

    # --- shared -----------------------------------------------------------------------------------------------------------------------

    def _named(self, file: str) -> str:
        """A file as a command is told it, from the root; never one of its options."""
        return f"./{self._root.inside(file)}"

    async def _planned(self, file: str, assignments: Sequence[str], on: str, keep_serving: bool = False) -> tuple[results.Plan, Path, str]:
        path = self._root.inside(file)
        self._root.check_pipeline(path, assignments)
        told = await self._ask(["plan", f"./{path}", *_sets(assignments), *_options(on=on)])
        keys = ("steps", "gates", "decisions", "warnings", "listeners")
        plan = results.Plan(file=str(path), **{key: told[key] for key in keys})
        return plan, path, digest_of(told, Path(told["path"]).read_bytes(), keep_serving)


def _sets(assignments: Sequence[str]) -> list[str]:
    return [f"--set={assignment}" for assignment in assignments]


def _options(**given: str) -> list[str]:
    return [f"--{name}={value}" for name, value in given.items() if value]


def _word(name: str) -> str:
    """A name as a command is told it; never one of its options."""
    return name.lstrip("-")
