"""A dataset holds the media that its rows name, each once and by its content; whoever reads it finds them."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import CONVERSATIONS, message, read_rows
from tunesmith_data.check.verdict import judge
from tunesmith_data.settings import PrepareSettings
from tunesmith_data.verbs import prepare


class Shown:
    """A dataset format: ``{"shown": [reference, ...]}``; what is called a film is one."""

    def convert(self, row: Any) -> Any:
        parts = [
            {"type": "video" if "film" in name else "image", "url" if "://" in name or "data:" in name else "path": name}
            for name in row["shown"]
        ]
        return {"messages": [message("user", [{"type": "text", "text": "What?"}, *parts]), message("assistant", "That.")]}


def prepared(folder: Path, *rows: str, name: str = "output", roots: Sequence[Path] = ()) -> tuple[Any, Path]:
    (folder / "rows.jsonl").write_text("".join(f'{{"shown": [{row}]}}\n' for row in rows))
    (folder / name).mkdir()
    step = WorkerStep(
        name="it", output=folder / name, work=folder, providers={"dataset_format": Shown()}, settings=PrepareSettings(),
        inputs={"file": Artifact("file", folder / "rows.jsonl")}, roots=roots,
    )  # fmt: skip
    return prepare.run(step), folder / name


def shown(directory: Path) -> list[Path]:
    return [Path(part["path"]) for row in read_rows(directory) for part in row["messages"][0]["content"][1:]]


class Answered:
    """Rows with a picture in each conversation that a row may hold."""

    def convert(self, row: Any) -> Any:
        return {key: [message("user", [{"type": "image", "path": row["picture"]}])] for key in CONVERSATIONS}


def test_the_pictures_of_every_conversation_of_a_row_are_kept(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "rows.jsonl").write_text('{"picture": "a.png"}\n')
    (tmp_path / "output").mkdir()
    step = WorkerStep(
        name="it", output=tmp_path / "output", work=tmp_path, providers={"dataset_format": Answered()}, settings=PrepareSettings(),
        inputs={"file": Artifact("file", tmp_path / "rows.jsonl")},
    )  # fmt: skip
    assert prepare.run(step).meta["media"] == 1
    (row,) = read_rows(tmp_path / "output")
    assert {Path(row[key][0]["content"][0]["path"]).parent for key in CONVERSATIONS} == {tmp_path / "output" / "media"}


def test_pictures_are_found_from_the_rows_wherever_the_step_runs(tmp_path, monkeypatch):
    rows, elsewhere = tmp_path / "rows", tmp_path / "elsewhere"
    for folder in (rows / "pictures", elsewhere):
        folder.mkdir(parents=True)
    (rows / "pictures" / "a.PNG").write_bytes(b"a")
    monkeypatch.chdir(elsewhere)
    result, output = prepared(rows, '"pictures/a.PNG"', f'"{rows}/pictures/../pictures/a.PNG"', f'"file://{rows}/pictures/a.PNG"')
    assert result.meta["media"] == 1
    assert set(shown(output)) == {output / "media" / (hashlib.sha256(b"a").hexdigest() + ".png")}
    os.rename(output, elsewhere / "moved")
    assert [path.read_bytes() for path in shown(elsewhere / "moved")] == [b"a"] * 3


@pytest.mark.parametrize("named", ["{outside}", "../secret", "file://{outside}", "link", "links/secret", "sub/../link", "film"])
def test_a_row_can_name_no_file_outside_of_its_folder(tmp_path, named):
    rows, outside = tmp_path / "rows", tmp_path / "secret"
    (rows / "film").mkdir(parents=True)
    (rows / "sub").mkdir()
    outside.write_text("token")
    (rows / "link").symlink_to(outside)
    (rows / "links").symlink_to(tmp_path)
    (rows / "film" / "0.png").symlink_to(outside)
    with pytest.raises(TunesmithError) as refused:
        prepared(rows, f'"{named.format(outside=outside)}"')
    assert refused.value.code == "TS-DATA-065"
    assert not list((rows / "output").rglob("*.png"))
    result, _ = prepared(rows, f'"{named.format(outside=outside)}"', name="again", roots=[tmp_path])
    assert result.meta["media"] == 1, "a declared root"


def test_in_a_hubs_cache_the_files_are_links_to_its_blobs(tmp_path):
    entry = tmp_path / "datasets--a--b"
    rows = entry / "snapshots" / "c0ffee"
    rows.mkdir(parents=True)
    (entry / "blobs").mkdir()
    (entry / "blobs" / "5f").write_bytes(b"a")
    (rows / "a.png").symlink_to("../../blobs/5f")
    result, output = prepared(rows, '"a.png"')
    assert result.meta["media"] == 1
    assert [path.suffix for path in shown(output)] == [".png"]
    (entry / "blobs" / "5f").unlink()
    (entry / "blobs" / "5f").symlink_to("/etc/hostname")
    with pytest.raises(TunesmithError, match="TS-DATA-065"):
        prepared(rows, '"a.png"', name="again")


def test_a_medium_that_never_ends_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(TunesmithError, match="TS-DATA-061") as refused:
        prepared(tmp_path, '"pipe.png"')
    assert "it is a FIFO" in refused.value.why


def test_what_a_row_holds_itself_becomes_a_file(tmp_path):
    data = base64.b64encode(b"GIF89a").decode()
    _, output = prepared(tmp_path, f'"data:image/gif;base64,{data}"')
    (path,) = shown(output)
    assert path.suffix == ".gif"
    assert path.read_bytes() == b"GIF89a"


def test_a_folder_of_pictures_is_one_medium(tmp_path):
    for name in ("film", "film again"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.png").write_bytes(b"%d" % number)
    result, output = prepared(tmp_path, '"film", "film again"')
    assert result.meta["media"] == 1
    assert [file.read_bytes() for file in sorted(shown(output)[0].iterdir())] == [b"0", b"1", b"2"]


def test_rows_of_text_are_written_as_they_are(tmp_path):
    result, output = prepared(tmp_path, "")
    assert "media" not in result.meta
    assert os.listdir(output) == ["rows.jsonl"]


def test_a_prepared_dataset_can_be_prepared_again(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    _, output = prepared(tmp_path, '"a.png"')
    (path,) = shown(output)
    (tmp_path / "a.png").unlink()
    _, again = prepared(output, f'"media/{path.name}"', name="again")
    assert shown(again)[0].read_bytes() == b"a"


@pytest.mark.parametrize(("reference", "code", "why"), [
    ("absent.png", "TS-DATA-061", ""), ("https://example.org/a.png", "TS-DATA-063", ""), ("data:image/png;base64,?", "TS-DATA-022", ""),
    ("data:image/png;base64,", "TS-DATA-022", ""), ("data:image/png;base64,\u00e4", "TS-DATA-022", ""), ("data:", "TS-DATA-022", ""),
    ("empty.png", "TS-DATA-060", "it is empty"), ("pictures", "TS-DATA-060", "it is a folder"), ("film", "TS-DATA-061", "without files"),
    ("pointer.png", "TS-DATA-060", "Git LFS"), ("page.png", "TS-DATA-060", "HTML"), ("pipe.png", "TS-DATA-061", "it is a FIFO"),
])  # fmt: skip
def test_what_cannot_be_had_is_told_with_its_line_before_the_step_as_in_it(tmp_path, reference, code, why):
    for name, content in {"empty.png": "", "pictures/0.png": "0", "pointer.png": "version https://git-lfs\n", "page.png": "<HTML>"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "film").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(TunesmithError) as caught:
        prepared(tmp_path, "", f'"{reference}"')
    assert (caught.value.code, why in caught.value.why) == (code, True)
    assert "rows.jsonl:2:" in caught.value.what
    told = judge(tmp_path / "rows.jsonl", {}, {}, Shown().convert)
    assert [(one.line, one.code, one.why) for one in told.broken] == [(2, code, caught.value.why)]
    assert told.rows == 1


def test_rows_with_media_are_counted_by_their_type(tmp_path):
    (tmp_path / "a.png").write_text("a")
    (tmp_path / "film.gif").write_text("a")
    prepared(tmp_path, '"a.png", "a.png"', '"a.png", "film.gif"', "")
    assert judge(tmp_path / "rows.jsonl", {}, {}, Shown().convert).media == {"image": 2, "video": 1}
