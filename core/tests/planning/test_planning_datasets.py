"""Data files are understood and checked before anything runs, row by row, with line numbers."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tunesmith.contracts import Provider
from tunesmith.errors import TunesmithError, UserError
from tunesmith.planning import data_files
from tunesmith.planning.datasets import broken_rows, detect
from tunesmith.planning.inspection import inspect
from tunesmith.planning.memory import FileMemory
from tunesmith.planning.row_formats import meant
from tunesmith.verbs.row_check import Broken, Verdict, judge
from tunesmith.verbs.rows_file import NotRows, read_file


def text(*required):
    return {"row": {"type": "object", "required": list(required), "properties": {name: {"type": "string"} for name in required}}}


ROW = '{"question": "q", "solution": "s"}\n'
PAIR = '{"question": "q", "good": "g", "bad": "b"}\n'
YAML = "model: shelf://base\nsteps:\n  tune: {teach: echo, adapter: tilt, data: rows.jsonl}\n"


@pytest.fixture
def found(tmp_path, formats):
    """Detect what a file of these contents holds."""

    def detected(content, wanted=("dataset/chat",), name="rows.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return detect(path, formats(), wanted, shown=name, reader="the objective `echo`")

    return detected


@pytest.mark.parametrize(
    "content",
    [ROW * 3, "\ufeff" + ROW * 3, ROW + "\n\n" + ROW * 2, ROW.replace("\n", "\r\n") * 3, (ROW * 3).rstrip(), f"[{','.join([ROW] * 3)}]",
     json.dumps([json.loads(ROW)] * 3, indent=4)],
)  # fmt: skip
def test_json_lines_and_json_arrays_are_the_same(found, content):
    detection = found(content)
    assert not detection.problems
    assert (detection.record.name, detection.format, detection.rows, detection.characters) == ("tickets", "dataset/chat", 3, 6)


def test_of_formats_that_fit_the_one_that_requires_most_wins(found):
    assert found(ROW * 2).record.name == "tickets"
    assert found('{"question": "q"}\n').record.name == "notes"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"question": "q", "sol', "line 3 is cut off: the file ends in the middle of a row"),
        ('{"question": "q", "solution": s}\n', "line 3 is not JSON"),
        ('{"question": "q"}\n', "line 3 `solution` is missing"),
        ('{"question": "q", "solution": 5}\n', "line 3 `solution` should be a string, got 5"),
        ('{"question": "q", "solution": ""}\n', "line 3 `solution` should not be empty"),
        ("[1, 2]\n", "line 3 is a list; a row is a JSON object"),
        ("null\n", "line 3 is null; a row is a JSON object"),
        ('{"question": NaN}\n', "line 3 is not JSON: NaN"),
        (b'{"question": "\xff", "solution": "s"}\n', "line 3 is not UTF-8"),
        ('{"question": ' + "[" * 100_000 + "\n", "line 3 is nested too deeply"),
        ('{"question": ' + "[" * 500 + "]" * 500 + "}\n", "line 3 is nested too deeply"),
        ('{"question": ' + "1" * 6000 + "}\n", "line 3 holds a number of 6000 digits, which is too large"),
        ('{"question": "q", "solution": "s", "solution": "t"}\n', "line 3 has the key `solution` more than once"),
        ('{"question": [{"a": 1, "a": 1}]}\n', "line 3 has the key `a` more than once"),
        ("{}\n", "line 3 is `{}`: a row without columns"),
    ],
)
def test_a_broken_row_is_told_with_its_line(found, line, words):
    (problem,) = found((ROW * 2).encode() + (line if isinstance(line, bytes) else line.encode())).problems
    assert problem.code == "TS-DATA-003"
    assert "1 of 3 rows is broken" in problem.what
    assert words in problem.why
    assert "data inspect" in problem.fix


@pytest.mark.parametrize(
    "bad", ['{"question": "q", "solution": "s", "question": "r"}', "{}", '{"question": ' + "1" * 6000 + "}", '{"question": NaN}']
)
def test_a_broken_row_of_an_array_is_told_and_those_behind_it_are_read(found, bad):
    detection = found(f"[{ROW.strip()},\n{bad},\n{ROW.strip()}]")
    assert (detection.rows, detection.verdict.lines) == (2, (2,))


def test_rows_of_nothing_are_told_as_such(found):
    (problem,) = found("{}\n{}\n").problems
    assert (problem.code, "line 1 is `{}`: a row without columns" in problem.why) == ("TS-DATA-003", True)


def test_columns_that_differ_by_case_alone_are_offered_and_an_unread_one_is_named_with_what_is_read(found):
    for columns in ("Question Solution", "QUESTION SOLUTION", "Question solution"):
        (problem,) = found(json.dumps(dict.fromkeys(columns.split(), "x")) + "\n").problems
        assert all(column in problem.fix for column in columns.split() if not column.islower())
    record = found(ROW).record
    assert (meant(record, "Question"), meant(record, "answer")) == ("question", "")


def test_advice_is_that_of_all_rows_or_of_none(found):
    fixes = ("Write a.", "Write b.", "Write a.", "Write c.")
    broken = [Broken(line, "TS-DATA-025", "is odd", "", fix) for line, fix in enumerate(fixes, 1)]
    assert broken_rows("a.jsonl", Verdict(0, 0, tuple(broken[:3]), (1, 2, 3))).fix.startswith("Write a. Write b. `tunesmith")
    more = (*broken, Broken(5, "TS-DATA-025", "is odd", "", "Write d."))
    assert broken_rows("a.jsonl", Verdict(0, 0, more, (1, 2, 3, 4, 5))).fix.startswith("Correct or remove these lines")


@pytest.mark.parametrize(("row", "fix"), [
    ('{"question": "q", "good": "g", "bad": "b"}', "The rows fit `pairs`: write `pairs` in the place of `tickets`."),
    ('{"Question": "q", "SOLUTION": "s"}', "`settings: {columns: {question: Question, solution: SOLUTION}}`"),
])  # fmt: skip
def test_where_a_named_format_does_not_fit_the_one_that_does_is_named(problems, tmp_path, row, fix):
    (tmp_path / "rows.jsonl").write_text(f"{row}\n" * 2)
    (problem,) = problems("steps:\n  rows: {prepare: tickets, from: rows.jsonl}\n")
    assert (problem.code, fix in problem.fix) == ("TS-DATA-003", True)
    assert "`question` is missing" in problem.why or "`solution` is missing" in problem.why


def test_many_broken_rows_are_counted_and_the_first_are_shown(found):
    (problem,) = found(ROW * 40 + '{"question": "q"}\n' * 30).problems
    assert "30 of 70" in problem.what
    assert problem.why.startswith("line 41 ")
    assert problem.why.count("line ") == 8


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('[\n{"question": "q", "solution": "s"},\n{"question": "q", "sol', 3, "cut off"),
        ('[\n{"question": "q", "solution": "s"}\n', 3, "does not end"),
        ('[\n{"question": "q", "solution": "s"}\n{}]', 3, "a comma is missing"),
        ('[\n{"question": "q", "solution": "s"},\n\n{"question": }]', 4, "not JSON"),
        ('[\n{"question": "q", "solution": "s"}]\n\nmore', 4, "more after the end"),
    ],
)
def test_a_broken_array_is_told_with_its_line(found, content, line, words):
    (problem,) = found(content).problems
    assert problem.code == "TS-DATA-003"
    assert f"line {line} " in problem.why
    assert words in problem.why


def test_a_long_array_is_read_in_pieces(found):
    rows = [{"question": "q" * 5000, "solution": str(i)} for i in range(1000)]
    assert found(json.dumps(rows)).rows == 1000
    assert found(json.dumps(rows, indent=1)).rows == 1000


@pytest.mark.parametrize("content", ["", "\n\n", " \n", "[]", "[ ]\n"])
def test_a_file_without_rows_says_so(found, content):
    assert [p.code for p in found(content).problems] == ["TS-DATA-002"]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("question,solution\nq,s\n", "rows.csv", "a table"),
        (b"PAR1\x00\x00", "rows.parquet", "Parquet"),
        (b"\x1f\x8b\x08\x00", "rows.jsonl.gz", "compressed"),
        (b"\x00\x01\x02", "rows.jsonl", "not text"),
        (json.dumps({"data": [1]}, indent=2), "rows.json", "one JSON object over many lines"),
    ],
)
def test_a_file_that_is_something_else_is_named_for_what_it_is(found, content, name, words):
    (problem,) = found(content, name=name).problems
    assert problem.code == "TS-DATA-006"
    assert words in problem.what
    assert "JSON" in problem.fix


def test_a_misspelt_column_is_found(found):
    (problem,) = found('{"question": "q", "good": "g", "badd": "s"}\n' * 3, wanted=("dataset/preference",)).problems
    assert problem.code == "TS-DATA-004"
    assert "in line 1 `bad` is missing; did you mean it by `badd`?" in problem.what


def test_rows_for_another_objective_are_told_from_broken_ones(found):
    (problem,) = found(ROW * 3, wanted=("dataset/preference",)).problems
    assert problem.code == "TS-DATA-005"
    assert "`tickets`" in problem.what
    assert "`question`, `good`, `bad`" in problem.fix


def test_columns_that_nobody_knows_are_listed(found):
    (problem,) = found('{"prompt": "q", "reply": "s"}\n').problems
    assert problem.code == "TS-DATA-004"
    assert "`prompt`, `reply`" in problem.why
    assert "`tickets` wants `question`, `solution`" in problem.why


def test_rows_of_the_right_columns_and_wrong_values_say_what_is_wrong(found):
    (problem,) = found('{"question": 1, "solution": 2}\n').problems
    assert "`question` should be a string, got 1" in problem.what


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
    memory = FileMemory(tmp_path / "memory.json")
    (tmp_path / "rows.jsonl").write_text(ROW * 5)
    first = planner(YAML, memory=memory)

    def never(*_args, **_more):
        raise AssertionError("read again")

    monkeypatch.setattr("tunesmith.planning.data_files.detect", never)
    assert planner(YAML, memory=FileMemory(tmp_path / "memory.json")) == first
    (tmp_path / "rows.jsonl").write_text(ROW * 6)
    (problem,) = problems(YAML, memory=memory)
    assert (problem.code, problem.why) == ("TS-PLAN-013", "AssertionError: read again")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": {"name": "gone"}}'])
def test_a_memory_that_is_damaged_is_an_empty_one(tmp_path, content, planner):
    path = tmp_path / "memory.json"
    path.write_text(content)
    (tmp_path / "rows.jsonl").write_text(ROW)
    assert planner(YAML, memory=FileMemory(path)).steps
    assert json.loads(path.read_text())


def test_a_directory_is_no_data_file(problems, tmp_path):
    (tmp_path / "rows.jsonl").mkdir()
    (problem,) = problems(YAML)
    assert problem.code == "TS-DATA-006"
    assert "directory" in problem.why


class TestInspection:
    @pytest.fixture
    def inspected(self, tmp_path, formats):
        def made(content, **more):
            path = tmp_path / "rows.jsonl"
            path.write_text(content)
            return inspect(path, formats(), **more)

        return made

    def test_says_what_the_rows_are(self, inspected):
        found = inspected(ROW * 2 + '{"question": "other", "solution": "answer"}\n')
        assert (found.format, found.produces, found.rows) == ("tickets", ("dataset/chat",), 3)
        assert found.columns == {"question": 3, "solution": 3}
        assert found.lengths["least"] == 2
        assert found.lengths["most"] == 11
        assert sum(rows for _, _, rows in found.histogram) == 3

    def test_names_the_lines_of_broken_empty_and_repeated_rows(self, inspected):
        same = '{"solution": "S", "question": " Q  "}\n'.replace("S", "s").replace("Q", "q")
        found = inspected(
            ROW
            + "\n"
            + '{"question": "x"}\n'
            + same
            + '{"question": "y", "solution": " "}\n'
            + '{"question": "z", "solution": ""}\n'
            + ROW * 3
        )
        assert [line for line, _ in found.broken] == [3, 6]
        assert found.empty == ((2, "the line"), (5, "`solution`"), (6, "`solution`"))
        assert [line for line, first in found.duplicates if first == 1] == [4, 7, 8, 9]

    def test_draws_the_same_sample_for_the_same_seed(self, inspected):
        content = "".join(f'{{"question": "q{i}", "solution": "s"}}\n' for i in range(400))
        one, two, other = inspected(content), inspected(content), inspected(content, seed=1)
        assert one.sample == two.sample != other.sample
        assert 8 <= len(one.sample) <= 40
        assert all(row["question"] == f"q{line - 1}" for line, row in one.sample)

    def test_goes_into_json(self, inspected):
        assert json.loads(json.dumps(inspected(ROW).to_json()))["rows"] == 1

    @pytest.mark.parametrize("content", ["", "\n"])
    def test_of_nothing_is_an_error(self, inspected, content):
        with pytest.raises(TunesmithError, match="TS-DATA-002"):
            inspected(content)

    def test_of_an_absent_file_is_an_error(self, tmp_path, formats):
        with pytest.raises(TunesmithError, match="TS-DATA-001"):
            inspect(tmp_path / "none.jsonl", formats())

    def test_tells_of_rows_that_no_format_fits(self, inspected):
        found = inspected('{"a": 1}\n' * 3)
        assert found.format == ""
        assert (found.rows, found.total, found.usable) == (0, 3, False)
        assert found.problem["code"] == "TS-DATA-004"


COLUMNS = st.sampled_from(["question", "solution", "good"]) | st.text(max_size=3)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(COLUMNS, inner, max_size=3),
    max_leaves=5,
)
ROWS = st.lists(ANY_JSON, max_size=4)
TEXTS = st.one_of(
    st.text(alphabet='{}[]":, \nquestion', max_size=60),
    ROWS.map(lambda rows: "\n".join(map(json.dumps, rows))),
    ROWS.map(lambda rows: json.dumps(rows, indent=1)),
)
BYTES = st.binary(max_size=60) | TEXTS.map(str.encode)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=BYTES, cut=st.integers(0, 60))
@example(content=b"[\x80", cut=0)
def test_no_file_makes_a_traceback(content, cut, tmp_path, formats):
    path = tmp_path / "any.jsonl"
    path.write_bytes(content[: len(content) - cut] if cut else content)
    detection = detect(path, formats())
    assert detection.problems or detection.rows
    with contextlib.suppress(TunesmithError):
        assert inspect(path, formats()).path == str(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(st.text(max_size=3), ANY_JSON, max_size=3), max_size=5), indent=st.sampled_from([None, 0, 3]))
def test_an_array_has_the_rows_and_lines_that_it_was_written_with(rows, indent, tmp_path):
    path = tmp_path / "rows.json"
    text = json.dumps(rows, indent=indent, ensure_ascii=False)
    path.write_text(text, "utf-8", newline="")
    lines = list(read_file(path))
    assert [line.row for line in lines] == rows
    ends = text.split("\n")
    assert all(ends[line.number - 1].lstrip(" [,").startswith("{") for line in lines)


def test_what_is_no_file_of_rows_says_so(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(NotRows, match="table"):
        list(read_file(tmp_path / "a.csv"))


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """While the rows are looked at, these contents are written over them, one at each look."""
    (tmp_path / "rows.jsonl").write_text(ROW)
    edits = []

    def looked(path, *arguments, **more):
        if edits:
            path.write_text(edits.pop(0))
        return detect(path, *arguments, **more)

    monkeypatch.setattr(data_files, "detect", looked)
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


NEAR = '{"qestion": "q", "solution": "s"}\n'


def test_the_error_writes_out_which_column_is_which_and_what_it_writes_works(found, planner, tmp_path):
    (problem,) = found(NEAR).problems
    assert problem.code == "TS-DATA-004"
    assert "`data: {path: rows.jsonl, columns: {question: qestion}}`" in problem.fix
    assert "`--columns question=qestion`" in problem.fix
    (tmp_path / "rows.jsonl").write_text(NEAR)
    data = problem.fix.split("`")[1].removeprefix("data: ")
    assert planner(YAML.replace("rows.jsonl", data)).steps[-2].settings["columns"] == {"question": "qestion"}


def test_columns_are_known_by_the_names_that_a_format_says_they_often_have(formats, tmp_path):
    record = Provider("talks", "talks", "made_up:Nothing", produces=("dataset/chat",),
                      facts=text("said", "meant") | {"aliases": {"said": ["utterance"], "meant": ["meaning"]}})  # fmt: skip
    path = tmp_path / "odd name.jsonl"
    path.write_text('{"Utterance": "q", "meaning": "s"}\n')
    (problem,) = detect(path, formats(extra=[("dataset_format", record)]), shown="odd name.jsonl").problems
    assert '`data: {path: "odd name.jsonl", columns: {said: Utterance, meant: meaning}}`' in problem.fix


def refusing(path, record, columns, settings):
    """A format that has something against the rows that say no."""

    def convert(row):
        if "no" in row.values():
            raise UserError("TS-DATA-020", "it says no", why="Nobody likes that.", fix="Say yes.")
        return dict(row)

    return judge(path, record.facts["row"], columns, convert)


def test_what_the_format_refuses_is_broken_for_inspection_and_planning_alike(formats, problems, tmp_path, answered_by):
    (tmp_path / "rows.jsonl").write_text(ROW + '{"question": "no", "solution": "s", "id": 3}\n' + ROW.replace("}", ', "id": 4}'))
    seen = inspect(tmp_path / "rows.jsonl", formats(), check=refusing)
    assert (seen.rows, seen.broken, seen.usable, seen.unread) == (2, ((2, "it says no (Nobody likes that)"),), False, {"id": 1})
    (problem,) = problems(YAML, ask=answered_by(refusing))
    assert (problem.code, problem.why) == ("TS-DATA-020", "line 2: it says no (Nobody likes that)")
    assert problem.fix.startswith("Say yes. ")


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


CASES = Path(__file__).parents[3] / "tests" / "cases"


@pytest.mark.parametrize(
    "row", [r'{"question": "cut \ud83d?", "solution": "s"}', r'{"question": "\uDE00", "solution": "s"}', r'{"\ud83d": 1}']
)
@pytest.mark.parametrize("form", ["{0}\n{1}\n", "[{0},\n{1}]\n"])
def test_half_a_character_is_told_with_its_line(found, row, form):
    (problem,) = found(form.format(ROW.strip(), row)).problems
    assert problem.code == "TS-DATA-003"
    assert "line 2 holds half a character" in problem.why


def test_a_whole_character_written_in_two_halves_is_read(found):
    assert not found('{"question": "smile \\ud83d\\ude00", "solution": "\\\\ud83d"}\n').problems


def test_a_number_that_no_float_holds_is_told_with_its_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"x": 1e308}\n{"x": [1e999]}\n')
    assert [line.problem for line in read_file(path)] == ["", "holds a number that is too large"]


def test_the_case_of_half_a_character_names_its_line():
    lines = list(read_file(CASES / "half-a-character" / "rows.jsonl"))
    assert [bool(line.problem) for line in lines] == [False, True]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=4), inner, max_size=3)
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(JSON, max_size=4), st.booleans())
def test_whatever_json_a_file_holds_its_rows_can_be_written_again(tmp_path, values, lines):
    path = tmp_path / "any.jsonl"
    path.write_text("\n".join(map(json.dumps, values)) if lines else json.dumps(values), "utf-8")
    with contextlib.suppress(NotRows):
        for line in read_file(path):
            json.dumps(line.row, ensure_ascii=False, allow_nan=False).encode()
