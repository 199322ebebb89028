"""What the tools give, as the schemas that clients are told. Sizes are bytes, times seconds, points in time seconds since the epoch."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Plugins(BaseModel):
    plugins: list[dict[str, Any]] = Field(
        description="distribution, version, state, why it is not active (reason, fix), and its providers: kind, name, summary"
    )


class Provider(BaseModel):
    found: list[dict[str, Any]] = Field(
        description="those of that name: what each accepts and produces, its capabilities, and in `schema` the JSON schema of its settings"
    )


class Machine(BaseModel):
    here: bool = Field(description="false for cards that were named and are not in this machine")
    platform: str
    processors: int | None
    devices: dict[str, list[dict[str, Any]]] = Field(description="device backend -> devices with memory, dtypes and measured speed")
    disk: dict[str, Any]
    network: list[dict[str, Any]] = Field(
        default=[],
        description="model loaders with the address that they ask, whether it answers, and else why; none for cards that were named",
    )
    remarks: list[str]


class Data(BaseModel):
    rows: int
    task: str | None = Field(description="what the rows teach: chat, instruction, preference, classification, ...")
    languages: dict[str, float] = Field(description="ISO 639-1 -> share, the most first")
    domains: dict[str, float]
    tokens: int = Field(description="of all rows, about")
    problem: dict[str, Any] | None = Field(description="why they can't be trained on as they are: what, why, fix")
    facts: dict[str, Any] = Field(description="all that is known: lengths, duplicates, formats, columns")


class Recommendation(BaseModel):
    pipeline: dict[str, Any] = Field(description="as `write_pipeline` takes it")
    choices: list[dict[str, Any]] = Field(description="topic, value, reason, the rule with its source, and what it was preferred to")
    prediction: dict[str, Any] = Field(description="seconds of training, optimizer steps, memory of a device, disk")
    remarks: list[str]
    refused: list[str] = Field(description="what was tried before and why it was not taken")


class Written(BaseModel):
    file: str
    replaced: bool


class Plan(BaseModel):
    file: str
    steps: list[dict[str, Any]] = Field(
        description="in order: verb, providers with their settings, inputs, device, environment, whether the result is cached, estimates"
    )
    gates: list[dict[str, Any]]
    decisions: list[dict[str, Any]] = Field(description="what the planner decided for a step, and why")
    warnings: list[str]
    listeners: list[dict[str, Any]] = Field(description="trackers that are told of the run, with their settings")


class Confirmation(BaseModel):
    plan: Plan
    token: str = Field(description="for `run`, once, after the user has said yes to this plan")
    expires_in: float = Field(description="seconds")


class Started(BaseModel):
    run: str = Field(description="its id, for `watch`, `cancel` and `show_run`")
    log: str = Field(description="file with its events, a line of JSON each")


class Watched(BaseModel):
    run: str
    state: str = Field(description="running, serving, done, failed, cancelled or interrupted")
    error: dict[str, Any] | None
    steps: list[dict[str, Any]] = Field(description="step, state, cached, progress (what, done, total, unit), metrics, seconds")
    events: list[dict[str, Any]] = Field(description="new ones: time, step, kind, text")
    next: int = Field(description="`since` of the next call")
    report: str | None = Field(description="path of the page about it, once it has ended")


class Runs(BaseModel):
    runs: list[dict[str, Any]] = Field(description="id, pipeline, path, started, finished, state, error; the newest first")


class Run(BaseModel):
    run: dict[str, Any] = Field(description="id, state, error, directory, report; steps with metrics, settings and inputs; decisions")
    series: dict[str, dict[str, list[tuple[int, float]]]] = Field(description="step -> what it measured as it ran: name -> points")
    gates: list[dict[str, Any]]
