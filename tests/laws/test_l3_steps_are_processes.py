"""L3: a step is a process, an artifact is a directory. Typed directories and JSON pass between them, never objects, never stdout."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from tiny_plans import Place, step

import tunesmith
from tunesmith.contracts.worker_process import Launch
from tunesmith.running.worker.local_starter import LocalProcess, LocalStarter
from tunesmith_sdk.testing.recorder import Recorder

SOURCE = Path(tunesmith.__file__).parent
PICKLING = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "multiprocessing", "dill", "cloudpickle", "joblib"}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_nothing_in_the_kernel_can_pickle() -> None:
    guilty = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if {name.split(".")[0] for name in imports(path)} & PICKLING}
    assert guilty == set()


@pytest.mark.parametrize("part", ["isolation", "contracts", "verbs"])
def test_what_runs_in_a_worker_parses_with_python_3_9(part: str) -> None:
    for path in [*(SOURCE / part).glob("*.py"), SOURCE / "errors.py"]:
        ast.parse(path.read_text(), feature_version=(3, 9))


def test_a_worker_holds_only_the_standard_library_and_the_contracts(tmp_path: Path) -> None:
    import sys

    outcome = Place.at(tmp_path).run(step("a", "modules"))
    loaded = json.loads((outcome.artifacts["a"].path / "modules.json").read_text())
    ours = {name for name in loaded if name.startswith("tunesmith.")}
    assert {name.split(".")[1] for name in ours} <= {"contracts", "errors", "isolation"}
    # Modules of the environment itself (what site-packages' .pth files load in every process) are not the worker's doing.
    others = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"tunesmith", "tiny_verbs", "__main__"}
    assert not others & {"yaml", "rich", "pluggy", "torch", "transformers", "numpy", "pydantic"}


def test_what_a_step_prints_does_not_reach_the_protocol(tmp_path: Path) -> None:
    reporter = Recorder()
    outcome = Place.at(tmp_path).run(step("a", "shout", to=50), reporter=reporter)
    assert outcome.state == "done"
    assert {name for name, _ in reporter.told} == {"run_started", "step_started", "log", "step_finished", "run_finished"}
    said = [told for name, told in reporter.told if name == "log"]
    assert said == [("a", "warning", "it was <loud>")], "what it says, not what it prints"
    log = next((outcome.directory / "logs").glob("*/stdout.log")).read_text()
    assert "Content-Length: 5" in log


def test_every_step_is_a_process_of_its_own_in_a_group_of_its_own(tmp_path: Path) -> None:
    launched: list[LocalProcess] = []

    class Counting(LocalStarter):
        def start(self, launch: Launch) -> LocalProcess:
            launched.append(super().start(launch))
            return launched[-1]

    outcome = Place.at(tmp_path).run(step("a", "environment"), step("b", "environment", to=1), starter=Counting())
    assert outcome.state == "done"
    assert len({process.pid for process in launched}) == 2
    assert [process.poll() for process in launched] == [0, 0]


def test_an_artifact_is_files_a_record_and_a_seal_and_is_read_from_disk_alone(tmp_path: Path) -> None:
    place = Place.at(tmp_path)
    outcome = place.run(step("a", to=2))
    directory = outcome.artifacts["a"].path.parent
    assert sorted(path.name for path in directory.iterdir()) == ["artifact.json", "files", "seal.json"]
    record = json.loads((directory / "artifact.json").read_text())
    assert set(record) == {"format", "digest", "files", "refs", "producer", "inputs", "metrics", "meta", "sha256"}
    assert str(tmp_path) not in json.dumps(record)
