"""The verb `serve` is there where its plugin is, and goes with an engine into an environment of the engine's own."""

from __future__ import annotations

from pathlib import Path

import pytest

import tunesmith_serve
from tunesmith.config import load_config
from tunesmith.errors import Problems
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.placement.environments import recipe_of
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.registry import Registry, load_registry


@pytest.fixture
def installed() -> Registry:
    return load_registry(load_config())


def test_without_it_a_pipeline_that_serves_is_told_what_to_install(installed: Registry, tmp_path: Path) -> None:
    others = Registry([plugin for plugin in installed.plugins if plugin.distribution != "tunesmith-serve"])
    (tmp_path / "tunesmith.yaml").write_text("model: file://x\nsteps:\n  api: {serve: llamacpp}\n")
    with pytest.raises(Problems) as caught:
        make_plan(load_pipeline(tmp_path), others, resolve=lambda uri: None, devices={"cpu": []}, digest_of=lambda path: "0")
    (problem,) = caught.value.problems
    assert problem.code == "TS-PLUGIN-001"
    assert "the step `api` has no verb that is known here: no installed plugin brings the verb `serve`" in problem.what
    assert "If a plugin that is not installed should bring it, install that." in problem.fix


@pytest.mark.parametrize("backend", ["llamacpp", "vllm"])
def test_an_engines_own_environment_gets_its_code_and_no_package_for_it(installed: Registry, backend: str) -> None:
    engine = installed.plugin(installed.provider("inference_backend", backend))
    recipe = recipe_of(installed, [installed.plugin(installed.verb("serve")), engine], "cpu")
    assert recipe.packages["tunesmith_serve"] == Path(tunesmith_serve.__file__).parent
    assert recipe.plugins == (engine.distribution,), "it is called by who asks for it"
    assert recipe.requirements == recipe_of(installed, [engine], "cpu").requirements
    assert not [line for line in recipe.requirements if line.startswith("tunesmith")]
