"""Data files in plans: prepared once, checked once, read again where they change."""

import json

import pytest

from tunesmith.contracts import Provider
from tunesmith.errors import UserError
from tunesmith.planning.inputs.file_check_cache import FileCheckCache
from tunesmith_data import data_file
from tunesmith_data.check.verdict import judge
from tunesmith_data.formats.detection import detect

ROW = '{"question": "q", "solution": "s"}\n'
YAML = "model: shelf://base\nsteps:\n  tune: {teach: echo, adapter: tilt, data: rows.jsonl}\n"


@pytest.fixture
def found(tmp_path, formats):
    """Detect what a file of these contents holds."""

    def detected(content, wanted=("dataset/chat",), name="rows.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return detect(path, formats(), wanted, shown=name, reader="the objective `echo`")

    return detected


@pytest.mark.parametrize(("row", "fix"), [
    ('{"question": "q", "good": "g", "bad": "b"}', "The rows fit `pairs`: write `pairs` in the place of `tickets`."),
    ('{"Question": "q", "SOLUTION": "s"}', "`settings: {columns: {question: Question, solution: SOLUTION}}`"),
])  # fmt: skip
def test_where_a_named_format_does_not_fit_the_one_that_does_is_named(problems, tmp_path, row, fix):
    (tmp_path / "rows.jsonl").write_text(f"{row}\n" * 2)
    (problem,) = problems("steps:\n  rows: {prepare: tickets, from: rows.jsonl}\n")
    assert (problem.code, fix in problem.fix) == ("TS-DATA-003", True)
    assert "`question` is missing" in problem.why or "`solution` is missing" in problem.why


def test_one_step_prepares_what_two_readers_read(planner, tmp_path):
    (tmp_path / "rows.jsonl").write_text(ROW)
    plan = planner(
        YAML + "  score: {evaluate: surprise, from: tune, data: ./rows.jsonl}\n  two: {teach: echo, adapter: tilt, data: train.jsonl}\n"
    )
    assert [s.name for s in plan.steps if s.verb.name == "prepare"] == ["data:rows", "data:train"]
    prepared = plan.steps[1]
    assert prepared.settings == {"format": "dataset/chat"}
    assert prepared.inputs["file"].digest.startswith("sha256:")


def test_two_files_of_one_name_are_two_steps(planner, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "rows.jsonl").write_text(ROW)
    (tmp_path / "more" / "rows.jsonl").write_text(ROW * 2)
    plan = planner(YAML + "  two: {teach: echo, adapter: tilt, data: more/rows.jsonl}\n")
    assert [s.name for s in plan.steps if s.verb.name == "prepare"] == ["data:rows", "data:rows-2"]


def test_a_file_can_be_prepared_by_name(planner):
    plan = planner("steps:\n  rows: {prepare: tickets, from: train.jsonl}\n")
    assert plan.steps[0].inputs["file"].format == "file"
    assert plan.steps[0].format == "dataset/chat"


def test_a_file_that_has_not_changed_is_not_read_again(planner, problems, tmp_path, monkeypatch):
    memory = FileCheckCache(tmp_path / "memory.json")
    (tmp_path / "rows.jsonl").write_text(ROW * 5)
    first = planner(YAML, memory=memory)

    def never(*_args, **_more):
        raise AssertionError("read again")

    monkeypatch.setattr("tunesmith_data.data_file.detect", never)
    assert planner(YAML, memory=FileCheckCache(tmp_path / "memory.json")) == first
    (tmp_path / "rows.jsonl").write_text(ROW * 6)
    (problem,) = problems(YAML, memory=memory)
    assert (problem.code, problem.why) == ("TS-PLAN-013", "AssertionError: read again")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": {"name": "gone"}}'])
def test_a_memory_that_is_damaged_is_an_empty_one(tmp_path, content, planner):
    path = tmp_path / "memory.json"
    path.write_text(content)
    (tmp_path / "rows.jsonl").write_text(ROW)
    assert planner(YAML, memory=FileCheckCache(path)).steps
    assert json.loads(path.read_text())


def test_a_directory_is_no_data_file(problems, tmp_path):
    (tmp_path / "rows.jsonl").mkdir()
    (problem,) = problems(YAML)
    assert problem.code == "TS-DATA-006"
    assert "directory" in problem.why


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """While the rows are looked at, these contents are written over them, one at each look."""
    (tmp_path / "rows.jsonl").write_text(ROW)
    edits = []

    def looked(path, *arguments, **more):
        if edits:
            path.write_text(edits.pop(0))
        return detect(path, *arguments, **more)

    monkeypatch.setattr(data_file, "detect", looked)
    return edits


def test_a_file_edited_while_it_is_planned_with_is_planned_with_as_it_is_then(planner, edited, tmp_path):
    memory = {}
    edited.append(ROW * 3)
    plan = planner(YAML, memory=memory)
    assert "all 3 rows" in str(plan)
    (tmp_path / "rows.jsonl").write_text(ROW)
    assert "all 1 rows" in str(planner(YAML, memory=memory)), "what was found in the new file is not remembered of the old one"
    edited.append("no rows")
    edited.append(ROW * 2)
    memory.clear()
    assert "all 2 rows" in str(planner(YAML, memory=memory)), "what was wrong with a version that is gone is not told"


def test_a_file_that_never_rests_is_no_plan(problems, edited):
    edited += [ROW * 2, ROW * 3, ROW * 4]
    (problem,) = problems(YAML)
    assert (problem.code, problem.user) == ("TS-RUN-025", True)


def refusing(path, record, columns, settings):
    """A format that has something against the rows that say no."""

    def convert(row):
        if "no" in row.values():
            raise UserError("TS-DATA-020", "it says no", why="Nobody likes that.", fix="Say yes.")
        return dict(row)

    return judge(path, record.facts["row"], columns, convert)


def test_rows_are_checked_once_as_long_as_nothing_changes(planner, tmp_path, answered_by):
    (tmp_path / "rows.jsonl").write_text(ROW)
    asked, memory = [], {}

    def check(*arguments):
        asked.append(arguments)
        return refusing(*arguments)

    for _ in range(2):
        planner(YAML, ask=answered_by(check), memory=memory)
    assert len(asked) == 1
    planner(
        YAML.replace("rows.jsonl", "{path: rows.jsonl, columns: {solution: question, question: solution}}"),
        ask=answered_by(check),
        memory=memory,
    )
    assert len(asked) == 2


def test_a_file_that_a_step_prepares_is_checked_as_well(problems, tmp_path, answered_by):
    (tmp_path / "rows.jsonl").write_text('{"question": "no", "solution": "s"}\n')
    (problem,) = problems("steps:\n  rows: {prepare: tickets, from: rows.jsonl}\n", ask=answered_by(refusing))
    assert problem.code == "TS-DATA-020"
    (tmp_path / "rows.jsonl").write_text('{"question": "q"}\n')
    (problem,) = problems("steps:\n  rows: {prepare: tickets, from: rows.jsonl}\n", ask=answered_by(refusing))
    assert (problem.code, problem.why) == ("TS-DATA-003", "line 1 `solution` is missing")


def test_a_plan_says_which_keys_are_not_read(planner, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"question": "q", "solution": "s", "mood": "calm"}\n')
    assert "not read: `mood` (1 rows)" in str(planner(YAML))


def test_a_key_that_is_not_read_is_told_with_the_formats_that_are_made_of_it(planner, world, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"question": "q", "solution": "s", "good": true}\n')
    plan = planner(YAML, world(extra=[("dataset_format", MARKS)]))
    assert any("not read: `good` (1 rows; that is for `marks` or `pairs`)" in decision.reason for decision in plan.decisions)


MARKED = {"row": {"type": "object", "required": ["said", "good"], "properties": {"said": {"type": "string"}, "good": {"type": "boolean"}}}}
MARKS = Provider("marks", "what is good", "made_up:Nothing", produces=("dataset/marked",), facts=MARKED)
JUDGE = Provider("judge", "tell good from bad", "made_up:Nothing", accepts=("dataset/marked",))
LABELLED = "model: shelf://base\nsteps:\n  tune: {teach: judge, adapter: tilt, data: DATA}\n"


def labelling(path, record, columns, settings):
    """A format whose rows have a label, each row twice."""
    return judge(path, record.facts["row"], columns, lambda row: [{"text": row["said"], "label": row["good"]}] * 2)


@pytest.fixture
def labelled(tmp_path, world):
    for name, good in (("good", "true"), ("bad", "false")):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"said": "x", "good": {good}}}\n' * 3)
    return world(extra=[("dataset_format", MARKS), ("objective", JUDGE)])


def test_data_with_one_label_is_refused_before_anything_is_planned_with_it(problems, labelled, answered_by):
    (problem,) = problems(LABELLED.replace("DATA", "good.jsonl"), labelled, ask=answered_by(labelling))
    assert (problem.code, "good.jsonl: all 6 labels are `true`" in problem.what) == ("TS-DATA-071", True)
    assert "`judge`" in problem.why


def test_several_files_have_their_labels_together(planner, labelled, answered_by):
    plan = planner(LABELLED.replace("DATA", "[good.jsonl, bad.jsonl]"), labelled, ask=answered_by(labelling))
    reasons = " ".join(decision.reason for decision in plan.decisions)
    assert "all 3 rows of good.jsonl fit and become 6" in reasons
    assert "6 of the 6 rows of bad.jsonl" in reasons


def test_labels_are_counted_by_what_they_are(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"n": 1}\n{"n": 2}\n{"n": 1}\n')
    assert judge(tmp_path / "rows.jsonl", {}, {}, lambda row: {"tokens": ["a"], "labels": [row["n"], "O"]}).labels == {
        "1": 2,
        "O": 3,
        "2": 1,
    }
