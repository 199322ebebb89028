from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow

PIPELINE = """name: release
model: file://model
steps:
  released: {stamp: {audience: support}, from: model}
  card: {export: model-card, from: released}
  back: {stamp: {audience: partners}, from: released}
"""


def test_a_verb_and_a_format_of_ones_own_are_planned_converted_and_run(house):
    place = house("stamp", pipeline=PIPELINE)
    assert "unstamp" in place.tunesmith("plan"), "the planner puts the converter before what takes ordinary models"
    place.tunesmith("run")
    stamps = {json.loads(path.read_text())["audience"]: path for path in (place.folder / ".tunesmith" / "store").rglob("STAMP.json")}
    assert stamps.keys() == {"support", "partners"}
    said = json.loads(stamps["partners"].read_text())["files"]
    assert said == json.loads(stamps["support"].read_text())["files"], "the way back loses nothing"
    assert {"config.json", "model.safetensors"} <= said.keys()


def test_the_verb_is_a_command_with_its_settings(house):
    place = house("stamp", pipeline=PIPELINE)
    assert "for whom the model is released" in place.tunesmith("stamp", "--help")
    assert "TS-" in place.tunesmith("stamp", "--model", "file://model", "--audience", "UPPER", status=2)


def test_a_model_changed_under_its_stamp_is_refused(house, local_step, tmp_path):
    place = house("stamp", pipeline=PIPELINE)
    with place.importing():
        from acme_stamp.stamps import Unstamp

        from tunesmith.contracts import Artifact, TunesmithError

        (tmp_path / "weights").write_text("changed")
        (tmp_path / "STAMP.json").write_text('{"audience": "x", "files": {"weights": "0"}}')
        step = local_step()
        with pytest.raises(TunesmithError, match="ACME-STAMP-001"):
            Unstamp().export(Artifact("model/acme-stamped", tmp_path), step.output, step)


def test_an_audience_exchanged_on_a_stamp_is_refused(house, local_step, tmp_path):
    place = house("stamp", pipeline=PIPELINE)
    with place.importing():
        from acme_stamp.settings import StampSettings
        from acme_stamp.stamps import Unstamp, run

        from tunesmith.contracts import Artifact, TunesmithError

        (tmp_path / "weights").write_text("w")
        stamped = local_step(inputs={"model": Artifact("model/hf", tmp_path)}, settings=StampSettings(audience="support"))
        run(stamped)
        stamp = stamped.output / "STAMP.json"
        stamp.write_text(stamp.read_text().replace("support", "partners"))
        step = local_step()
        with pytest.raises(TunesmithError, match="ACME-STAMP-001"):
            Unstamp().export(Artifact("model/acme-stamped", stamped.output), step.output, step)
