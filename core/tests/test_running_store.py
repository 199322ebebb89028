"""The store: equal content has one digest, a half-written artifact is never seen, damage is noticed."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tunesmith.errors import TunesmithError
from tunesmith.running.store import store as store_module
from tunesmith.running.store import verification
from tunesmith.running.store.store import Store


def put(store: Store, files: dict[str, str], **facts) -> object:
    staging = store.stage()
    for name, text in files.items():
        path = staging / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return store.commit(staging, format=facts.pop("format", "thing/plain"), **facts)


def test_equal_content_has_one_digest_and_other_content_another(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = put(store, {"a": "1", "deep/b": "2"})
    assert put(Store(tmp_path / "other"), {"deep/b": "2", "a": "1"}).digest == first.digest
    others = [put(store, {"a": "1"}), put(store, {"a": "1", "deep/b": "3"}), put(store, {"a": "1", "deep/c": "2"})]
    others.append(put(store, {"a": "1", "deep/b": "2"}, format="thing/other"))
    assert len({first.digest, *(o.digest for o in others)}) == 5
    assert (first.path / "deep" / "b").read_text() == "2"


def test_what_was_told_is_given_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base = put(store, {"w": "0"})
    artifact = put(store, {"a": "1"}, refs={"base": base.digest}, meta={"rows": 3}, producer={"name": "p"}, inputs={"from": base.digest})
    again = Store(tmp_path).get(artifact.digest)
    assert again == artifact
    assert again.refs["base"] == base
    assert again.meta == {"rows": 3}
    assert again.producer == {"name": "p"}
    assert artifact.digest != put(store, {"a": "1"}).digest
    assert store.size(artifact.digest) == 1


def test_files_are_read_only_and_staging_is_empty_after_a_commit(tmp_path: Path) -> None:
    store = Store(tmp_path)
    artifact = put(store, {"a": "1", "empty/dir/x": "y"})
    assert (artifact.path / "a").stat().st_mode & 0o222 == 0
    assert list((tmp_path / "staging").iterdir()) == []


def test_the_same_artifact_from_many_makers_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(lambda _: put(Store(tmp_path), {"a": "1", "b": "2"}).digest, range(24)))
    assert len(set(digests)) == 1
    Store(tmp_path).verify(digests[0])
    assert list((tmp_path / "staging").iterdir()) == []


def test_an_artifact_with_a_missing_ref_is_not_given(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base = put(store, {"w": "0"})
    artifact = put(store, {"a": "1"}, refs={"base": base.digest})
    store.set_aside(base.digest)
    assert store.get(artifact.digest) is None
    with pytest.raises(TunesmithError, match="TS-STORE-002"):
        put(store, {"b": "1"}, refs={"base": base.digest})


def _damage_content(path: Path) -> None:
    path.chmod(0o644)
    path.write_text("9")


def _damage_size(path: Path) -> None:
    path.chmod(0o644)
    path.write_text("11")


@pytest.mark.parametrize("damage", [_damage_content, _damage_size, Path.unlink], ids=["content", "size", "missing"])
def test_damage_is_noticed_and_fixed_by_making_it_again(tmp_path: Path, damage) -> None:
    store = Store(tmp_path)
    artifact = put(store, {"a": "1"})
    damage(artifact.path / "a")
    assert "file a" in store.problem(artifact.digest)
    with pytest.raises(TunesmithError, match="TS-STORE-002"):
        store.verify(artifact.digest)
    assert put(store, {"a": "1"}).digest == artifact.digest
    store.verify(artifact.digest)


@pytest.mark.parametrize("added", ["b", "deep/b", "link"])
def test_a_file_that_was_added_is_damage(tmp_path: Path, added: str) -> None:
    store = Store(tmp_path)
    artifact = put(store, {"a": "1", "deep/a": "2"})
    (artifact.path / "empty").mkdir()
    store.verify(artifact.digest)
    path = artifact.path / added
    if added == "link":
        path.symlink_to("a")
    else:
        path.write_text("3")
    assert f"without the file {added}" in store.problem(artifact.digest)
    with pytest.raises(TunesmithError, match="is damaged"):
        store.verify(artifact.digest)


def test_what_is_not_there_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(TunesmithError, match="is gone: it is not in the store") as caught:
        Store(tmp_path).verify("sha256:" + "0" * 64)
    assert "damaged" not in caught.value.what


def rot(store: Store, digest: str, name: str) -> None:
    """As a disk does it: another byte, and nothing that tells."""
    file = store.path(digest) / "files" / name
    _damage_content(file)
    verification.seal(store.path(digest), store.path(digest) / "files", store.record(digest)["files"])


def test_a_file_written_to_is_noticed_though_its_time_is_put_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    artifact = put(store, {"a": "1"})
    stat = (artifact.path / "a").stat()
    _damage_content(artifact.path / "a")
    os.utime(artifact.path / "a", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "content of its file a has changed" in store.problem(artifact.digest)


def test_a_byte_that_flips_on_the_disk_is_found_by_reading(tmp_path: Path) -> None:
    store = Store(tmp_path)
    artifact = put(store, {"a": "1", "b": "1"})
    rot(store, artifact.digest, "a")
    assert store.problem(artifact.digest) == ""
    assert "content of its file a has changed" in store.problem(artifact.digest, 2)
    with pytest.raises(TunesmithError, match="content of its file a has changed"):
        store.verify(artifact.digest)


def test_what_may_be_read_is_bounded_and_goes_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    first, second = put(store, {name: name * 10 for name in "abc"}), put(store, {"d": "d" * 25})
    read: list[str] = []
    real = verification.files_sha256
    monkeypatch.setattr(verification, "files_sha256", lambda paths, **more: real([read.append(p.name) or p for p in paths], **more))
    for _ in range(4):
        assert store.problems((first.digest, second.digest), 15) == {}
        read.append("|")
    rounds = "".join(read).split("|")
    assert set(rounds[0] + rounds[1]) == set("abcd"), "those that were not read for longest come first"
    assert all(len(files) <= 2 for files in rounds)
    read.clear()
    assert store.problems((first.digest, second.digest)) == {}
    assert read == []


def test_a_file_that_can_not_be_read_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> str:
        raise OSError(errno.EIO, "Input/output error")

    store = Store(tmp_path)
    artifact = put(store, {"a": "1"})
    monkeypatch.setattr("tunesmith.running.store.hashing.file_sha256", broken)
    assert "can not be read" in store.problem(artifact.digest, 1)


def _edit(text: str) -> str:
    return json.dumps(json.loads(text) | {"meta": {"rows": 4}})


@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", "", "{", "[" * 100_000, '{"files": {"a": 5}}', '{"format": 1, "files": [], "refs": []}', _edit]
)
def test_a_record_that_is_not_what_was_written_is_damage(tmp_path: Path, text) -> None:
    store = Store(tmp_path)
    artifact = put(store, {"a": "1"}, meta={"rows": 3})
    path = artifact.path.parent / "artifact.json"
    path.chmod(0o644)
    path.write_text(text(path.read_text()) if callable(text) else text)
    assert "artifact.json" in store.problem(artifact.digest)
    assert (store.record(artifact.digest), store.get(artifact.digest), store.size(artifact.digest)) == (None, None, 0)
    assert put(store, {"a": "1"}, meta={"rows": 3}).digest == artifact.digest
    store.verify(artifact.digest)
    assert len(list((tmp_path / "damaged").iterdir())) == 1, "what was there is not lost"


def test_a_copied_store_is_believed_after_hashing(tmp_path: Path) -> None:
    import shutil

    artifact = put(Store(tmp_path / "a"), {"a": "1"})
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copy = Store(tmp_path / "b")
    assert copy.problem(artifact.digest) == ""
    _damage_content(copy.path(artifact.digest) / "files" / "a")
    assert copy.problem(artifact.digest)


def test_equal_bytes_made_again_take_the_place_of_those_that_rotted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    artifact = put(store, {"a": "1"})
    rot(store, artifact.digest, "a")
    put(store, {"a": "1"})
    store.verify(artifact.digest)


def test_every_maker_of_equal_bytes_is_told_of_itself(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = put(store, {"a": "1"}, producer={"name": "p"}, meta={"by": "p"})
    second = put(store, {"a": "1"}, producer={"name": "q"}, meta={"by": "q"})
    assert first.digest == second.digest
    assert (first.producer, second.producer, second.meta) == ({"name": "p"}, {"name": "q"}, {"by": "q"})
    assert list(store.digests()) == [first.digest]


def test_a_link_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    staging = store.stage()
    (staging / "files" / "a").symlink_to("/etc/hostname")
    with pytest.raises(TunesmithError, match="TS-STORE-003"):
        store.commit(staging, format="thing/plain")
    assert not staging.exists()


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = Store(tmp_path)
    monkeypatch.setattr(store_module, "make_durable", full_disk)
    with pytest.raises(TunesmithError) as caught:
        put(store, {"a": "1"})
    assert caught.value.code == "TS-STORE-001"
    assert "--home" in caught.value.fix
    assert list((tmp_path / "staging").iterdir()) == []


def test_leftovers_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from tunesmith.running.store.store import Store;"
        "s = Store(pathlib.Path(sys.argv[1])).stage(); (s / 'files' / 'half').write_text('x'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    store = Store(tmp_path)
    mine = store.stage()
    theirs = Store(tmp_path).stage()
    assert store.staging.sweep() == 1
    assert mine.is_dir()
    assert theirs.is_dir()
    store.discard(mine)
