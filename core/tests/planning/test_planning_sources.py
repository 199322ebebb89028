"""A worker is told which step of the pipeline each of its inputs comes from."""

from pathlib import Path

from tunesmith.isolation.worker_step import WorkerStep
from tunesmith.running.worker.step_request import step_request

YAML = """\
model: shelf://base
steps:
  one: {stack: {}, from: model, layers: [model]}
  two: {stack: {}, from: one, layers: [one, model]}
"""


def test_the_names_of_the_steps_that_made_its_inputs_reach_the_worker(planner, tmp_path: Path):
    step = planner(YAML).steps[-1]
    request = step_request(step, {}, tmp_path / "output", tmp_path / "work") | {"settings_class": ""}
    told = WorkerStep.from_json(request, lambda *_: None, None).sources
    assert told == {"model": "one", "layers": "one", "layers.2": planner(YAML).steps[0].name}
    assert WorkerStep(name="alone", output=tmp_path, work=tmp_path).sources == {}
