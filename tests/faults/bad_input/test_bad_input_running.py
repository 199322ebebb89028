"""What goes wrong while running: full disks, ports, Ctrl-C, signals, pipes that close."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TUNE = """\
name: bot
model: file://model
steps:
  tune:
    train: sft
    adapter: {lora: {r: 4}}
    data: train.jsonl
    settings: {num_train_epochs: 30, batch_size: 2, save_steps: 2, save_time_share: 1.0, dtype: float32}
"""
DOWNLOAD = ("download", "file://model")


@pytest.fixture
def small_disk(project) -> Iterator[Path]:
    """The project's state on a file system with little room."""
    home = project.folder / ".tunesmith"
    home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(home)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a file system of its own needs the right to mount: {mounted.stderr.strip()}")
    yield home
    subprocess.run(["umount", "-l", str(home)], check=True)


def test_a_disk_that_is_too_small_is_told_before_anything_is_computed(project, small_disk: Path) -> None:
    project.pipeline(TUNE.replace("{lora: {r: 4}}", "full"))
    for words in (("plan",), ("run",)):
        project.refuses(*words, codes="TS-PLAN-009", says=["free on the disk", "tune", "--home DIR"])


def test_a_disk_that_fills_up_while_a_model_is_copied_says_so(project, small_disk: Path) -> None:
    answer = project(*DOWNLOAD)
    assert (answer.status, answer.codes) == (1, ["TS-STORE-001"]), answer.err
    assert "step: model" in answer.err
    assert not list((small_disk / "staging").iterdir())


def test_a_disk_that_fills_up_while_a_model_is_fetched_loses_nothing(project, small_disk: Path) -> None:
    """The room is there when the run is planned, and gone when the last files are written."""
    subprocess.run(["mount", "-o", "remount,size=64m,nr_inodes=22", str(small_disk)], check=True)
    answer = project(*DOWNLOAD)
    assert (answer.status, answer.codes) == (1, ["TS-STORE-001"]), answer.out + answer.err
    assert "then run the same command" in answer.err
    assert not list((small_disk / "store").glob("*/*/artifact.json")), "nothing half-written is visible"
    subprocess.run(["mount", "-o", "remount,size=64m,nr_inodes=4096", str(small_disk)], check=True)
    assert project(*DOWNLOAD).status == 0


def test_a_limit_on_the_size_of_files_is_told(project) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200 * 1024, resource.RLIM_INFINITY))

    answer = project(*DOWNLOAD, preexec_fn=limit)
    assert (answer.status, answer.codes) == (1, ["TS-STORE-001"]), answer.out + answer.err
    assert "ulimit -f" in answer.err
    assert project(*DOWNLOAD).status == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_told(project, tmp_path: Path) -> None:
    (tmp_path / "sealed").mkdir(mode=0o555)
    answer = project("--home", str(tmp_path / "sealed" / "home"), *DOWNLOAD)
    assert (answer.status, answer.codes) == (1, ["TS-STORE-004"])


def test_a_home_that_is_a_file_is_told(project) -> None:
    answer = project("--home", str(project.folder / "train.jsonl"), *DOWNLOAD)
    assert answer.codes == ["TS-STORE-004"], answer.out + answer.err
    assert str(project.folder / "train.jsonl") in answer.err


@pytest.fixture
def port() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_told_before_training_not_after(project, port: int) -> None:
    project.pipeline(TUNE + f"  api: {{serve: transformers, from: tune, settings: {{port: {port}}}}}\n")
    project.refuses(codes="TS-SERVE-001", says=["`api`", str(port), "port: 0"])
    project.refuses("serve", "--model", "file://model", "--port", str(port), codes="TS-SERVE-001", says=[str(port)])


def test_an_address_of_another_machine_is_told(project) -> None:
    project.refuses(
        "serve", "--model", "file://model", "--host", "203.0.113.7", "--port", "8000", codes="TS-SERVE-001", says=["203.0.113.7"]
    )


def training(project, *words: str) -> tuple[subprocess.Popen[str], str]:
    """Start the command and wait until it trains (again); the process and what its log said until then."""
    process = project.start(*words, "--json", start_new_session=True)
    log = ""
    for line in process.stdout:
        event = json.loads(line)
        log += event.get("message", "") + "\n"
        if event["event"] == "metric" and event["name"] == "tokens_per_second" and event["at"] > 5:
            return process, log
    pytest.fail(f"no training step was told: {process.stderr.read()}")


def end(process: subprocess.Popen[str]) -> tuple[int, list[dict]]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    return process.returncode, [json.loads(line) for line in out.splitlines()]


@pytest.mark.slow
def test_ctrl_c_and_sigterm_stop_training_and_resume_goes_on_from_the_checkpoint(project) -> None:
    project.pipeline(TUNE)
    process, _ = training(project, "run")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: host and workers get it
    status, events = end(process)
    assert (status, events[-1]["state"]) == (130, "cancelled")
    assert "cancelled" in project("runs", "show").out
    process, log = training(project, "resume")
    assert "resumed at step" in log
    process.send_signal(signal.SIGTERM)  # as a service manager does: only the host gets it
    assert end(process)[0] == 130
    status, events = end(project.start("resume", "--json"))
    assert (status, events[-1]["state"]) == (0, "done")
    assert project("resume").codes == ["TS-RUN-021"], "there is nothing left to go on with"


def test_a_pipe_that_closes_is_no_error(project) -> None:
    for words in ("plugin list", "--help", "plan", "train --help"):
        script = f"{sys.executable} -m tunesmith_cli {words} | head -n 1; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", script], cwd=project.folder, env=project.environment, capture_output=True, text=True)
        assert done.returncode in (0, 141), done.stderr
        assert done.stderr == ""


def test_stdout_that_is_full_is_told(project) -> None:
    for word in ("--version", "--help"):
        with open("/dev/full", "w") as full, project.start(word, stdout=full) as process:
            _, err = process.communicate()
        assert process.returncode == 1
        assert err.startswith("error TS-STORE-001"), err
