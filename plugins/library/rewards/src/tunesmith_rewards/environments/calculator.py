"""The environment `calculator`: questions with a number as their answer, and a tool that computes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tunesmith_rewards.api.column import column
from tunesmith_rewards.api.environment import Observation, Opening
from tunesmith_rewards.api.tool_calls import ToolCall, tool_calls
from tunesmith_rewards.environments.arithmetic import compute
from tunesmith_rewards.environments.settings import CalculatorSettings

TOOL = {
    "type": "function",
    "function": {
        "name": "calculator",
        "description": "Computes an arithmetic expression.",
        "parameters": {
            "type": "object",
            "properties": {"expression": {"type": "string", "description": "such as (3 + 4) * 12"}},
            "required": ["expression"],
        },
    },
}
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


class Calculator:
    def __init__(self, settings: CalculatorSettings) -> None:
        self.settings = settings

    def reset(self, row: Mapping[str, Any], seed: int) -> Opening:
        self._right, self._computed = float(column(row, self.settings.column)), False
        system = [{"role": "system", "content": self.settings.system_prompt}] if self.settings.system_prompt else []
        return Opening([*system, *row["messages"]], [TOOL])

    def step(self, answer: str) -> Observation:
        if calls := tool_calls(answer):
            before = self._computed
            messages = [{"role": "tool", "name": call.name, "content": self._called(call)} for call in calls]
            first = self._computed and not before and self.settings.call_reward
            return Observation(messages, self.settings.call_reward if first else None)
        numbers = _NUMBER.findall(answer[:4000])
        right = bool(numbers) and math.isclose(
            float(numbers[-1].replace(",", "")), self._right, rel_tol=self.settings.tolerance, abs_tol=1e-12
        )  # fmt: skip
        return Observation(reward=float(right), done=True)

    def end(self) -> float:
        return 0.0  # it has given no answer

    def _called(self, call: ToolCall) -> str:
        if call.name != "calculator":
            return f"Error: there is no tool {call.name}."
        try:
            found = compute(str(call.arguments["expression"]))
        except KeyError:
            return "Error: `expression` is missing."
        except ValueError as error:
            return f"Error: {error}."
        self._computed = True
        return found
