"""Write `answers.json` anew, after operators were added: ``python -m tunesmith_devices.stored_answers``.

What is there already must stay as it is: an answer that changes would mean that it was, or is, wrong.
"""

from __future__ import annotations

import json

from tunesmith_devices.operators import OPERATORS
from tunesmith_devices.self_test import ANSWERS, digest, right_answers

DTYPES = ("float32", "float16", "bfloat16")


def answers() -> dict[str, dict[str, list[float]]]:
    """Of every case, the numbers of each tensor."""
    return {
        f"{name}, {shape}, {dtype}": {
            part: [float(f"{value:.12e}") for value in digest(tensor)]
            for part, tensor in right_answers(operator, inputs, dtype).items()
        }
        for name, operator in OPERATORS.items()
        for shape, inputs in operator.shapes.items()
        for dtype in operator.only or DTYPES
    }  # fmt: skip


if __name__ == "__main__":
    lines = (f"{json.dumps(case)}: {json.dumps(parts)}" for case, parts in answers().items())
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
