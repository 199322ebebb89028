"""`tunesmith store`: what is there, and whether it is whole."""

from __future__ import annotations

from tunesmith.running.store import verification
from tunesmith.running.store.store import Store

TAUGHT = ("echo", "--model", "shelf://hello", "--data", "rows.jsonl")


def rot(world, format):
    """Flip a byte of the artifact of a format, as a disk does it: nothing tells. Its digest."""
    store = Store(world.folder / ".tunesmith")
    digest = next(digest for digest in store.digests() if store.record(digest)["format"] == format)
    name = next(iter(store.record(digest)["files"]))
    file = store.path(digest) / "files" / name
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    verification.seal(store.path(digest), store.path(digest) / "files", store.record(digest)["files"])
    return digest


def test_artifacts_are_listed_and_measured(world):
    assert "no artifacts" in world("store", "ls").out
    assert world(*TAUGHT).status == 0
    listed = world("store", "ls", "--json").json
    assert {one["format"] for one in listed} >= {"dataset/chat"}
    assert all(one["whole"] and one["bytes"] > 0 for one in listed)
    assert listed[0]["digest"][7:19] in world("store", "ls").out
    assert "dataset/chat" in world("store", "du").out
    assert world("store", "du", "--json").json["artifacts"]["dataset/chat"] == sum(
        one["bytes"] for one in listed if one["format"] == "dataset/chat"
    )


def test_damage_is_found_taken_out_and_made_again(world):
    world(*TAUGHT)
    assert world("store", "verify").status == 0
    digest = rot(world, "dataset/chat")
    assert "nothing to do" in world(*TAUGHT, "--plan").out.lower(), "nothing tells of it"
    told = world("store", "verify")
    assert told.status == 1
    assert digest[7:19] in told.out
    assert "has changed" in told.out
    assert world("store", "verify").status == 0
    assert world(*TAUGHT).status == 0
    assert digest in {one["digest"] for one in world("store", "ls", "--json").json}
    assert "damaged" in world("store", "du").out


def test_a_copy_is_made_of_what_is_whole_only(world):
    world(*TAUGHT, "--output", "first")
    made = Store(world.folder / ".tunesmith")
    kind = next(made.record(d)["format"] for d in made.digests() if made.record(d)["producer"].get("verb") not in ("download", "prepare"))
    rot(world, kind)
    told = world(*TAUGHT, "--output", "second")
    assert (told.status, "TS-STORE-002" in told.err) == (1, True)
    assert not (world.folder / "second").exists()
    assert world(*TAUGHT, "--output", "second").status == 0
    for file in (world.folder / "first").iterdir():
        assert (world.folder / "second" / file.name).read_bytes() == file.read_bytes()


def test_one_artifact_may_be_named(world):
    world(*TAUGHT)
    digest = rot(world, "dataset/chat")
    other = next(one["digest"] for one in world("store", "ls", "--json").json if one["digest"] != digest)
    assert world("store", "verify", other[7:15]).status == 0
    (damaged,) = world("store", "verify", digest[7:15], "--json").json["damaged"]
    assert damaged["digest"] == digest
    told = world("store", "verify", "nothing")
    assert (told.status, "TS-CLI-018" in told.err) == (2, True)
