"""Rows that lie in no file of this machine: whose an address is, what is brought where, and what is said where it can't be."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tunesmith.contracts import Provider
from tunesmith.errors import TunesmithError, UserError
from tunesmith_data.api import FoundDataset
from tunesmith_data.line import NotRows
from tunesmith_data.rows_file import read_file
from tunesmith_data.settings import SourceSettings
from tunesmith_data.shards import write_index
from tunesmith_data.sources.address import is_address, source_of
from tunesmith_data.sources.directory import Directory
from tunesmith_data.sources.fetched import local
from tunesmith_data.sources.sql import Sql
from tunesmith_data.sources.worker import run

ABSENT = "made_up:Nothing"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


class Shelf:
    """A source of made-up files: three rows in two of them."""

    fetched = 0

    def __init__(self, revision: str = "1", leaves_out: str = "") -> None:
        self.revision, self.leaves_out = revision, leaves_out

    def find(self, address: str, base: Path, step: Any) -> FoundDataset:
        return FoundDataset("my rows", {"b/2.jsonl": 14, "1.jsonl": 28}, ("1.jsonl", "b/2.jsonl"), self.revision)

    def fetch(self, found: FoundDataset, folder: Path, step: Any) -> None:
        Shelf.fetched += 1
        (folder / "b").mkdir()
        for name, text in (("1.jsonl", '{"text": "a"}\n{"text": "b"}\n'), ("b/2.jsonl", '{"text": "c"}\n')):
            if name != self.leaves_out:
                (folder / name).write_text(text)


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_step: Any):
    """``brought(source, address)``: the result's meta, and the rows."""
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))

    def ask(source: Any, address: str = "shelf://rows", most: int = 0, base: Path = tmp_path) -> tuple[dict[str, Any], list[Any]]:
        step = local_step(settings=SourceSettings(address, str(base), most), providers={"dataset_source": source})
        meta = dict(run(step).meta)
        return meta, [line.row for line in read_file(Path(meta["path"]))]

    return ask


def test_several_files_are_read_as_one_and_fetched_once(brought, tmp_path):
    before = Shelf.fetched
    meta, rows = brought(Shelf())
    assert rows == [{"text": "a"}, {"text": "b"}, {"text": "c"}]
    assert Path(meta["path"]).is_relative_to(tmp_path / "cache/datasets")
    assert (Path(meta["path"]).name, meta["size"] > 42) == ("my-rows.shards", True)
    assert brought(Shelf())[0] == meta
    assert Shelf.fetched == before + 1
    assert brought(Shelf("2"))[0]["path"] != meta["path"]


def test_what_has_no_revision_lies_where_its_content_says(brought):
    before = Shelf.fetched
    assert brought(Shelf(""))[0] == brought(Shelf(""))[0]
    assert Shelf.fetched == before + 2


def test_more_than_a_plan_fetches_by_itself_is_refused_with_the_command(brought):
    with pytest.raises(UserError, match="TS-DATA-088") as caught:
        brought(Shelf("large"), most=41)
    assert "tunesmith data fetch 'shelf://rows'" in caught.value.fix
    assert brought(Shelf("large"), most=42)[1]


def test_a_file_that_does_not_come_leaves_nothing_behind(brought, tmp_path):
    with pytest.raises(TunesmithError, match="TS-DATA-089"):
        brought(Shelf("3", leaves_out="1.jsonl"))
    assert list((tmp_path / "cache/datasets").iterdir()) == []


def test_lines_are_counted_through_and_a_broken_one_names_its_file(tmp_path):
    (tmp_path / "one.jsonl").write_text('{"a": 1}\n\n')
    (tmp_path / "two.jsonl").write_text('{"a": 2}\n{"a"\n')
    write_index(tmp_path / "both.shards", ["one.jsonl", "two.jsonl"])
    lines = list(read_file(tmp_path / "both.shards"))
    assert [(line.number, line.row) for line in lines] == [(1, {"a": 1}), (2, None), (3, {"a": 2}), (4, None)]
    assert "(two.jsonl, line 2)" in lines[-1].problem


@pytest.mark.parametrize("text", ["[]", "{}", '{"files": [{"name": "../x.jsonl"}]}', '{"files": [{"name": "/etc/passwd"}]}'])
def test_an_index_that_leads_elsewhere_is_refused(tmp_path, text):
    (tmp_path / "rows.shards").write_text(text)
    with pytest.raises(NotRows):
        list(read_file(tmp_path / "rows.shards"))


SOURCES = {
    name: SimpleNamespace(name=name, facts=facts, identity={"name": name}, distribution="acme", kind="dataset_source")
    for name, facts in {
        "shelf": {"schemes": ["shelf"]}, "press": {"schemes": ["shelf+press"], "volatile": True}, "folder": {"folders": True},
    }.items()
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name"),
    [("shelf://a", "shelf"), ("SHELF://a", "shelf"), ("shelf+press://a", "press"), ("shelf+x://a", "shelf"), (".", "folder")],
)
def test_an_address_is_its_scheme_s(tmp_path, text, name):
    assert source_of(text, SOURCES, tmp_path).name == name


def test_a_path_is_nobody_s_and_a_strange_scheme_is_told(tmp_path):
    assert source_of("rows.jsonl", SOURCES, tmp_path) is None
    assert not is_address("C:\\rows.jsonl")
    with pytest.raises(UserError, match="TS-DATA-087") as caught:
        source_of("shelv://a", SOURCES, tmp_path)
    assert "shelf://" in caught.value.fix


def test_the_answer_is_remembered_unless_it_may_change(tmp_path):
    asked: list[str] = []
    (tmp_path / "rows.jsonl").write_text("{}\n")

    def ask(question: Any) -> dict[str, Any]:
        asked.append(question.settings["address"])
        return {"path": str(tmp_path / "rows.jsonl"), "revision": "1", "size": 3}

    planner: Any = SimpleNamespace(base=tmp_path, memory={}, installed=lambda kind: SOURCES, ask=ask)
    for text in ("shelf://a", "shelf://a", "shelf+press://a", "shelf+press://a"):
        assert local(text, planner).path == tmp_path / "rows.jsonl"
    assert asked == ["shelf://a", "shelf+press://a", "shelf+press://a"]
    (tmp_path / "rows.jsonl").unlink()
    local("shelf://a", planner)
    assert asked[3:] == ["shelf://a"], "what was deleted from the cache is brought again"


def test_a_plan_reads_an_address_as_it_reads_a_file(planner, world, tmp_path):
    (tmp_path / "fetched.jsonl").write_text('{"ask": "q", "reply": "s"}\n' * 4)

    def ask(step: Any, files: Any) -> dict[str, Any]:
        if "dataset_source" in step.choices:
            return {"path": str(tmp_path / "fetched.jsonl"), "revision": "1", "size": 9}
        from tunesmith_data.formats.detection import by_schema

        return by_schema(files["file"], step.choices["dataset_format"].record, step.settings["columns"], {}).to_json()

    source = ("dataset_source", Provider("shelf", "a shelf", ABSENT, facts={"schemes": ["shelf"]}))
    plan = planner(
        'model: shelf://m\nsteps: {tune: {teach: echo, adapter: tilt, data: {path: "shelf://rows?x=[*]", '
        "columns: {question: ask, solution: reply}}}}",
        world(extra=[source]), ask=ask,
    )  # fmt: skip
    (prepare,) = [step for step in plan.steps if step.verb.name == "prepare"]
    assert prepare.inputs["file"].file == tmp_path / "fetched.jsonl"
    assert "all 4 rows of shelf://rows?x=[*] fit" in " ".join(decision.reason for decision in plan.decisions)


class TestDirectory:
    def test_each_text_is_a_row_with_the_folder_as_its_label(self, brought, tmp_path):
        for name, text in {"ham/1.txt": "hello", "spam/2.md": "buy", "spam/.hidden.txt": "no", "spam/empty.txt": " "}.items():
            (tmp_path / "mail" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "mail" / name).write_text(text)
        meta, rows = brought(Directory(), "mail")
        assert rows == [{"text": "hello", "label": "ham", "file": "ham/1.txt"}, {"text": "buy", "label": "spam", "file": "spam/2.md"}]
        (tmp_path / "mail/ham/1.txt").write_text("goodbye")
        assert brought(Directory(), "mail")[0]["path"] != meta["path"]

    def test_texts_without_folders_have_no_label(self, brought, tmp_path):
        (tmp_path / "a.txt").write_text("\ufeffone")
        assert brought(Directory(), ".")[1] == [{"text": "one", "file": "a.txt"}]

    def test_pictures_come_with_what_is_said_of_them(self, brought, tmp_path):
        for folder in ("captions", "metadata", "labels/cat", "labels/dog"):
            (tmp_path / folder).mkdir(parents=True)
            (tmp_path / folder / "1.png").write_bytes(PNG)
        (tmp_path / "captions/1.txt").write_text("A cat.\n")
        (tmp_path / "metadata/metadata.jsonl").write_text('{"file_name": "1.png", "question": "What?", "answer": "A cat."}\n')
        meta, rows = brought(Directory(), "captions")
        assert rows == [{"image": "1.png", "caption": "A cat."}]
        assert (Path(meta["path"]).parent / "1.png").read_bytes() == PNG
        assert brought(Directory(), "metadata")[1] == [{"image": "1.png", "question": "What?", "answer": "A cat."}]
        assert [row["label"] for row in brought(Directory(), "labels")[1]] == ["cat", "dog"]

    @pytest.mark.parametrize(
        ("name", "data", "said"),
        [
            ("a.jsonl", b"{}", "**/*.jsonl"),
            ("a.pdf", b"?", "Name another"),
            ("a.txt", b"\xff\xfe\x00", "UTF-8"),
            ("metadata.csv", b"x\ny\n", ""),
        ],
    )
    def test_a_directory_of_something_else_is_told(self, brought, tmp_path, name, data, said):
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / name).write_bytes(data)
        if name.startswith("metadata"):
            (tmp_path / "d/1.png").write_bytes(PNG)
            said = "file_name"
        with pytest.raises(UserError, match="TS-DATA-006") as caught:
            brought(Directory(), "d")
        assert said in f"{caught.value.what} {caught.value.fix}"


class TestSql:
    @pytest.fixture(autouse=True)
    def shop(self, tmp_path):
        with sqlite3.connect(tmp_path / "shop.db") as connection:
            connection.execute('CREATE TABLE "odd ""name" (question TEXT, stars INTEGER, score REAL, raw BLOB)')
            connection.executemany('INSERT INTO "odd ""name" VALUES (?, ?, ?, ?)', [("a", 1, 0.5, b"\0"), ("b", 2, None, None)])
        connection.close()

    @pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
    def test_a_table_and_a_query_give_rows(self, brought, tmp_path, scheme):
        place = f"{scheme}:///shop.db" if scheme == "sqlite" else f"{scheme}:///{tmp_path}/shop.db"
        every = [{"question": "a", "stars": 1, "score": 0.5, "raw": "AA=="}, {"question": "b", "stars": 2, "score": None, "raw": None}]
        query = '?query=SELECT question, stars FROM "odd ""name" WHERE stars %3E 1'
        assert brought(Sql(), f'{place}?table=odd "name')[1] == every
        assert brought(Sql(), place + query)[1] == [{"question": "b", "stars": 2}]

    @pytest.mark.parametrize(
        ("address", "code", "said"),
        [
            ("sqlite:///shop.db", "TS-DATA-090", "table=NAME"),
            ("sqlite:///shop.db?table=nothing", "TS-DATA-090", "nothing"),
            ("sqlite:///shp.db?table=x", "TS-DATA-001", "shop.db"),
            ('sqlite:///shop.db?query=DELETE FROM "odd ""name"', "TS-DATA-090", "not authorized"),
            ("sqlite:///shop.db?query=ATTACH 'other.db' AS other", "TS-DATA-090", "not authorized"),
            ("sqlite:///shop.db?query=SELECT 1; SELECT 2", "TS-DATA-090", "one statement"),
            ("sqlite:///shop.db?query=SELEC 1", "TS-DATA-090", "syntax"),
            ("sqlite:///rows.txt?table=x", "TS-DATA-006", "not a database"),
            ("postgresql://me:secret@host/db?table=x", "TS-DATA-090", "TUNESMITH_SQL_PASSWORD"),
            ("sqlite+pysqlite:///shop.db?query=DROP TABLE x", "TS-DATA-090", "SELECT or WITH"),
        ],
    )
    def test_what_can_t_be_read_is_told_and_nothing_is_written(self, brought, tmp_path, address, code, said):
        (tmp_path / "rows.txt").write_text("plain text, and more of it than a header has, so that it is looked at")
        before = (tmp_path / "shop.db").read_bytes()
        with pytest.raises(UserError) as caught:
            brought(Sql(), address)
        assert caught.value.code == code
        assert said in f"{caught.value.what} {caught.value.why} {caught.value.fix}"
        assert "secret" not in str(caught.value)
        assert (tmp_path / "shop.db").read_bytes() == before
        assert not (tmp_path / "other.db").exists()


def test_a_picture_in_a_column_of_a_table_is_one_that_rows_can_name(tmp_path):
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, which writes the table")
    import pyarrow as arrow

    pyarrow.write_table(arrow.table({"image": [{"bytes": PNG, "path": "1.png"}], "caption": ["A cat."]}), tmp_path / "rows.parquet")
    (line,) = read_file(tmp_path / "rows.parquet")
    assert line.row["image"]["url"].startswith("data:image/png;base64,")
    assert json.loads(json.dumps(line.row))
