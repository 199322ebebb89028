"""A process of real training that is killed, stopped, or in another collective than the others: told of, ended, and gone on from."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tunesmith_sdk.distributions.written_plugins import write_plugin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
STEPS = 24
PIPELINE = """
name: hangs
model: model
steps:
  tune:
    train: {objective}
    adapter: {{{adapter}}}
    strategy: {{{strategy}: {{num_processes: 2, timeout: 60}}}}
    data: rows.jsonl
    settings: {{max_steps: 24, batch_size: 4, save_steps: 2, save_time_share: 1.0, dtype: float32}}
"""
#: rank 1 waits once for something that rank 0 never sends, while that waits for its gradients
STRAY = """
from __future__ import annotations

import os
from pathlib import Path

import torch.distributed as dist

from tunesmith_sft.objective import SupervisedTuning


class Provider(SupervisedTuning):
    calls = 0

    def loss(self, batch):
        self.calls += 1
        mark = Path(os.environ["STRAY_MARK"])
        if self.calls == 12 and dist.get_rank() == 1 and not mark.exists():
            mark.touch()
            dist.recv(batch.policy.detach().clone(), src=0)
        return super().loss(batch)
"""

#: the first worker to import it sleeps for ever
ASLEEP = """
from __future__ import annotations

import os
import time
from pathlib import Path

from tunesmith_sft.objective import SupervisedTuning as Provider

if "TUNESMITH_WORKER" in os.environ:
    try:
        Path(os.environ["STRAY_MARK"]).touch(exist_ok=False)
    except FileExistsError:
        pass
    else:
        time.sleep(3600)
"""


@pytest.fixture
def project(model: Path, tmp_path: Path) -> Path:
    (tmp_path / "model").symlink_to(model)
    rows = [{"instruction": f"What is {n} plus {n + 1}?", "output": f"It is {2 * n + 1}."} for n in range(96)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "tunesmith.toml").write_text("[run]\nhang_timeout = 4\n")
    return tmp_path


def trained(
    project: Path, home: str, *, objective: str = "sft", strategy: str, adapter: str = "lora: {r: 4}",
    meanwhile: Callable[[int], None] | None = None, limit: int = resource.RLIM_INFINITY, ends: int = 0,
) -> Any:  # fmt: skip
    """Run the pipeline; all events, and the seconds from `meanwhile` to the end.

    Args:
        meanwhile: called once with the host's pid when a few steps have been trained.
        limit: bytes of the largest file that may be written.
        ends: the exit status.
    """
    (project / "tunesmith.yaml").write_text(PIPELINE.format(objective=objective, strategy=strategy, adapter=adapter))
    variables = {
        "TUNESMITH_HOME": str(project / home), "OMP_NUM_THREADS": "1", "STRAY_MARK": str(project / "stray"),
        "PYTHONPATH": str(project / "site"),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "tunesmith_cli", "run", "--json"], cwd=project, env=os.environ | variables, stdout=subprocess.PIPE,
        stderr=(project / "stderr").open("a"), text=True, start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    events, at = [], 0.0
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            events.append(json.loads(line))
            if meanwhile and not at and events[-1]["event"] == "metric" and events[-1].get("at", 0) >= 6:
                meanwhile(process.pid)
                at = time.monotonic()
    status = process.wait()
    assert status == ends, f"{events[-2:]} {(project / 'stderr').read_text()[-3000:]}"
    return events, time.monotonic() - at


def rank(host: int, number: int) -> psutil.Process:
    workers = [one for one in psutil.Process(host).children(recursive=True) if "tunesmith.isolation.worker" in " ".join(one.cmdline())]
    return next(one for one in workers if one.environ().get("TUNESMITH_RANK") == str(number))


def losses(events: list[dict[str, Any]]) -> dict[int, float]:
    return {event["at"]: event["value"] for event in events if event["event"] == "metric" and event["name"] == "loss"}


def retried(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if "try again after" in event.get("what", "")]


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGSTOP, "TS-RUN-026"), (signal.SIGKILL, "TS-RUN-013")])
def test_a_process_that_is_stopped_or_killed_is_named_and_training_goes_on(project: Path, strategy: str, number: int, code: str) -> None:
    undisturbed, _ = trained(project, "undisturbed", strategy=strategy)
    seen: list[psutil.Process] = []

    def hit(host: int) -> None:
        seen.extend([rank(host, 0), rank(host, 1)])
        seen[1].send_signal(number)

    events, seconds = trained(project, "hit", strategy=strategy, meanwhile=hit)
    (again,) = retried(events)
    assert code in again["what"]
    assert "Rank 1" in again["reason"]
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in seen)
    assert losses(events) == pytest.approx(losses(undisturbed), rel=1e-5)
    assert len(losses(events)) == STEPS
    print(f"{strategy}, {code}: {seconds:.1f} s from the signal to the end of the run")


def write_objective(project: Path, code: str) -> None:
    """The objective `stray`, whose provider is `code`."""
    write_plugin(
        project / "site", "stray",
        providers=[{"kind": "objective", "name": "stray", "accepts": ("dataset/chat",), "facts": {"metrics": {}}}],
    )  # fmt: skip
    (project / "site" / "stray" / "provider.py").write_text(code)


def logs_of_a_hang(project: Path, objective: str) -> str:
    """What the ranks wrote to stderr in a run by an objective that makes them hang once, which ends well."""
    write_objective(project, objective)
    events, _ = trained(project, "hung", objective="stray", strategy="ddp")
    (again,) = retried(events)
    assert "TS-RUN-027" in again["what"]
    assert len(losses(events)) == STEPS
    return "".join(path.read_text() for path in (project / "hung" / "runs").rglob("stderr*.log"))


def test_a_process_in_another_collective_is_named_with_its_line(project: Path) -> None:
    logs = logs_of_a_hang(project, STRAY)
    assert "in recv" in logs


def test_a_process_that_never_comes_to_the_rendezvous_is_waited_for_only_so_long(project: Path) -> None:
    logs = logs_of_a_hang(project, ASLEEP)
    assert "stray/provider.py" in logs
    assert "init_process_group" in logs


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_a_disk_that_is_full_in_the_middle_of_a_checkpoint_is_told_and_the_run_goes_on_when_it_is_not(project: Path, strategy: str) -> None:
    """The limit of a file's size stands for the full disk: the model fits below it, its optimizer's state does not."""
    size = (project / "model" / "model.safetensors").stat().st_size
    events, _ = trained(project, "full", strategy=strategy, adapter="full: {}", limit=int(size * 1.2), ends=1)
    (error,) = [event["error"] for event in events if event["event"] == "error"]
    assert error["code"] == "TS-STORE-001"
    assert not list((project / "full" / "work").rglob("step-*"))
    assert losses(events).keys() == {1, 2}
    events, _ = trained(project, "full", strategy=strategy, adapter="full: {}")
    undisturbed, _ = trained(project, "undisturbed", strategy=strategy, adapter="full: {}")
    assert losses(events) == pytest.approx(losses(undisturbed), rel=1e-5)


def test_the_report_of_a_run_that_hangs_shows_where_each_process_was(project: Path) -> None:
    write_objective(project, STRAY.replace(" and not mark.exists()", "").replace("== 12", ">= 3"))
    trained(project, "hung", objective="stray", strategy="ddp", ends=1)
    (report,) = (project / "hung" / "runs").rglob("report.html")
    page = report.read_text()
    assert "TS-RUN-027" in page
    assert all(f"<summary>Where rank {number} was</summary>" in page for number in (0, 1))
    assert "in recv" in page
