"""1 where the program of a completion passes the row's tests, in a sandbox.

A test is Python code that follows the program (`assert add(1, 2) == 3`), or ``{"input": ..., "output": ...}``: what the program reads and
what it has to print. A printed answer is compared outside of the sandbox; asserts run beside the program, which could deceive them if it
set out to: where that pays, give inputs and outputs.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_rewards.api.column import column
from tunesmith_rewards.code.sandbox import Sandbox
from tunesmith_rewards.rewards.settings import CodeSettings

_FENCE = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)
# tests and a word that ends them are read after the program has run, so that one which leaves early has not passed
_AFTER = "\n\nimport sys as _sys\n_tests, _, _word = _sys.stdin.read().rpartition('\\n')\nexec(_tests)\nprint(_word)\n"


class Code:
    """
    Raises:
        UserError: TS-REWARD-005 where this machine can't shut a program in.
    """

    def __init__(self, settings: CodeSettings) -> None:
        self.settings = settings
        self._sandbox = Sandbox(settings.seconds, settings.megabytes)

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        tests = column(row, self.settings.column)
        tests = tests if isinstance(tests, list) else [tests]
        if not tests:
            return None
        fences = _FENCE.findall(completion)
        program = fences[-1] if fences else completion
        if not program.strip():
            return 0.0
        passed = 0
        for test in tests:
            if self._passes(program, test):
                passed += 1
            elif not self.settings.partial:
                return 0.0
        return passed / len(tests)

    def _passes(self, program: str, test: Any) -> bool:
        if isinstance(test, Mapping) and {"input", "output"} <= set(test):
            status, output = self._sandbox.run(program, str(test["input"]))
            return status == 0 and output.split() == str(test["output"]).split()
        if not isinstance(test, str):
            raise UserError("TS-REWARD-004", f"{test!r} is no test", fix="Give code, or {input: ..., output: ...}.")
        word = secrets.token_hex(16)
        status, output = self._sandbox.run(program + _AFTER, f"{test}\n{word}")
        return status == 0 and output.endswith(f"{word}\n")
