"""What the conformance kit can't know: pipelines in which the verbs compose providers of other plugins."""


def pipeline(case):
    """Of `train`, a training of a second or two with checkpoints, to be killed after one; of `merge`, one of a moment before it; of
    `show-tokens`, its rows."""
    if case.name == "show-tokens":
        shown = {"show-tokens": {}, "objective": "sft", "data": str(case.material("rows") / "rows.jsonl"), "settings": dict(case.settings)}
        return {"model": f"file://{case.material('taught')}", "steps": {"shown": shown}}
    steps = {"tune": _tuned(case, steps=40 if case.name == "train" else 2)}
    if case.name == "merge":
        steps["merged"] = {"merge": dict(case.settings), "from": "tune"}
    known = "blank" if case.name == "train" else "taught"  # what is to learn must have something to learn
    return {"model": f"file://{case.material(known)}", "steps": steps}


def _tuned(case, steps):
    settings = dict(case.settings) if case.name == "train" else {}
    return {
        "train": "sft", "adapter": "lora", "data": str(case.material("rows") / "rows.jsonl"),
        "settings": settings | {"num_train_epochs": steps, "save_steps": 10, "save_time_share": 1.0, "max_steps": steps, "batch_size": 2},
    }  # fmt: skip
