"""What the conformance kit can't know: pipelines in which the verbs have something to do, and a format for the reader to find."""

import json
import os
import sqlite3

from tunesmith.contracts import Provider

ROWS = [{"question": f"What is {number}?", "answer": f"It is {number}."} for number in range(8)]

ROW = {"type": "object", "required": ["question", "answer"], "properties": {"question": {"type": "string"}, "answer": {"type": "string"}}}


def installed(case):
    return {"dataset_format": [Provider("pairs", "question and answer", "nowhere:Pairs", produces=("dataset/chat",), facts={"row": ROW})]}


def address(case):
    """A directory of texts, and a table of a database, both with rows enough to be in the middle of."""
    if case.name == "file-tree":
        folder = case.kept / "texts"
        folder.mkdir(exist_ok=True)
        for number in range(2000):
            (folder / f"{number:04}.txt").write_text(f"Talk {number}.")
            os.utime(folder / f"{number:04}.txt", (1_700_000_000, 1_700_000_000))
        return str(folder)
    with sqlite3.connect(case.kept / "talks.db") as database:
        database.execute("CREATE TABLE IF NOT EXISTS talks (id INTEGER PRIMARY KEY, text TEXT)")
        database.executemany("INSERT OR REPLACE INTO talks VALUES (?, ?)", [(number, f"Talk {number}.") for number in range(2000)])
    database.close()
    return f"sqlite:///{case.kept / 'talks.db'}?table=talks"


def written(case):
    """Two files, one row in four from the first."""
    for name, rows in (("one", ROWS[:4]), ("other", ROWS[4:])):
        (case.directory / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {str(case.directory / "one.jsonl"): 1, str(case.directory / "other.jsonl"): 3}


def pipeline(case):
    """Two files whose columns have other names than a format wants."""
    for name, rows in (("one", ROWS[:4]), ("other", ROWS[4:])):
        (case.directory / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"prompt": "question", "completion": "answer"}
    if case.name == "split":
        rows = {"show-tokens": {}, "objective": "sft", "data": {"path": "one.jsonl", "columns": columns, "split": "train"}}
        return {"model": f"file://{case.material('taught')}", "steps": {"shown": rows}}
    data = [{"path": "one.jsonl", "columns": columns, "weight": 1}]
    data += [{"path": "other.jsonl", "columns": columns, "weight": 3}] if case.name == "mix" else []
    shown = {"show-tokens": {}, "objective": "sft", "data": data if case.name == "mix" else {"path": "one.jsonl", "columns": columns}}
    return {"model": f"file://{case.material('taught')}", "steps": {"shown": shown}}
