"""The promise of environments: plugins whose pins exclude each other and the host's work in one pipeline, by one command, unseen."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.isolated


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_each_step_sees_the_version_that_its_plugin_pins(project: Any, installer: str) -> None:
    (project.folder / "tunesmith.toml").write_text(f'[environments]\nbuilder = {{venv = {{installer = "{installer}"}}}}\n')
    first = project.run()
    seen = {name: project.seen(first[name]) for name in ("old", "new", "here")}
    assert {name: version for name, (version, _) in seen.items()} == {"old": project.elder, "new": project.younger, "here": project.hosts}
    assert len({prefix for _, prefix in seen.values()}) == 3
    assert seen["here"][1] == str(project.folder / "host")
    assert not any(step["cached"] for step in first.values())
    again = project.run()
    assert all(step["cached"] for step in again.values())
    assert {name: step["artifact"]["digest"] for name, step in again.items()} == {n: s["artifact"]["digest"] for n, s in first.items()}
    assert [path.name for path in project.site.glob("packaging*.dist-info")] == [f"packaging-{project.hosts}.dist-info"]


def test_the_plan_says_who_needs_what_and_where_it_runs(project: Any) -> None:
    before = project.tunesmith("plan")
    for name, pin in (("elder", project.elder), ("younger", project.younger)):
        assert f"acme-{name} needs packaging=={pin} ({project.hosts} is installed)" in before
    assert before.count("isolated, to be built before the first step") == 2
    project.run()
    assert project.tunesmith("plan").count("isolated, which is there") == 2


def test_a_step_or_the_configuration_may_ask_for_isolation(project: Any) -> None:
    pipeline = project.folder / "tunesmith.yaml"
    pipeline.write_text(pipeline.read_text().replace("here: {", "here: {env: isolated, "))
    assert "isolated, to be built before the first step: the step asks for it" in project.tunesmith("plan")
    pipeline.write_text(pipeline.read_text().replace("env: isolated, ", ""))
    (project.folder / "tunesmith.toml").write_text('[environments.plugins]\n"acme-neutral" = "isolated"\n')
    assert "your configuration says so of acme-neutral" in project.tunesmith("plan")
    assert project.seen(project.run()["here"])[1].startswith(str(project.folder / "cache"))
