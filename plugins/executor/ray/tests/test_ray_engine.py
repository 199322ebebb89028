"""Ray itself, in an isolated environment: a cluster of several nodes on this machine, of which one is killed in mid-step."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

_root = Path(__file__).parents[4]
for _place in (str(Path(__file__).parent), str(_root / "tests" / "executors"), str(_root / "core" / "tests" / "tiny")):
    if _place not in sys.path:
        sys.path.append(_place)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), _place]))

from elsewhere import Host, away, counted, isolated, meanwhile, numbers, reached, when  # noqa: E402
from ray_nodes import RayNodes  # noqa: E402
from tiny_plans import Place, step  # noqa: E402

from tunesmith.config import EnvironmentSettings, load_config  # noqa: E402
from tunesmith.contracts.kinds.environment_builder import Silent  # noqa: E402
from tunesmith.plugins.registry import load_registry  # noqa: E402
from tunesmith.running.steps.environments import environments_of  # noqa: E402
from tunesmith_sdk.testing.recorder import Recorder  # noqa: E402

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the executor's environment is built, once."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def nodes(environments: Path, tmp_path: Path) -> Iterator[RayNodes]:
    recipe = isolated("ray")
    assert recipe is not None
    directory = environments_of(EnvironmentSettings(environments), load_registry(load_config()))
    directory.lock(recipe, Silent())
    start = directory.start(directory.ensure(recipe, Silent()), recipe)
    cluster = RayNodes(start.command[0], start.environment, tmp_path)
    yield cluster
    cluster.close()


@pytest.fixture
def place(environments: Path, tmp_path: Path) -> Place:
    place = Place.at(tmp_path / "project")
    place.cache.mkdir(parents=True)
    (place.cache / "environments").symlink_to(environments)
    return place


@pytest.fixture
def undisturbed(tmp_path: Path) -> str:
    """Digest of the count that runs here, without an executor."""
    return Place.at(tmp_path / "here").run(step("a", to=40)).artifacts["a"].digest


def test_ranks_run_in_a_group_and_find_each_other(place: Place, nodes: RayNodes) -> None:
    outcome = place.run(away(step("a", "ranks", processes=2), nodes, strategy="STRICT_SPREAD"))
    assert outcome.state == "done", outcome.error
    when(lambda: not nodes.agents(), 20)
    outcome = place.run(away(step("c", "ranks", processes=3, to=2), nodes, strategy="STRICT_SPREAD"))
    assert outcome.state == "done", outcome.error
    outcome = place.run(away(step("b", to=3), nodes, resources={"of-this-there-is-none": 1}))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-030")


def test_a_step_goes_on_from_its_checkpoint_when_a_node_is_killed(place: Place, nodes: RayNodes, undisturbed: str) -> None:
    died: list[str] = []

    def murder() -> None:
        reached(place, 10, 300)
        died.append(nodes.node_dies())

    meanwhile(murder)
    told = Recorder()
    outcome = place.run(counted(nodes), reporter=told)
    assert outcome.state == "done", outcome.error
    assert died
    assert outcome.artifacts["a"].digest == undisturbed
    assert len(told.of("metric")) <= 42  # it did not begin again
    assert any("anew" in str(one) for one in told.of("decision")), told.told
    when(lambda: not nodes.agents(), 20)


def test_a_job_outlives_its_host_and_is_found_again(place: Place, nodes: RayNodes, undisturbed: str) -> None:
    host = Host(place, "run", nodes)
    reached(place, 8, 300)
    agents = nodes.agents()
    host.process.kill()
    host.process.wait()
    reached(place, numbers(place) + 5)  # nobody listens, and it goes on
    assert nodes.agents() == agents != []
    outcome = Host(place, "resume", nodes).outcome()
    assert outcome == {"state": "done", "error": "", "digests": {"a": undisturbed}}
    when(lambda: not nodes.agents(), 20)


def test_a_run_that_is_stopped_leaves_no_process(place: Place, nodes: RayNodes) -> None:
    outcome, _ = place.cancelled(counted(nodes), when="metric")
    assert outcome.state == "cancelled"
    when(lambda: not nodes.agents(), 20)


def test_a_cluster_of_this_machine_is_started_and_ended_with_the_step(place: Place) -> None:
    here = SimpleNamespace(name="ray", settings={"address": "local", "host": "127.0.0.1", "reconnect_timeout": 5.0})
    outcome = place.run(counted(here))
    # a rank ran there: it is its worker that does not know the tiny plugins, which are on no path of that cluster
    assert (outcome.error.code, "`tiny_verbs`" in outcome.error.what) == ("TS-RUN-011", True), outcome.error
    when(lambda: not _of(place), 30)


def test_a_cluster_that_is_not_there_is_an_error(place: Place, nodes: RayNodes) -> None:
    nodes.close()
    outcome = place.run(counted(nodes))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-035")


def _of(place: Place) -> list[str]:
    """What keeps a Ray cluster up for this project."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode()
        except OSError:
            continue
        if "tunesmith_ray.local_cluster" in command and str(place.home) in command:
            found.append(command)
    return found
