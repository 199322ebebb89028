"""Two real processes learn what one learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tunesmith.contracts import Placement, UserError
from tunesmith_ddp.settings import ReplicaSettings
from tunesmith_ddp.strategy import Replicas
from tunesmith_sdk.tiny_models import tiny_model

#: One rank of a step, as a worker would run it.
PROGRAM = """
import json, sys
from pathlib import Path
from tunesmith.contracts import Artifact, Placement
from tunesmith_data.api import message
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.train import run
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch_optim.adamw import AdamW
from tunesmith_torch_optim.settings import AdamWSettings

home, model, rank, processes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
objective, settings = sys.argv[5], json.loads(sys.argv[6])
if objective == "sft":
    from tunesmith_sft.objective import SupervisedTuning
    learn = SupervisedTuning()
else:
    from tunesmith_dpo.objective import DirectPreference
    from tunesmith_dpo.settings import PreferenceSettings
    learn = DirectPreference(PreferenceSettings())
if processes == 1:
    from tunesmith_single.strategy import SingleProcess
    strategy = SingleProcess()
else:
    from tunesmith_ddp.settings import ReplicaSettings
    from tunesmith_ddp.strategy import Replicas
    strategy = Replicas(ReplicaSettings(num_processes=processes, bucket_cap_mb=0.01))
metrics = {}
def notify(method, params):
    if method == "$/metric" and params["name"] != "tokens_per_second":
        metrics[f"{params['name']}@{params['at']}"] = params["value"]
for folder in ("output", "work"):
    (home / folder).mkdir(exist_ok=True)
step = WorkerStep(
    name="tune", output=home / "output", work=home / "work", settings=build(TrainSettings, settings), seed=3, notify=notify,
    placement=Placement(rank=rank, processes=processes, rendezvous=(home / "meet").as_uri()),
    inputs={"model": Artifact("model/hf", model, digest="b"), "data": Artifact("dataset/chat", home / "data", digest="d")},
    providers={"objective": learn, "adapter": Lora(LoraSettings(r=4)), "strategy": strategy, "optimizer": AdamW(AdamWSettings())},
)
result = run(step)
(home / f"rank{rank}.json").write_text(json.dumps({"metrics": metrics, "result": dict(result.metrics)}))
"""


def rows(objective: str):
    from tunesmith_data.api import message

    for number in range(11):
        prompt = [message("user", "What is it? " * (1 + number % 3))]
        if objective == "sft":
            yield {"messages": [*prompt, message("assistant", "A plugin." + " no" * number)]}
        else:
            yield {
                "messages": prompt,
                "chosen": [message("assistant", "Yes" * (number % 4 + 1))],
                "rejected": [message("assistant", "No.")],
            }


def launch(home: Path, model: Path, processes: int, objective: str, settings: dict) -> dict:
    """Run all ranks to their end; what each reported."""
    (home / "data").mkdir(parents=True, exist_ok=True)
    (home / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(objective)))
    (home / "meet").unlink(missing_ok=True)
    command = [sys.executable, "-c", PROGRAM, str(home), str(model)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    rest = [str(processes), objective, json.dumps(settings)]
    ranks = [subprocess.Popen([*command, str(rank), *rest], env=environment) for rank in range(processes)]
    assert [process.wait(timeout=300) for process in ranks] == [0] * processes
    return {rank: json.loads((home / f"rank{rank}.json").read_text()) for rank in range(processes)}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("ddp"))


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_two_processes_have_the_losses_and_weights_of_one(tmp_path, model, objective):
    # 11 rows in batches of 5: the last batch has one row, so one rank has nothing of its own to do
    settings = {"num_train_epochs": 2, "batch_size": 5, "max_tokens_per_microbatch": 60, "learning_rate": 1e-2, "dtype": "float32"}
    one = launch(tmp_path / "one", model, 1, objective, settings)[0]
    two = launch(tmp_path / "two", model, 2, objective, settings)
    assert two[0]["metrics"] == two[1]["metrics"]
    assert one["metrics"].keys() == two[0]["metrics"].keys()
    for name, value in one["metrics"].items():
        assert two[0]["metrics"][name] == pytest.approx(value, rel=2e-4, abs=1e-5), name
    assert two[0]["result"] == pytest.approx(one["result"], rel=1e-5)
    ours, theirs = (load_file(tmp_path / name / "output" / "adapter_model.safetensors") for name in ("two", "one"))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-2, atol=1e-4)


@pytest.mark.slow
def test_two_processes_validate_as_one_does(tmp_path, model):
    settings = {"num_train_epochs": 4, "batch_size": 4, "learning_rate": 1e-2, "dtype": "float32", "validation_split": 0.3, "eval_steps": 2}
    one = launch(tmp_path / "one", model, 1, "sft", settings)[0]
    two = launch(tmp_path / "two", model, 2, "sft", settings)
    assert two[0]["metrics"] == two[1]["metrics"]
    measured = {name: value for name, value in one["metrics"].items() if name.startswith("validation_loss")}
    assert len(measured) == 4
    assert {name: two[0]["metrics"][name] for name in measured} == pytest.approx(measured, rel=2e-4)
    assert two[0]["result"] == pytest.approx(one["result"], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"validation_split": 0.3, "eval_steps": 2}], ids=["plain", "validated"])
def test_two_processes_resume_bit_equal(tmp_path, model, more):
    settings = {
        "num_train_epochs": 3,
        "batch_size": 5,
        "learning_rate": 1e-2,
        "dtype": "float32",
        "save_steps": 2,
        "save_time_share": 1.0,
    } | more
    launch(tmp_path / "whole", model, 2, "sft", settings)
    launch(tmp_path / "broken", model, 2, "sft", settings)
    checkpoints = sorted((tmp_path / "broken" / "work" / "checkpoints").glob("step-*"))
    wanted = {path.name: path.read_bytes() for path in (tmp_path / "whole" / "output").iterdir()}
    for path in (tmp_path / "broken" / "output").iterdir():
        path.unlink()
    assert len(checkpoints) == 2  # the second run starts from the last of them
    launch(tmp_path / "broken", model, 2, "sft", settings)
    assert {path.name: path.read_bytes() for path in (tmp_path / "broken" / "output").iterdir()} == wanted


@pytest.mark.parametrize("backend", ["nccl", "telepathy"])
def test_a_backend_that_is_not_here_is_refused(backend: str):
    with pytest.raises(UserError, match="TS-TRAIN-063"):
        Replicas(ReplicaSettings(backend=backend)).start(Placement())
