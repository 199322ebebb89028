"""Rows with pictures, sounds or videos go to a model that takes them: what its configuration tells, the plan says."""

import json

import pytest

from tunesmith.contracts.model_loader import ModelInfo
from tunesmith.contracts.rows import message
from tunesmith.errors import Problems
from tunesmith.verbs.row_check import judge
from tunesmith_models import takes

YAML = "model: shelf://base\nsteps:\n  tune: {teach: echo, adapter: tilt, data: rows.jsonl}\n"
LLAMA = {"model_type": "llama", "hidden_size": 8, "rope_scaling": {"factor": 2}}
SEES = {"model_type": "gemma3", "text_config": {"model_type": "gemma3_text"}, "vision_config": {"hidden_size": 8}}
HEARS = {"model_type": "omni", "thinker_config": {"audio_config": {"layers": 1}, "text_config": {"layers": 1}}}


@pytest.mark.parametrize(("config", "image", "audio"), [
    (LLAMA, False, False), (SEES, True, False), (HEARS, False, True), ({}, None, None), ({"model_type": "newest"}, None, None),
    ({**LLAMA, "visual": {"width": 8}}, None, None),
    ({"model_type": "newest", "vision_config": {"width": 8}, "ears": {"width": 1}}, True, None),
])  # fmt: skip
def test_a_configuration_tells_what_a_model_takes_or_that_it_does_not_tell(config, image, audio):
    assert [takes(config, type) for type in ("text", "image", "video", "audio")] == [True, image, image, audio]


@pytest.fixture
def plan(planner, tmp_path, answered_by):
    """Plan with rows of which two have a picture, and a model of such a configuration."""
    (tmp_path / "a.png").write_bytes(b"a")
    rows = [{"question": name, "solution": "s"} for name in ("a.png", "none", "a.png")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def convert(row):
        return {"messages": [message("user", [{"type": "image", "path": row["question"]}] if row["question"] != "none" else "Well?")]}

    def check(path, record, columns, settings):
        return judge(path, record.facts["row"], columns, convert)

    def resolve(uri):
        return ModelInfo(uri, "1", "model/hf", {}, config)

    def planned(found, yaml=YAML):
        nonlocal config
        config = found
        return planner(yaml, ask=answered_by(check), resolve=resolve)

    config = {}
    return planned


TWO_STEPS = "model: shelf://base\nsteps:\n  rows: {prepare: tickets, from: rows.jsonl}\n  tune: {teach: echo, adapter: tilt, data: rows}\n"


@pytest.mark.parametrize("yaml", [YAML, TWO_STEPS])
def test_a_model_of_text_is_refused_with_rows_that_show_something(plan, yaml):
    with pytest.raises(Problems, match=r"TS-DATA-032: tunesmith.yaml:\d: 2 of the rows have a part of type image") as refused:
        plan(LLAMA, yaml)
    assert len(refused.value.problems) == 1


def test_what_cannot_be_told_is_said_to_be_seen_in_the_step(plan):
    assert any("2 of the rows have a part of type image" in warning for warning in plan({"model_type": "newest"}).warnings)
    planned = plan(SEES)
    assert not any("of the rows" in warning for warning in planned.warnings)
    assert any("whether it can be decoded" in decision.reason for decision in planned.decisions)
