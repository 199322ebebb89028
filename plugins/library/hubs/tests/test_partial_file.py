"""A file in parts is right in the end, whatever the order, the interruptions, and the damage in between."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith_hubs.download.partial_file import PartFile

CONTENT = bytes(range(256)) * 4 + b"the end"


def write_some(file: PartFile, index: int, count: int) -> None:
    part = file.parts[index % len(file.parts)]
    at = part.start + part.done
    data = CONTENT[at : min(at + count, part.end)]
    if data:
        file.write(part, data)


EVENTS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 20), st.integers(1, 200)),
    st.tuples(st.just("die"), st.just(0), st.just(0)),
    st.tuples(st.just("lose bytes"), st.integers(0, len(CONTENT) - 20), st.integers(1, 20)),
    st.tuples(st.just("cut the records"), st.integers(0, 100), st.just(0)),
)


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 1200), st.lists(EVENTS, max_size=25))
def test_it_ends_complete_and_right_after_any_history(part_size, events):
    folder = Path(tempfile.mkdtemp())
    file = PartFile(folder / "x", len(CONTENT), part_size)
    for kind, at, count in events:
        if kind == "write":
            write_some(file, at, count)
            continue
        file.close()
        if kind == "lose bytes":
            with (folder / "x").open("r+b") as raw:
                raw.seek(at)
                raw.write(bytes(count))
        if kind == "cut the records":
            with file.records.open("r+b") as raw:
                raw.truncate(at)
        file = PartFile(folder / "x", len(CONTENT), part_size)
        for part in file.parts:
            on_disk = (folder / "x").read_bytes()[part.start : part.start + part.done]
            assert on_disk == CONTENT[part.start : part.start + part.done]
    for part in file.parts:
        write_some(file, part.index, part.end - part.start - part.done)
    assert file.done == len(CONTENT)
    file.finish(folder / "whole")
    assert (folder / "whole").read_bytes() == CONTENT
    assert sorted(path.name for path in folder.iterdir()) == ["whole"]
    shutil.rmtree(folder)


def test_a_part_takes_no_more_than_it_has_room_for(tmp_path):
    file = PartFile(tmp_path / "x", 10, 4)
    with pytest.raises(ValueError, match="more bytes"):
        file.write(file.parts[0], b"12345")
    file.close()


def test_it_keeps_the_size_of_parts_that_it_began_with(tmp_path):
    PartFile(tmp_path / "x", 10, 4).close()
    file = PartFile(tmp_path / "x", 10, 3)
    assert [part.end for part in file.parts] == [4, 8, 10]
    file.close()
    other = PartFile(tmp_path / "x", 11, 3)
    assert [part.end for part in other.parts] == [3, 6, 9, 11]
    other.close()
