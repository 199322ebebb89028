"""Digests of files: remembered while a file looks untouched, never believed for longer; notes that were damaged are as good as none."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import digests as files_module
from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith.contracts.digests import FileDigests, looks, settled


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read, on a file system whose clock tells every change."""
    read: list[Path] = []
    real = files_module.file_sha256
    monkeypatch.setattr(files_module, "file_sha256", lambda path, tick=None: (read.append(path), real(path, tick))[1])
    monkeypatch.setattr(files_module, "SETTLED", -60.0)
    return read


def overwrite(file: Path, text: str) -> None:
    """In place, with the same inode, size and modification time."""
    stat = file.stat()
    with open(file, "r+") as opened:
        opened.write(text)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_digest_is_remembered_until_the_file_looks_touched(tmp_path: Path, hashed: list[Path]) -> None:
    file = tmp_path / "rows"
    file.write_text("a")
    first = FileDigests(tmp_path / "notes")(file)
    assert FileDigests(tmp_path / "notes")(file) == first
    assert len(hashed) == 1
    file.write_text("bb")
    assert FileDigests(tmp_path / "notes")(file) != first


def test_a_change_in_place_is_seen_by_the_change_time(tmp_path: Path, hashed: list[Path]) -> None:
    file = tmp_path / "rows"
    file.write_text("a")
    digests = FileDigests(tmp_path / "notes")
    first = digests(file)
    overwrite(file, "b")
    assert digests(file) != first
    assert FileDigests(tmp_path / "notes")(file) == digests(file)


def test_a_change_time_alone_makes_it_hash_again_and_nothing_more(tmp_path: Path, hashed: list[Path]) -> None:
    file = tmp_path / "rows"
    file.write_text("a")
    first = FileDigests(tmp_path / "notes")(file)
    file.chmod(0o600)
    file.chmod(0o644)
    assert FileDigests(tmp_path / "notes")(file) == first
    assert len(hashed) == 2


def test_refreshed_or_forgotten_it_is_read_again(tmp_path: Path, hashed: list[Path]) -> None:
    file = tmp_path / "rows"
    file.write_text("a")
    digests = FileDigests(tmp_path / "notes")
    digests(file)
    fresh = FileDigests(tmp_path / "notes", refresh=True)
    assert fresh(file) == fresh(file) == digests(file)
    assert len(hashed) == 2, "once for each that was asked to"
    digests.forget(file)
    digests(file)
    assert len(hashed) == 3


def test_a_file_touched_just_now_is_not_trusted_to_stay(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_text("a")
    digests = FileDigests(tmp_path / "notes")
    seen = digests.seen(file)
    assert digests.holds(seen)
    assert not (tmp_path / "notes").exists()
    assert settled(looks(file), time.time() + 60)


def test_what_was_touched_while_it_was_read_does_not_hold_though_it_is_as_before(tmp_path: Path, hashed: list[Path]) -> None:
    file = tmp_path / "rows"
    file.write_text("a")
    digests = FileDigests(tmp_path / "notes")
    seen = digests.seen(file)
    assert digests.holds(seen)
    overwrite(file, "b")
    overwrite(file, "a")
    assert not digests.holds(seen)
    file.unlink()
    assert not digests.holds(seen)


def test_a_directorys_digest_is_of_names_and_contents(tmp_path: Path, hashed: list[Path]) -> None:
    digests, folder = FileDigests(tmp_path / "notes"), tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "x").write_text("1")
    first = digests(folder)
    (folder / "deep" / "x").rename(folder / "deep" / "y")
    assert digests(folder) != first
    (folder / "deep" / "y").rename(folder / "deep" / "x")
    assert digests(folder) == first
    overwrite(folder / "deep" / "x", "2")
    assert digests(folder) != first


PLAIN = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_note_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "a-note"
    write_note(path, value)
    assert read_note(path) == value


@given(st.data())
def test_a_note_with_a_flipped_bit_is_none(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "a-damaged-note"
    write_note(path, {"digest": "sha256:12", "looks": [1, 2, 3]})
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    assert read_note(path) in (None, {"digest": "sha256:12", "looks": [1, 2, 3]})


def test_what_is_no_note_is_none(tmp_path: Path) -> None:
    for text in ("", "{}", "[]", "null", "[" * 100_000, '{"note": 1, "sha256": 2}'):
        (tmp_path / "note").write_text(text)
        assert read_note(tmp_path / "note") is None
    assert read_note(tmp_path / "absent") is None
