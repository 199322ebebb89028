"""Where steps run: decided from what plugins need, what is installed, and what the user says."""

from __future__ import annotations

import pytest

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith.plugins.records import EnvironmentSpec

TUNE = """
name: p
model: shelf://plain/x
steps:
  tune: {teach: contrast, adapter: ADAPTER, data: pairs.jsonl, env: ENV}
"""
LACKS = {"missing": {"": ("heavy>=2 (1.0 is installed)",)}, "runtime": ("heavy>=2",)}


class Known:
    """Environments: those whose keys are given are resolved, those in `built` are there."""

    def __init__(self, key: str | None = None, built: bool = False) -> None:
        self._key, self._built = key, built

    def key(self, recipe: Recipe) -> str | None:
        return self._key

    def ready(self, recipe: Recipe) -> object | None:
        return self if self._built else None


def tune(env: str = "auto", adapter: str = "tilt") -> str:
    return TUNE.replace("ENV", env).replace("ADAPTER", adapter)


def step(plan, name: str = "tune"):
    return next(step for step in plan.steps if step.name == name)


def reasons(plan) -> dict[str, str]:
    return {d.what: d.reason for d in plan.decisions if d.step == "tune" and d.what.startswith("environment")}


def test_a_step_whose_plugins_have_all_they_need_runs_in_the_host_s_environment(planner):
    plan = planner(tune())
    assert step(plan).recipe is None
    assert not reasons(plan)


def test_a_step_with_a_plugin_that_lacks_something_runs_in_an_environment_of_its_own_and_the_plan_says_what(planner, world):
    plan = planner(tune(), world(acme_tilt=LACKS))
    recipe = step(plan).recipe
    assert recipe.requirements == ("heavy>=2",)
    assert "acme-tilt" in recipe.plugins
    assert set(recipe.packages) == {"tunesmith", "made_up"}
    (reason,) = reasons(plan).values()
    assert "acme-tilt needs heavy>=2 (1.0 is installed)" in reason


def test_all_plugins_of_a_step_share_its_environment(planner, world):
    both = world(acme_tilt=LACKS, acme_contrast={"runtime": ("light<3",)})
    assert step(planner(tune(), both)).recipe.requirements == ("heavy>=2", "light<3")


def test_what_a_device_needs_on_top_is_in_the_recipe_for_that_device_only(planner, world):
    lacks = {"missing": {"abacus": ("beads==3",)}, "environment_spec": EnvironmentSpec(runtime={"abacus": ("beads==3",), "other": ("x",)})}
    recipe = step(planner(tune(), world(acme_tilt=lacks))).recipe
    assert (recipe.requirements, recipe.accelerator) == (("beads==3",), "abacus")


def test_repairs_and_interpreters_come_from_the_manifest(planner, world):
    wanted = EnvironmentSpec("isolated", ">=3.9,<3.12", {}, ("odd==1",), ("Bad_One",), "made_up.probe:probe")
    recipe = step(planner(tune(), world(acme_tilt={"environment_spec": wanted}))).recipe
    assert (recipe.without_dependencies, recipe.absent, recipe.python) == (("odd==1",), ("bad-one",), "<3.12,>=3.9")
    assert recipe.probes == ("made_up.probe:probe",)


def test_the_step_s_own_word_counts_most_then_the_configuration_then_the_manifest(planner, world):
    isolated = {"environment_spec": EnvironmentSpec("isolated")}
    prefers = world(acme_tilt=isolated)
    assert step(planner(tune(), prefers)).recipe
    assert step(planner(tune("host"), prefers)).recipe is None
    assert step(planner(tune(), prefers, preferences={"Acme_Tilt": "host"})).recipe is None
    assert step(planner(tune(), preferences={"acme-tilt": "isolated"})).recipe
    assert step(planner(tune("isolated"), preferences={"acme-tilt": "host"})).recipe


@pytest.mark.parametrize("how", [{"env": "auto"}, {"env": "isolated"}])
def test_an_environment_that_nothing_installed_builds_is_refused_with_the_line_that_installs_one(problems, world, how):
    (found,) = problems(tune(**how), world(without=("acme-shed",), acme_tilt=LACKS))
    assert found.code == "TS-ENV-015"
    assert "acme-tilt" in found.what
    assert "pip install tunesmith" in found.fix


def test_without_a_builder_what_needs_no_environment_is_planned_and_what_would_need_one_is_not_chosen(planner, world):
    assert step(planner(tune(), world(without=("acme-shed",)))).recipe is None
    plan = planner(tune(adapter="auto"), world(without=("acme-shed",), acme_tilt=LACKS))
    assert step(plan).choices["adapter"].record.name == "glue"


@pytest.mark.parametrize("how", [{"yaml": tune("host")}, {"yaml": tune(), "preferences": {"acme-tilt": "host"}}])
def test_the_host_s_environment_is_refused_where_it_lacks_something_with_the_command_that_fixes_it(problems, world, how):
    (found,) = problems(registry=world(acme_tilt=LACKS), **how)
    assert found.code == "TS-PLUGIN-010"
    assert "heavy>=2" in found.what
    assert "pip install 'acme-tilt[runtime]'" in found.fix


def test_what_is_chosen_automatically_needs_no_environment_of_its_own_if_there_is_a_choice(planner, world):
    plan = planner(tune(adapter="auto"), world(acme_tilt=LACKS))
    assert step(plan).choices["adapter"].record.name == "glue"
    assert step(plan).recipe is None


def test_an_unknown_environment_is_told_with_those_that_there_are(problems):
    (found,) = problems(tune("isolatd"))
    assert found.code == "TS-SPEC-005"
    assert "isolated" in found.fix


def test_a_key_is_known_as_soon_as_the_packages_are_resolved(planner, world):
    lacks = world(acme_tilt=LACKS)
    assert step(planner(tune(), lacks, locks=Known)).lock == ""
    assert step(planner(tune(), lacks, locks=lambda: Known("abc"))).lock == "abc"


@pytest.mark.parametrize(("built", "said"), [(True, "which is there"), (False, "to be built before the first step")])
def test_the_plan_says_whether_the_environment_is_there(planner, world, built: bool, said: str):
    plan = planner(tune(), world(acme_tilt=LACKS), locks=lambda: Known("abc", built))
    assert said in next(iter(reasons(plan)))


def test_a_model_loader_is_asked_while_planning_so_it_must_run_here(problems, world):
    (found,) = problems(tune(), world(acme_shelf=LACKS))
    assert (found.code, "heavy>=2" in found.what) == ("TS-PLUGIN-010", True)
