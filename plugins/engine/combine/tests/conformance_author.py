"""What the conformance kit can't know: two models of one base that have learnt something else each."""


def pipeline(case):
    def tuned(seed):
        settings = {"max_steps": 2, "learning_rate": 0.01, "batch_size": 2}
        return {"train": "sft", "adapter": "lora", "data": str(case.material("rows") / "rows.jsonl"), "seed": seed, "settings": settings}

    both = {"combine": dict(case.settings), "tuned": ["one", "other"]}
    return {"model": f"file://{case.material('taught')}", "steps": {"one": tuned(1), "other": tuned(2), "both": both}}
