"""What the conformance kit can't know: two evaluations of the same rows, of a model and of one that has learned them."""

import json


def settings(case):
    return {"metric": "perplexity", "better": "lower"} if case.kind == "verb" else {}


def pipeline(case):
    rows, trained = case.directory / "rows.jsonl", {"max_steps": 4, "learning_rate": 0.01, "batch_size": 4}
    told = [{"instruction": f"What comes after {number}?", "output": str(number + 1)} for number in range(12)]
    rows.write_text("".join(json.dumps(row) + "\n" for row in told))
    steps = {
        "tune": {"train": "sft", "adapter": "full", "data": str(rows), "settings": trained},
        "before": {"evaluate": "perplexity", "from": "model", "data": str(rows)},
        "after": {"evaluate": "perplexity", "from": "tune", "data": str(rows)},
        "verdict": {"verdict": dict(case.settings), "from": "after", "base": "before"},
    }
    return {"model": f"file://{case.material('blank')}", "steps": steps}
