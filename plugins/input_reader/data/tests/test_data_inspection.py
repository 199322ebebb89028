"""What `data inspect` tells of a file is what a plan says of it."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tunesmith.errors import TunesmithError, UserError
from tunesmith_data.check.verdict import judge
from tunesmith_data.formats.detection import detect
from tunesmith_data.inspection import inspect


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
