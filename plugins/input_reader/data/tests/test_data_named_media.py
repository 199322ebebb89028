"""What rows name beside them belongs to the data: it is there before anything runs, and a change of it is a change of the rows."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from tunesmith.contracts import Provider
from tunesmith.errors import Problems
from tunesmith.planning.cache_keys import step_key
from tunesmith.planning.inputs.file_check_cache import FileCheckCache
from tunesmith_data.inspection import inspect

MEDIUM = {"anyOf": [{"type": "string"}, {"type": "object"}, {"type": "array"}], "format": "media"}
SLIDES = {
    "row": {
        "type": "object",
        "required": ["slide", "talk", "parts"],
        "properties": {
            "slide": MEDIUM,
            "parts": {
                "type": "array",
                "items": {"type": "object", "properties": {"shown": {"format": "media"}, "said": {"type": "string"}}},
            },
        },
    }
}
YAML = "model: shelf://base\nsteps:\n  tune: {teach: echo, adapter: tilt, data: rows.jsonl}\n"
BY_NAME = "steps:\n  rows: {prepare: slides, from: rows.jsonl}\n"


@pytest.fixture
def registry(world):
    return world(extra=[("dataset_format", Provider("slides", "talks", "made_up:Nothing", produces=("dataset/chat",), facts=SLIDES))])


@pytest.fixture
def files(tmp_path):
    """A row with a picture, one in an object, one among parts, a folder, and one within the row; and the file of rows."""
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "0.png").write_bytes(b"0")
    row = {"slide": [{"path": "a.png"}, "data:image/png;base64,AA=="], "talk": "not.png", "parts": [{"shown": "b.png", "said": "no.png"}]}
    other = {"slide": str(tmp_path / "c.png"), "talk": "", "parts": [{"shown": "film"}]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(other) + "\n")
    return tmp_path


def key_of(plan):
    return step_key(next(step for step in plan.steps if step.verb.name == "prepare"), {})


@pytest.mark.parametrize("yaml", [YAML, BY_NAME])
@pytest.mark.parametrize("changed", ["a.png", "b.png", "c.png", "film/0.png"])
def test_a_changed_picture_is_a_changed_file_of_rows(planner, registry, files, yaml, changed):
    memory = FileCheckCache(files / "memory.json")
    first = key_of(planner(yaml, registry, memory=memory))
    (files / changed).touch()
    assert key_of(planner(yaml, registry, memory=memory)) == first
    (files / changed).write_bytes(b"another picture")
    assert key_of(planner(yaml, registry, memory=memory)) != first


def test_what_looks_untouched_is_neither_read_nor_hashed_again(planner, registry, files, monkeypatch):
    monkeypatch.setattr("tunesmith.contracts.digests.SETTLED", -60.0)
    memory = FileCheckCache(files / "memory.json")
    first = key_of(planner(YAML, registry, memory=memory))

    def never(*_args):
        raise AssertionError("read again")

    monkeypatch.setattr("tunesmith_data.media.references.content_sha256", never)
    monkeypatch.setattr("tunesmith_data.media.references.read_file", never)
    assert key_of(planner(YAML, registry, memory=FileCheckCache(files / "memory.json"))) == first


def test_rows_that_name_nothing_are_their_file_alone(planner, registry, tmp_path):
    plan = planner("steps:\n  rows: {prepare: tickets, from: train.jsonl}\n", registry)
    source = plan.steps[0].inputs["file"]
    assert (source.digest, source.beside) == ("sha256:" + hashlib.sha256((tmp_path / "train.jsonl").read_bytes()).hexdigest(), "")


@pytest.mark.parametrize(("name", "code"), [
    ("absent.png", "TS-DATA-061"), ("a.png/b.png", "TS-DATA-061"), ("https://example.org/a.png", "TS-DATA-063"), ("a\0.png", "TS-DATA-061"),
])  # fmt: skip
@pytest.mark.parametrize("yaml", [YAML, BY_NAME])
def test_what_is_not_there_is_told_in_the_plan_with_its_line(problems, registry, files, yaml, name, code):
    with open(files / "rows.jsonl", "a") as rows:
        rows.write(json.dumps({"slide": name, "talk": "", "parts": []}) + "\n")
    (problem,) = problems(yaml, registry)
    assert problem.code == code
    assert "1 of 3 rows is broken" in problem.what
    assert problem.why.startswith("line 3: ")


def test_an_empty_folder_is_no_film(problems, registry, files):
    (files / "empty").mkdir()
    with open(files / "rows.jsonl", "a") as rows:
        rows.write(json.dumps({"slide": "empty", "talk": "", "parts": []}) + "\n")
    (problem,) = problems(YAML, registry)
    assert problem.code == "TS-DATA-061"
    assert "folder without files" in problem.why
    assert "folder without files" in inspect(files / "rows.jsonl", registry.providers("dataset_format")).broken[0][1]


@pytest.mark.parametrize(("content", "says"), [
    (b"", "it is empty"), (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
    (b"\n<!DOCTYPE html><p>", "a page of HTML"),
])  # fmt: skip
def test_what_a_failed_download_left_is_told_by_inspect_and_plan(planner, problems, registry, files, content, says):
    memory = FileCheckCache(files / "memory.json")
    assert planner(YAML, registry, memory=memory)
    (files / "b.png").write_bytes(content)
    (problem,) = problems(YAML, registry, memory=memory)
    assert (problem.code, says in problem.why) == ("TS-DATA-060", True)
    assert says in inspect(files / "rows.jsonl", registry.providers("dataset_format")).broken[0][1]


def test_inspect_and_plan_count_rows_that_are_broken_in_one_way_or_another_alike(problems, registry, files):
    with open(files / "rows.jsonl", "a") as rows:
        for number in range(8):  # two of them name the same file
            rows.write(json.dumps({"slide": f"{max(number, 1)}.jpg", "talk": "", "parts": []}) + "\n")
        rows.write('{"slide": "a.png", "talk": ""}\n')
    for yaml in (YAML, BY_NAME):
        (found,) = problems(yaml, registry)
        assert "9 of 11 rows are broken" in found.what
        assert [f"line {number}" in found.why for number in (3, 4, 10)] == [True] * 3
    told = inspect(files / "rows.jsonl", registry.providers("dataset_format"))
    assert (told.rows, told.broken_count, [line for line, _ in told.broken]) == (2, 9, list(range(3, 12)))


@pytest.mark.parametrize("named", ["/etc/hostname", "../outside.png", "link.png"])
def test_a_row_that_names_a_file_elsewhere_is_told_of_before_the_run(planner, problems, registry, files, named):
    outside = files.parent / "outside.png"
    outside.write_bytes(b"x")
    (files / "link.png").symlink_to(outside)
    (files / "rows.jsonl").write_text(json.dumps({"slide": named, "talk": "", "parts": []}) + "\n")
    (found,) = problems(YAML, registry)
    assert found.code == "TS-DATA-065"
    assert "line 1: The row names" in found.why
    memory = FileCheckCache(files / "memory.json")
    roots = [files.parent, Path("/etc")]
    assert planner(YAML, registry, memory=memory, roots=roots)
    with pytest.raises(Problems, match="TS-DATA-065"):
        planner(YAML, registry, memory=memory)


@pytest.mark.parametrize("name", ["rows.jsonl", "a.png"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)], ids=["fifo", "zero"])
def test_what_never_ends_is_told_of_before_the_run(problems, registry, files, name, make):
    (files / name).unlink()
    make(files / name)
    (found,) = problems(YAML, registry)
    assert found.code in ("TS-DATA-006", "TS-DATA-061", "TS-DATA-065")
