"""Data files are understood and checked before anything runs, row by row, with line numbers."""

import json

import pytest
from hypothesis import strategies as st

from tunesmith.contracts import Provider
from tunesmith_data.check.verdict import Broken, Verdict
from tunesmith_data.formats.detection import broken_rows, detect
from tunesmith_data.formats.resemblance import best, meant, required


def text(*required):
    return {"row": {"type": "object", "required": list(required), "properties": {name: {"type": "string"} for name in required}}}


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
    assert [(p.code, p.fix) for p in found(content).problems] == [("TS-DATA-002", "Put one JSON object a line into it.")]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("question,,solution\nq,,s\n", "rows.csv", "a column has no name"),
        (b"PAR1\x00\x00", "rows.parquet", "Parquet"),
        (b"PK\x03\x04", "rows.zip", "an archive"),
        (b"\x00\x01\x02", "rows.jsonl", "not text"),
        (json.dumps({"data": [1]}, indent=2), "rows.json", "one JSON object over many lines"),
    ],
)
def test_a_file_that_is_something_else_is_named_for_what_it_is(found, content, name, words):
    (problem,) = found(content, name=name).problems
    assert problem.code == "TS-DATA-006"
    assert words in problem.what
    assert "JSON" in problem.fix or "columns" in problem.fix


def test_a_table_is_rows_of_texts(found):
    assert found("question,solution\nq,s\n", name="rows.csv").rows == 1


def test_a_misspelt_column_is_found(found):
    (problem,) = found('{"question": "q", "good": "g", "badd": "s"}\n' * 3, wanted=("dataset/preference",)).problems
    assert problem.code == "TS-DATA-004"
    assert "in line 1 `bad` is missing; did you mean it by `badd`?" in problem.what


def test_a_column_that_nothing_resembles_is_missed_and_no_other_is_renamed_into_it(found):
    (problem,) = found('{"question": "q", "good": "g"}\n' * 3, wanted=("dataset/preference",)).problems
    assert "in line 1 `bad` is missing" in problem.what
    assert "--columns" not in problem.fix


def test_the_first_row_that_does_not_fit_is_named(found):
    (problem,) = found('{"question": "q", "solution": "s"}\n' + '{"question": 1, "solution": 2}\n' * 3).problems
    assert "line 2: `question` should be a string" in problem.what


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=4), inner, max_size=3)
    ),
)


EITHER = {
    "type": "object",
    "anyOf": [{"required": ["said", "mood"]}, {"required": ["talk", "mood"]}, {"required": ["said", "tone", "mood"]}],
    "properties": {key: {"type": "string"} for key in ("said", "talk", "mood", "tone")},
}


@pytest.fixture
def either(world):
    provider = Provider("moods", "what was felt", "made_up:Nothing", produces=("dataset/mood",), facts={"row": EITHER})
    weak = Provider("words", "what was said", "made_up:Nothing", produces=("dataset/chat",), facts=text("said"), priority=-1)
    strong = Provider("tales", "what was told", "made_up:Nothing", produces=("dataset/chat",), facts=text("told"))
    return world(extra=[("dataset_format", one) for one in (provider, weak, strong)]).providers("dataset_format")


@pytest.mark.parametrize(("row", "format", "keys"), [
    ({"said": "a", "mood": "b"}, "moods", ("said", "mood")),
    ({"talk": "a", "mood": "b"}, "moods", ("talk", "mood")),
    ({"said": "a", "mood": "b", "tone": "c"}, "moods", ("said", "tone", "mood")),
    ({"said": "a"}, "words", ("said",)),
    ({"said": "a", "told": "b"}, "tales", ("told",)),
])  # fmt: skip
def test_a_format_may_have_several_sets_of_columns(either, row, format, keys):
    found = best(list(either.values()), [row] * 2)
    assert (found.name, required(found, row)) == (format, keys)


def test_a_set_of_columns_of_which_one_is_missing_is_told(either, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"talk": "a", "mod": "b"}\n' * 2)
    (problem,) = detect(tmp_path / "rows.jsonl", either, ("dataset/mood",), shown="rows.jsonl").problems
    assert (problem.code, "did you mean it by `mod`" in problem.what) == ("TS-DATA-004", True)
    assert "`said`, `mood` or `talk`, `mood` or `said`, `tone`, `mood`" in problem.why
    assert "columns: {mood: mod}" in problem.fix


def test_columns_that_another_format_would_read_under_other_names_are_offered(world, tmp_path):
    """Also where a format that wants fewer columns nearly fits."""
    schema = {"type": "object", "required": ["said"], "properties": {"said": {"type": "string"}, "reply": {"type": "null"}}}
    weak = Provider("words", "what was said", "made_up:Nothing", produces=("dataset/words",), facts={"row": schema}, priority=-1)
    strong = Provider(
        "talks",
        "what was answered",
        "made_up:Nothing",
        produces=("dataset/chat",),
        facts={**text("said", "answer"), "aliases": {"answer": ("reply",)}},
    )
    installed = world(extra=[("dataset_format", one) for one in (weak, strong)]).providers("dataset_format")
    (tmp_path / "rows.jsonl").write_text('{"said": "a", "reply": "b"}\n' * 2)
    (problem,) = detect(tmp_path / "rows.jsonl", installed, shown="rows.jsonl").problems
    assert (problem.code, "columns: {answer: reply}" in problem.fix) == ("TS-DATA-004", True)
