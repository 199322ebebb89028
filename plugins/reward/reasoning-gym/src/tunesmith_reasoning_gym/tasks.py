"""The verb `reasoning-gym`: rows of procedural tasks, the same for the same seed.

Number n of a task is made from the seed plus n, so a second dataset with another seed would hold most of the first one's rows: rows to be
held out have the same seed and begin further on (`first`), and what was asked before is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.contracts import Result, Step, UserError
from tunesmith_data.api import ROWS_FILE, message

Entry = dict[str, Any]
_FIX = (
    "`python -c 'from reasoning_gym.factory import DATASETS; print(sorted(DATASETS))'` lists them; each has its configuration's settings."
)


def run(step: Step) -> Result:
    """
    Raises:
        UserError: TS-REWARD-009 for a task that is not there or can't be made so; TS-REWARD-010 where nothing new is asked.
    """
    settings = step.settings
    tasks = [_task(entry, settings.first + settings.size, step.seed) for entry in settings.tasks]
    if not tasks:
        raise UserError("TS-REWARD-009", "no task is named", fix="Name some: `tasks: [chain_sum]`.")
    for name, made in tasks:
        _check(name, made[0])
    rows = 0
    with open(step.output / ROWS_FILE, "w", encoding="utf-8") as lines:
        for entry in _new(tasks, settings.first, settings.size):
            columns = {"answer": entry["answer"], "metadata": entry["metadata"]}
            row = {"messages": [message("user", entry["question"])], "columns": columns}
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            rows += 1
            step.check_cancelled()
            step.progress(rows, settings.size, what="making", unit="rows")
    if not rows:
        raise UserError(
            "TS-REWARD-010", f"The {settings.size} tasks from number {settings.first} on ask nothing new",
            why="Each question was there before.", fix="Let the tasks be larger (settings of their configuration), or name more of them.",
        )  # fmt: skip
    if rows < settings.size:
        step.log(f"{settings.size - rows} of {settings.size} tasks ask what was asked before, and are left out")
    return Result(meta={"rows": rows})


def _task(entry: Any, size: int, seed: int) -> tuple[str, Sequence[Entry]]:
    """A task's name and all that it makes, lazily."""
    import reasoning_gym

    name, more = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else (entry, {})
    try:
        return str(name), reasoning_gym.create_dataset(str(name), **{"seed": seed, **(more or {}), "size": size})
    except (ValueError, TypeError, AssertionError) as error:
        raise UserError("TS-REWARD-009", f"reasoning-gym can't make the task `{name}`", why=f"{error}", fix=_FIX) from error


def _check(name: str, entry: Entry) -> None:
    """Of a task whose own answer is not right once its row was a line of JSON, no answer would be."""
    import reasoning_gym

    read = json.loads(json.dumps(entry))
    if entry["answer"] is None or reasoning_gym.get_score_answer_fn(name)(answer=entry["answer"], entry=read) >= 1:
        return
    raise UserError(
        "TS-REWARD-009", f"the task `{name}` can't be scored from a file of rows",
        why="Its own answer is not right by what stands in the row.", fix="Name another task.",
    )  # fmt: skip


def _new(tasks: Sequence[tuple[str, Sequence[Entry]]], first: int, size: int) -> Iterator[Entry]:
    asked: set[str] = set()
    for number in range(first + size):
        _, made = tasks[number % len(tasks)]
        entry = made[number]
        if entry["question"] not in asked and number >= first:
            yield entry
        asked.add(entry["question"])
