"""Formats that other plugins declare are recognised, by any loader, and nothing that is known without them changes."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tunesmith.errors import UserError
from tunesmith_file.api import declared_layouts, describe, find, kept_layouts
from tunesmith_file.declared_layouts import wrong_with
from tunesmith_file.loader import FileLoader

FACTS = {
    "layouts": [
        {"acme/tilt": {"files": ["tilt/graph.bin"], "also": ["tilt/graph_*"]}},
        {"acme/packed": {"config": ["packing.bits"]}},
    ]
}
LAYOUTS = declared_layouts(FACTS)
TILT = ["config.json", "tilt/graph.bin", "tilt/graph_2.data", "tilt/other.bin", "tokenizer.json", "run.py"]


def test_a_declared_format_is_recognised_with_what_belongs_to_it():
    found = find(TILT, where="x", layouts=LAYOUTS)
    assert (found.kind, found.root) == ("acme/tilt", "")
    assert found.files == ("config.json", "tilt/graph.bin", "tilt/graph_2.data", "tokenizer.json")
    below = find(["README.md", *(f"export/{name}" for name in TILT)], where="x", layouts=LAYOUTS)
    assert (below.kind, below.root, below.files) == ("acme/tilt", "export/", found.files)


def test_a_checkpoint_beside_it_is_still_the_model():
    assert find([*TILT, "model.safetensors"], where="x", layouts=LAYOUTS).kind == "hf"


def test_without_its_plugin_it_is_no_model_and_nothing_is_said_of_pickles():
    with pytest.raises(UserError, match="TS-MODEL-004") as told:
        find(TILT, where="x")
    assert "installed plugins" not in told.value.fix
    with pytest.raises(UserError, match="TS-MODEL-004") as told:
        find(["config.json"], where="x", layouts=LAYOUTS)
    assert "installed plugins add `acme/tilt`." in told.value.fix


def test_a_checkpoint_is_told_by_its_config(hf_model):
    config = json.loads((hf_model / "config.json").read_text())
    assert describe(hf_model, LAYOUTS)[0] == "model/hf"
    (hf_model / "config.json").write_text(json.dumps({**config, "packing": {"bits": 4}}))
    assert describe(hf_model, LAYOUTS)[0] == "acme/packed"
    assert describe(hf_model)[0] == "model/hf"


def test_the_loader_copies_it_and_names_its_format(step, tmp_path):
    folder = tmp_path / "export"
    for name in TILT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('{"hidden_size": 8}' if name == "config.json" else name)
    step.facts = FACTS
    info = FileLoader().resolve(str(folder), step)
    assert (info.format, info.config) == ("acme/tilt", {"hidden_size": 8})
    step.facts = {}  # as when it is fetched
    FileLoader().fetch(info, step.output, step)
    assert {path.relative_to(step.output).as_posix() for path in step.output.rglob("*") if path.is_file()} == set(info.files)


def test_what_a_loader_keeps_finds_the_same_again():
    assert declared_layouts(kept_layouts(LAYOUTS, "acme/tilt")) == LAYOUTS[:1]
    assert kept_layouts(LAYOUTS, "model/hf") == {}


@pytest.mark.parametrize(
    "fact",
    [
        ["a list"], {"acme/x": []}, {"acme/x": {"files": "one"}}, {"acme/x": {"files": [3]}}, {"acme/x": {}}, {"acme/x": {"also": ["x"]}},
        {"acme/x": {"files": ["a"], "config": ["b"]}}, {"acme/x": {"file": ["a"]}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_understood_is_told_to_its_author_and_passed_over(fact):
    assert wrong_with(SimpleNamespace(facts={"layouts": fact}))
    assert declared_layouts({"layouts": [fact, FACTS["layouts"][0]]}) == LAYOUTS[:1]
    assert not wrong_with(SimpleNamespace(facts={"layouts": FACTS["layouts"][0]}))
