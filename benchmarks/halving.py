"""What a search costs on a real model: halving that goes on from checkpoints, against a grid, to the same loss on held-out rows.

    python benchmarks/halving.py FOLDER [SEED ...]

The protocol was written down and committed before it was run on its seeds:

- The task: the last two layers of SmolLM2-135M-Instruct (`freeze`, bfloat16) learn 96 of the questions and answers of
  examples/quickstart, drawn by the seed, in 36 optimizer steps. A trial is judged by its loss after them on 23 held-out ones, every second
  of the file.
- The space: learning rates of 1e-4 to 0.1, warm-ups of none to half. The grid has five values of each, 25 trials to their end, validated
  there alone. `halving` has its defaults and a budget of 18 trials, drawn at random from the same ranges: nine go 4 steps, three of them
  12, one all 36; then nine others. What validations on the way cost counts.
- The seeds: 4, 5 and 6, of the rows, their order, the searches and all else that is random. None had been run before.
- As good means: a loss of at most 1.01 times the best of the grid. Whether it is as good without the hundredth is told, too.
- What is saved: CPU seconds of training and validating of the whole search, against those of the whole grid; and optimizer steps.

The loop, the journal, the searchers and the engine are those of `tunesmith tune`; trials run in one process, so that what a worker takes to
start, the same for each, is not in the figures; loading the model is.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path

from search import ROWS, Task, _reached, searched
from smollm2 import smollm2

SETTINGS = {"num_train_epochs": 3, "batch_size": 8, "max_length": 128, "dtype": "bfloat16", "logging_steps": 36}
STEPS, TRAINED = 36, 96
FREEZE = ("tunesmith_freeze", "Freeze", "FreezeSettings")
GRID = Task({**SETTINGS, "eval_steps": STEPS}, STEPS, FREEZE, last=True)
HALVING = Task({**SETTINGS, "eval_steps": 4}, STEPS, FREEZE, last=True)


def write_rows(folder: Path, seed: int) -> None:
    """Rows as the engine reads them."""
    from tunesmith_data.api import message

    trained = (ROWS / "train.jsonl").read_text(encoding="utf-8").splitlines()
    held_out = (ROWS / "held-out.jsonl").read_text(encoding="utf-8").splitlines()
    for name, lines in (("data", random.Random(seed).sample(trained, TRAINED)), ("validation", held_out[::2])):
        rows = map(json.loads, lines)
        turns = ([message("user", row["instruction"]), message("assistant", row["output"])] for row in rows)
        (folder / name).mkdir()
        (folder / name / "rows.jsonl").write_text("".join(json.dumps({"messages": turn}) + "\n" for turn in turns), encoding="utf-8")


def main() -> None:
    model = smollm2(Path(sys.argv[1]).absolute())
    heads = ["seed", "grid: best loss", "CPU s", "halving: best loss", "trials, whole", "steps", "CPU s", "less CPU"]
    print("| " + " | ".join([*heads, "within 1 % after", "as good after"]) + " |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for seed in [int(word) for word in sys.argv[2:]] or [4, 5, 6]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_rows(folder, seed)
            grid = searched(folder, model, "grid", seed, 25, {"points": 5}, GRID, followed=False)
            halving = searched(folder, model, "halving", seed, 18, {}, HALVING, followed=True)
        best = [min(trial.scores[0] for trial in one["trials"] if trial.scores) for one in (grid, halving)]
        steps = sum(round((trial.points[-1].share if trial.points else 1.0) * STEPS) for trial in halving["trials"])
        whole = sum(trial.state == "done" for trial in halving["trials"])
        cells = [str(seed), f"{best[0]:.4f}", f"{grid['cpu']:.0f}", f"{best[1]:.4f}", f"{len(halving['trials'])}, {whole}"]
        cells += [f"{steps} of {25 * STEPS}", f"{halving['cpu']:.0f}", f"{1 - halving['cpu'] / grid['cpu']:.0%}"]
        cells += [_reached(halving, best[0] * share, 25, grid["cpu"]) for share in (1.01, 1.0)]
        print("| " + " | ".join(cells) + " |", flush=True)
        print(json.dumps({"grid": _losses(grid), "halving": _losses(halving)}), file=sys.stderr, flush=True)


def _losses(one: dict) -> list:
    """Each trial's values, how far it came, and its loss."""
    return [
        [
            [round(value, 6) for value in trial.values.values()],
            trial.state,
            [round(one.value, 4) for one in trial.points[-1:]],
            *trial.scores,
        ]
        for trial in one["trials"]
    ]


if __name__ == "__main__":
    main()
