"""Whatever is wrong with an environment, the command says it with a code, before anything is computed, and leaves nothing behind."""

from __future__ import annotations

import re
import shutil
import socket
from typing import Any

import pytest

pytestmark = pytest.mark.isolated


def refused(project: Any, code: str, *words: str, **variables: str) -> str:
    """What the command says as it ends with this code."""
    done = project.call("run", *words, **variables)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode in (1, 2), said
    assert f"{code}:" in said, said
    assert "Traceback" not in said
    assert "fix:" in said
    assert not list(project.folder.glob(".tunesmith/store/*/*/files/seen")), "something was computed"
    return said


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_no_network(project: Any, closed_port: int) -> None:
    index = f"http://127.0.0.1:{closed_port}/simple"
    alone = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": index, "UV_CACHE_DIR": str(project.folder / "uv"), "UV_HTTP_RETRIES": "0"}
    assert "acme-elder" in refused(project, "TS-ENV-001", **alone)
    assert project.environments == []


def test_offline_with_nothing_at_hand(project: Any) -> None:
    assert "acme-elder" in refused(project, "TS-ENV-008", "--offline", UV_CACHE_DIR=str(project.folder / "uv"))


def test_a_wheel_that_does_not_exist(project: Any) -> None:
    project.add("elder", "packaging==0.0.999")
    assert "packaging==0.0.999" in refused(project, "TS-ENV-003")


def test_a_denied_plugin_gets_no_environment(project: Any) -> None:
    (project.folder / "tunesmith.toml").write_text('[plugins]\ndeny = ["acme-elder"]\n')
    assert "acme-elder (denied)" in refused(project, "TS-PLUGIN-001")
    assert project.environments == []


def test_a_step_that_must_run_in_the_host_and_can_not(project: Any) -> None:
    pipeline = project.folder / "tunesmith.yaml"
    pipeline.write_text(pipeline.read_text().replace("old: {", "old: {env: host, "))
    said = refused(project, "TS-PLUGIN-010")
    assert f"packaging=={project.elder}" in said
    assert "acme-elder[runtime]" in said


def test_a_plugin_that_does_not_find_what_it_never_asked_for(project: Any) -> None:
    project.add("elder", f"packaging=={project.elder}")
    card = project.site / "acme_elder" / "card.py"
    card.write_text("import tiny_missing_library\n" + card.read_text())
    done = project.call("run")
    said = " ".join((done.stdout + done.stderr).split())
    assert (done.returncode, "TS-RUN-011" in said) == (1, True), said
    assert "tiny_missing_library" in said


@pytest.mark.parametrize("lost", ["lib/python*/site-packages/packaging", "bin/python", "environment.json", ""])
def test_an_environment_that_somebody_deleted_from_is_built_anew(project: Any, lost: str) -> None:
    project.run()
    for environment in project.environments:
        for path in environment.glob(lost) if lost else (environment,):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    again = project.run("--refresh")
    assert project.seen(again["old"])[0] == project.elder
    assert project.seen(again["new"])[0] == project.younger


def test_what_a_killed_run_half_built_is_not_used(project: Any) -> None:
    project.run()
    for environment in project.environments:
        (environment / "environment.json").unlink()
        (environment / "half").write_text("of something")
    assert project.seen(project.run("--refresh")["old"])[0] == project.elder
    assert not any((environment / "half").exists() for environment in project.environments)
    assert re.search(r"Nothing to delete", project.tunesmith("env", "gc"))
