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


def known_answers(case):
    """Two of the twenty sums are right; no other answer holds a number."""
    if case.kind != "evaluator":
        return
    from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

    sums = {"What is 7 + 8? Give only the number.": "15", "What is 23 + 19? Give only the number.": "It is 42."}
    with scripted_endpoint(sums, case.directory) as endpoint:
        yield endpoint, [], {"arithmetic": 2 / 20}
