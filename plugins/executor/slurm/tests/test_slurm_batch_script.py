"""The script that is given to sbatch: bash and shellcheck read it, and it asks for what the step takes."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.contracts.resources import Resources
from tunesmith.contracts.settings import problems, schema_of
from tunesmith_jobs import Gang
from tunesmith_slurm.batch_script import batch_script
from tunesmith_slurm.settings import SlurmSettings

SHELLCHECK = str(Path(sys.executable).parent / "shellcheck")
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), exclude_characters="\u0085\u2028\u2029"), max_size=20)


def gang(ranks: int = 1, resources: Resources | None = None, folder: str = "/shared/a run/.job") -> Gang:
    return Gang("tune-3f9c", Path(folder) / "attempt-1", ranks, "/opt/my env/bin/python", Path(folder), 1, resources or Resources())


def options(script: str) -> list[str]:
    """The options in its lines, split as sbatch splits them."""
    return [word for line in script.splitlines() if line.startswith("#SBATCH ") for word in shlex.split(line[len("#SBATCH ") :])]


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXT, max_size=3), TEXT, TEXT, st.integers(1, 64), st.text("abc/ '\"$`\\", max_size=12))
def test_every_script_is_bash_and_has_its_options_as_they_were_given(
    more: list[str], account: str, comment: str, ranks: int, folder: str
) -> None:
    asked = SlurmSettings(account=account, gres=comment, options=[f"--comment={text}" for text in more])
    script = batch_script(gang(ranks, folder=f"/shared/{folder}"), asked)
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(["bash", "-n", file.name], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + script
    found = options(script)
    assert [f"--comment={text}" for text in more] == [word for word in found if word.startswith("--comment=")]
    assert (f"--account={account}" in found) is bool(account)
    assert f"--ntasks={ranks}" in found


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    file = tmp_path / "batch.sh"
    file.write_text(
        batch_script(
            gang(2, Resources(cores=8, memory=2**33, devices=2)), SlurmSettings(time="2-00:00:00", setup=["module load cuda/12.8"])
        )
    )
    done = subprocess.run([SHELLCHECK, "--shell=bash", "--severity=style", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_asks_for_what_the_step_takes_and_no_more_is_known() -> None:
    found = options(batch_script(gang(2, Resources(cores=8, memory=2**33, devices=2)), SlurmSettings()))
    assert {"--ntasks=2", "--cpus-per-task=4", "--gpus-per-task=1", "--mem-per-cpu=1024M"} <= set(found)
    nothing = options(batch_script(gang(), SlurmSettings()))
    assert not [word for word in nothing if word.startswith(("--mem", "--gpus", "--gres", "--time", "--partition", "--nodes"))]


def test_what_the_user_says_stands_in_for_what_is_estimated() -> None:
    found = options(
        batch_script(gang(2, Resources(cores=8, memory=2**33, devices=2)), SlurmSettings(mem="64G", gres="gpu:a100:2", nodes=1))
    )
    assert {"--mem=64G", "--gres=gpu:a100:2", "--nodes=1"} <= set(found)
    assert not [word for word in found if word.startswith(("--mem-per-cpu", "--gpus-per-task"))]


def test_paths_with_spaces_arrive_whole() -> None:
    last = batch_script(gang(), SlurmSettings()).splitlines()[-1]
    assert shlex.split(last)[-5:] == ["-m", "tunesmith_jobs.agent", "/shared/a run/.job", "1", "SLURM_PROCID"]
    assert "/opt/my env/bin/python" in shlex.split(last)


@pytest.mark.parametrize("text", ["", "90", "30:00", "08:00:00", "2-12", "2-00:00:00"])
def test_a_time_limit_is_written_as_sbatch_takes_it(text: str) -> None:
    assert list(problems(schema_of(SlurmSettings), {"time": text})) == []


@pytest.mark.parametrize("text", ["soon", "8h", "1:2", "2-", "08:00:00 "])
def test_another_time_limit_is_refused_when_it_is_planned(text: str) -> None:
    assert list(problems(schema_of(SlurmSettings), {"time": text})) != []
