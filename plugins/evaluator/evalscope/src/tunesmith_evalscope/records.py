"""The step's rows as EvalScope's benchmarks read them: JSON lines in a folder. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import Row, columns_of, read_rows, text_of

FORMATS = ("dataset/chat", "dataset/multiple-choice", "dataset/prompt")
LETTERS = "ABCDEFGHIJ"  # as many choices as a question of `general_mcq` has
CHOICES, ANSWERS = "general_mcq", "general_qa"
#: format of the rows -> the benchmark that suits them
USUAL = {"dataset/multiple-choice": CHOICES, "dataset/chat": ANSWERS}


def records(
    data: Artifact | None, num_fewshot: int, benchmark: str, template: str = ""
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those that are examples, and those that are asked.

    Args:
        template: of conversations, which EvalScope puts into none: what the last question is put into; empty: nothing.

    Raises:
        UserError: TS-DATA-040 without rows, TS-EVAL-012 for a row that the benchmark can't take.
    """
    rows = list(read_rows(data.path)) if data else []
    if len(rows) <= num_fewshot:
        raise UserError(
            "TS-DATA-040", "There are no rows to evaluate on", why="All rows are examples (setting `num_fewshot`)." if rows else "",
            fix="Give the step a `data:` file with questions.",
        )  # fmt: skip
    every = [_record(row, number, benchmark, template) for number, row in enumerate(rows, 1)]
    return every[:num_fewshot], every[num_fewshot:]


def _record(row: Row, number: int, benchmark: str, template: str) -> dict[str, Any]:
    if benchmark == CHOICES and "choices" in row:
        if len(row["choices"]) > len(LETTERS):
            raise UserError(
                "TS-EVAL-012", f"row {number} has {len(row['choices'])} choices", why=f"EvalScope asks about {len(LETTERS)} at most.",
                fix="Leave the row out, or evaluate with `multiple-choice`.",
            )  # fmt: skip
        return {"question": row["question"], **dict(zip(LETTERS, row["choices"], strict=False)), "answer": LETTERS[row["right"]]}
    if benchmark == ANSWERS and "messages" in row:
        turns = row["messages"]
        last = max((at for at, turn in enumerate(turns) if turn["role"] == "assistant"), default=0)
        if not last:
            raise UserError("TS-DATA-041", f"Row {number} has no question with an answer to compare with",
                            fix="Give each row a question and, as its last turn, the assistant's answer in text.")  # fmt: skip
        asked = [{"role": turn["role"], "content": text_of(turn)} for turn in turns[:last]]
        if template:
            asked[-1]["content"] = template.replace("{question}", asked[-1]["content"])
        return {"messages": asked, "answer": text_of(turns[last])}
    return columns_of(row)


def write_records(folder: Path, parts: Mapping[str, Sequence[Mapping[str, Any]]], subsets: Sequence[str]) -> None:
    """As a folder that both of EvalScope's readers take: its own by the files' names, `datasets` by the page's list.

    Args:
        parts: name of a split -> its records.
        subsets: names by which a benchmark asks for them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for split, some in parts.items():
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in some)
        for name in (f"{split}.jsonl", f"default_{split}.jsonl"):
            (folder / name).write_text(lines, encoding="utf-8")
    files = [{"split": split, "path": f"{split}.jsonl"} for split in parts]
    told = json.dumps({"configs": [{"config_name": name, "data_files": files} for name in subsets]}, ensure_ascii=False)
    (folder / "README.md").write_text(f"---\n{told}\n---\n", encoding="utf-8")  # JSON is YAML, too
