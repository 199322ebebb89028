"""Real training by each strategy, a process a rank."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tunesmith.config import load_config
from tunesmith.planning.placement.environments import recipe_of
from tunesmith.plugins.registry import load_registry
from tunesmith_data.api import message
from tunesmith_environments.manager import Environments
from tunesmith_sdk.tiny_models import tiny_model

RANK = Path(__file__).with_name("rank.py")


def rows(objective: str):
    for number in range(11):
        prompt = [message("user", "What is it? " * (1 + number % 3))]
        if objective == "sft":
            yield {"messages": [*prompt, message("assistant", "A plugin." + " no" * number)]}
        elif objective in ("grpo", "ppo", "online-dpo"):
            yield {"messages": prompt}
        elif objective == "kto":
            yield {"messages": prompt, "answer": [message("assistant", "Yes" * (number % 4 + 1))], "label": number % 3 > 0}
        else:
            yield {
                "messages": prompt,
                "chosen": [message("assistant", "Yes" * (number % 4 + 1))],
                "rejected": [message("assistant", "No.")],
            }


def launch(
    home: Path, model: Path, processes: int, *, program: Path = RANK, python: Sequence[str] = (sys.executable,),
    variables: Mapping[str, str] = MappingProxyType({}), **spec: Any,
) -> dict[int, dict[str, Any]]:  # fmt: skip
    """Run all ranks to their end; what each reported.

    Args:
        program: what a rank runs, by `python` with `variables` set.
    """
    (home / "data").mkdir(parents=True, exist_ok=True)
    (home / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(spec.get("objective", "sft"))))
    (home / "meet").unlink(missing_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    given = [(str(home), str(model), str(rank), str(processes), json.dumps(spec)) for rank in range(processes)]
    ranks = [subprocess.Popen([*python, str(program), *each], env=environment) for each in given]
    try:
        assert [rank.wait(timeout=300) for rank in ranks] == [0] * processes
    finally:
        for rank in ranks:
            rank.kill()
    return {rank: json.loads((home / f"rank{rank}.json").read_text()) for rank in range(processes)}


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("strategies"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """``environment("megatron", "sft", ...)``: the interpreter, and the variables to set, of the environment in which the strategy that is
    named first runs with the others: this one where its library is here, else one that is built for them."""

    def made(strategy: str, *others: str) -> tuple[Sequence[str], Mapping[str, str]]:
        if find_spec(strategy) is not None:
            return (sys.executable,), {}
        registry = load_registry(load_config(tmp_path_factory.mktemp("project")))
        plugins = [plugin for plugin in registry.plugins if plugin.distribution.removeprefix("tunesmith-") in (strategy, *others)]
        recipe, built = recipe_of(registry, plugins, "cpu"), Environments(tmp_path_factory.mktemp("environments"))
        start = built.start(built.ensure(recipe), recipe)
        return start.command[:1], start.environment

    return made


@pytest.fixture(scope="session")
def by_megatron(environment):
    """``by_megatron(folder, model, processes, settings={...})``: the same as `launched` where megatron-core is."""
    python, variables = environment("megatron", "sft", "dpo", "full", "torch-optim", "fsdp")
    return partial(launch, strategy="megatron", adapter="full", python=python, variables=variables)


@pytest.fixture(scope="session")
def launched():
    """``launched(folder, model, processes, strategy="ddp", settings={...})``: all ranks of a step, run to their end; what each reported."""
    return launch
