"""`tunesmith store gc` and pins, `tunesmith runs prune`: what can go, what is held, and that what went is made again."""

from __future__ import annotations

import pytest

from tunesmith.running.journal.journal import Journal
from tunesmith.running.store.store import Store
from tunesmith_cli.store_gc.garbage import Collector
from tunesmith_cli.store_gc.pins import pin

TAUGHT = ("echo", "--model", "shelf://hello", "--data", "rows.jsonl")


def listed(world):
    return {one["digest"] for one in world("store", "ls", "--json").json}


def test_what_runs_hold_stays_and_nothing_is_deleted_without_a_yes(world):
    world(*TAUGHT)
    before = listed(world)
    assert "Nothing can go" in world("store", "gc").out
    world("runs", "prune", "--keep", "0", "--yes")
    asked = world("store", "gc")
    assert "`--yes` does" in asked.out
    assert set(world("store", "gc", "--json").json["artifacts"]) == before == listed(world)


def test_what_went_is_made_again_by_the_run_that_needs_it(world):
    world(*TAUGHT)
    before = listed(world)
    assert world("runs", "prune", "--keep", "0", "--yes").status == 0
    assert world("runs", "list", "--json").json == []
    told = world("store", "gc", "--yes", "--json").json
    assert (set(told["artifacts"]), told["deleted"], told["bytes"] > 0) == (before, True, True)
    assert listed(world) == set()
    again = world(*TAUGHT)
    assert again.status == 0
    assert "make it again" not in again.out
    assert listed(world) == before


def test_a_pin_outlives_the_runs(world):
    world(*TAUGHT)
    kept = sorted(listed(world))[0]
    assert world("store", "pin", kept[7:20], "--because", "it serves").status == 0
    world("runs", "prune", "--keep", "0", "--yes")
    world("store", "gc", "--yes")
    assert kept in listed(world)
    assert "it serves" in world("store", "pin").out
    assert world("store", "unpin", kept[7:20]).status == 0
    world("store", "gc", "--yes")
    assert listed(world) == set()
    assert world("store", "unpin", kept[7:20]).status == 2


def test_prune_keeps_the_newest_of_each_pipeline(world):
    for _ in range(3):
        world(*TAUGHT)
    runs = [one["id"] for one in world("runs", "list", "--json").json]
    assert world("runs", "prune", "--keep", "1", "--json").json == {"runs": runs[1:], "deleted": False}
    assert world("runs", "prune", "--keep", "1", "--yes", "--json").json["deleted"]
    assert [one["id"] for one in world("runs", "list", "--json").json] == runs[:1]
    assert world("runs", "prune", "--older-than", "1d", "--json").json["runs"] == []


@pytest.mark.parametrize("option", [("--older-than", "soon"), ("--max-size", "much")])
def test_what_is_no_age_or_size_is_refused(world, option):
    assert world("store", "gc", *option).status == 2


def artifact(store, text, refs=None):
    staging = store.stage()
    (staging / "files" / "text").write_text(text)
    return store.commit(staging, format="numbers/plain", refs=refs).digest


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def ran(journal, run, **steps):
    journal.begin_run(run, "tiny", "", list(steps))
    for step, digest in steps.items():
        journal.end_step(run, step, "done", artifact=digest)
    journal.end_run(run, "done")


def test_what_an_artifact_refers_to_is_held_with_it(home):
    store, journal = Store(home), Journal(home)
    base = artifact(store, "base")
    top, lost = artifact(store, "top", {"base": base}), artifact(store, "lost")
    ran(journal, "one", a=top)
    assert list(Collector(home, journal).find().artifacts) == [lost]
    assert list(Collector(home, journal, since=2**40).find().artifacts) in ([top, lost, base], [lost, top, base])


def test_for_want_of_room_what_was_used_longest_ago_goes_and_never_what_is_referred_to(home):
    store, journal = Store(home), Journal(home)
    base = artifact(store, "b" * 100)
    top = artifact(store, "t" * 10, {"base": base})
    new, pinned = artifact(store, "n" * 10), artifact(store, "p" * 10)
    ran(journal, "1", a=base, p=pinned)
    ran(journal, "2", b=top)
    ran(journal, "3", c=new)
    pin(home, pinned, "")
    collector = Collector(home, journal, most=30)
    assert list(collector.find().artifacts) == [top, base]
    gone = collector.collect(collector.find())
    assert set(store.digests()) == {new, pinned}
    assert (gone.bytes, journal.runs()[0].state) == (110, "done")
    assert not (home / "trash").exists()


def test_begun_work_of_runs_that_are_gone_can_go(home):
    journal = Journal(home)
    for key in ("kept", "lost"):
        (home / "work" / key).mkdir(parents=True)
        (home / "work" / key / "checkpoint").write_text("12345")
    journal.begin_run("one", "tiny", "", ["a"])
    journal.begin_step("one", "a", "kept", 1)
    journal.end_run("one", "cancelled")
    collector = Collector(home, journal)
    assert [(folder.name, size) for folder, size in collector.find().work.items()] == [("lost", 5)]
    collector.collect(collector.find())
    assert [folder.name for folder in (home / "work").glob("*/")] == ["kept"]
