"""One process of several that train cell after cell of the matrix: `python strategies_rank.py FOLDER RANK PROCESSES JSON`.

The JSON has the model, the rows by format, and the cells: of each its name, and by slot the provider's target and settings. What came of a
cell lies in FOLDER/<name>: `rank<n>.json`, and what was saved. A process per cell would import torch and transformers as often.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from strategies_matrix import AGAIN

from tunesmith.contracts import Artifact, Placement
from tunesmith.contracts.settings import build
from tunesmith.errors import TunesmithError
from tunesmith.isolation.provider_import import build_provider
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.train import run

PATIENCE = 120  # seconds
#: 7 rows in batches of 5: of the second batch one process has nothing. Steps are large enough to tell a wrong gradient from rounding.
SETTINGS = {
    "max_steps": 2, "num_train_epochs": 2, "batch_size": 5, "max_tokens_per_microbatch": 60, "learning_rate": 1e-2, "dtype": "float32",
    "save_steps": 0, "save_seconds": 0.0, "warmup_ratio": 0.0, "lr_scheduler_type": "constant",
}  # fmt: skip


def main(folder: Path, rank: int, processes: int, spec: Mapping[str, Any]) -> None:
    for cell in spec["cells"]:
        home = folder / cell["name"]
        found = _train(home, rank, processes, spec, cell)
        (home / f"rank{rank}.new").write_text(json.dumps(found))
        (home / f"rank{rank}.new").rename(home / f"rank{rank}.json")
        _meet(home, processes)
        if found["error"]:
            sys.exit(AGAIN)


def _meet(home: Path, processes: int) -> None:
    """Wait for the others: one that failed in a cell is there before those that wait for it in a collective."""
    end = time.monotonic() + PATIENCE
    while not all((home / f"rank{rank}.json").exists() for rank in range(processes)) and time.monotonic() < end:
        time.sleep(0.01)


def _train(home: Path, rank: int, processes: int, spec: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("output", "work"):
        (home / name).mkdir(parents=True, exist_ok=True)
    series: dict[str, list[float]] = {"loss": [], "grad_norm": []}

    def notify(method: str, params: Mapping[str, Any]) -> None:
        if method == "$/metric" and params["name"] in series:
            series[params["name"]].append(params["value"])

    try:
        providers = {slot: build_provider(*of["target"], of["settings"]) for slot, of in cell["providers"].items()}
        step = WorkerStep(
            name="tune", output=home / "output", work=home / "work", settings=build(TrainSettings, SETTINGS), seed=3, notify=notify,
            placement=Placement(rank=rank, processes=processes, rendezvous=f"file://{home / 'meet'}" if processes > 1 else ""),
            inputs={
                "model": Artifact("model/hf", Path(spec["model"]), digest="model"),
                "data": Artifact(cell["format"], Path(spec["rows"]) / cell["rows"], digest=cell["rows"]),
                **({"teacher": Artifact("model/hf", Path(spec["rows"]) / "teacher", digest="teacher")} if cell["teacher"] else {}),
            },
            providers=providers,
        )  # fmt: skip
        run(step)
    except TunesmithError as error:
        return {**series, "code": error.code, "error": error.what}
    except Exception as error:  # another cell is to be tried all the same
        traceback.print_exc()
        return {**series, "code": "", "error": f"{type(error).__name__}: {error}"}
    return {**series, "code": "", "error": ""}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4]))
