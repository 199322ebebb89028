"""Advice keeps score: predictions beside what was measured, and what follows from runs for the next recommendation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import Estimate
from tunesmith.errors import UserError
from tunesmith_recommend.evidence.correction import ENOUGH, correction
from tunesmith_recommend.evidence.entry import DISK, MEMORY, QUALITY, TIME, Entry, Grade, entries_of
from tunesmith_recommend.evidence.knowledge_base import KnowledgeBase
from tunesmith_recommend.evidence.quality import likely_quality
from tunesmith_recommend.evidence.track_record import track_record
from tunesmith_recommend.evidence.won_settings import won

SFT = {"objective": "sft", "adapter": "lora"}
RATIOS = st.lists(st.floats(0.05, 20), max_size=12)


def entry(ratio: float | None = None, *, number: int = 0, home: str = "here", what: str = TIME, **more) -> Entry:
    grades = (Grade(what, 10.0, 10.0 * ratio),) if ratio else (Grade(what, None, 3.0), Grade(DISK, 5.0, None))
    usual = {"id": f"{home}-{number}", "home": home, "finished": float(number), "verb": "train", "device": "a card", "providers": SFT}
    return Entry(**{**usual, "grades": grades, **more})


def of(entries, **more):
    return correction(entries, **{"what": TIME, "verb": "train", "device": "a card", "providers": SFT, "home": "here", **more})


# --- correction ----------------------------------------------------------------------------------------------------------------------


@given(RATIOS, st.randoms())
def test_the_factor_is_the_median_of_enough_runs_and_lies_among_them_in_whatever_order_they_come(ratios, random):
    entries = [entry(ratio, number=number) for number, ratio in enumerate(ratios)]
    found = of(entries)
    random.shuffle(entries)
    assert of(entries) == found
    if len(ratios) < ENOUGH:
        assert (found.factor, found.runs, found.known) == (1.0, 0, len(ratios))
        assert found.words.startswith("rules")
    else:
        assert found.factor == pytest.approx(median(ratios))
        assert found.low <= found.factor <= found.high
        assert found.words.startswith(f"measured: from {len(ratios)} runs here")


@given(st.lists(st.floats(0.5, 2), min_size=ENOUGH, max_size=9), st.floats(0.001, 1000))
def test_one_run_beside_a_busy_neighbour_moves_the_factor_to_no_place_outside_of_the_others(ratios, wild):
    found = of([entry(ratio, number=number) for number, ratio in enumerate([*ratios, wild])])
    assert min(ratios) - 1e-9 <= found.factor <= max(ratios) + 1e-9


@given(RATIOS, st.floats(0.1, 10))
def test_a_device_that_is_always_so_much_slower_is_corrected_by_so_much(ratios, slower):
    one = of([entry(ratio, number=number) for number, ratio in enumerate(ratios)])
    other = of([entry(ratio * slower, number=number) for number, ratio in enumerate(ratios)])
    assert other.factor == pytest.approx(one.factor * (slower if one.runs else 1.0))


@given(RATIOS)
def test_runs_on_other_devices_of_other_verbs_or_of_what_was_not_measured_say_nothing(ratios):
    others = [
        made
        for number, ratio in enumerate(ratios)
        for made in (
            entry(ratio, number=number, device="another"), entry(ratio, number=number, verb="quantize"),
            entry(ratio, number=number, what=MEMORY), entry(number=number), entry(ratio, number=number, device=""),
            entry(ratio, number=number, dtype="float32"),
        )
    ]  # fmt: skip
    assert of(others).factor == 1.0
    assert of(others, device="").factor == 1.0


def test_the_narrowest_likeness_of_which_there_are_enough_runs_counts():
    full = [entry(4.0, number=number, providers={"objective": "sft", "adapter": "full"}) for number in range(3)]
    dpo = [entry(2.0, number=10 + number, providers={"objective": "dpo", "adapter": "lora"}) for number in range(3)]
    own = [entry(1.0, number=20 + number) for number in range(2)]
    assert of([*full, *own]).factor == 4.0  # of all five: two are too few
    assert of([*full, *own, *dpo]).factor == 2.0  # the five with lora
    assert of([*full, *own, *dpo]).like == "the same device and lora"
    many = [*full, *own, *dpo, *(entry(1.0, number=30 + number) for number in range(3))]
    assert (of(many).factor, of(many).like) == (1.0, "the same device and sft and lora")


@given(st.floats(1e6, 1e12), st.floats(0.01, 100))
def test_models_of_quite_another_size_say_nothing(size, times):
    entries = [entry(60.0, number=number, model={"bytes": size * times}) for number in range(5)]
    found = of(entries, model_bytes=size)
    assert found.factor == (60.0 if 0.25 <= size * times / size <= 4.0 else 1.0)
    assert of(entries).factor == 60.0
    assert of([entry(60.0, number=number) for number in range(5)], model_bytes=size).factor == 1.0  # of unknown size


def test_it_says_how_many_of_the_runs_are_from_elsewhere():
    found = of([entry(1.0), *(entry(2.0, number=number, home="there") for number in range(3))])
    assert "from 4 runs of which 1 here" in found.words


# --- knowledge base ------------------------------------------------------------------------------------------------------------------


def documents(base: KnowledgeBase) -> list[str]:
    return [json.dumps(one.to_json(), sort_keys=True) for one in base.entries()]


def test_merging_gives_the_same_in_whatever_order_and_however_often(tmp_path):
    one, other = KnowledgeBase(tmp_path / "one"), KnowledgeBase(tmp_path / "other")
    shared = entry(1.0, number=7, home="third")
    one.add([entry(1.5, home="one"), shared])
    other.add([entry(2.0, home="other"), entry(3.0, number=2, home="other"), replace(shared, seconds=5.0)])
    assert (one.write(tmp_path / "one.jsonl"), other.write(tmp_path / "other.jsonl")) == (2, 3)
    assert one.merge(tmp_path / "other.jsonl") == 2
    assert other.merge(tmp_path / "one.jsonl") == 1
    assert documents(one) == documents(other)
    assert one.merge(tmp_path / "other.jsonl") == one.merge(tmp_path / "one.jsonl") == 0
    assert documents(one) == documents(other)
    assert one.home != other.home
    one.close()
    other.close()


@pytest.mark.parametrize("text", ["", "no JSON", '{"format": "tunesmith-knowledge", "version": 99}\n',
                                  '{"format": "tunesmith-knowledge", "version": 1}\n{"id": 3}\n'])  # fmt: skip
def test_what_is_no_export_is_refused_and_nothing_of_it_is_taken(tmp_path, text):
    (tmp_path / "odd.jsonl").write_text(text)
    with closing(KnowledgeBase(tmp_path)) as base:
        with pytest.raises(UserError, match="TS-RECOMMEND-005"):
            base.merge(tmp_path / "odd.jsonl")
        assert base.entries() == []


@pytest.mark.parametrize("odd", [
    {"finished": "yesterday"}, {"settings": {"learning_rate": "high"}}, {"grades": [{"what": TIME, "predicted": "9"}]},
    {"model": {"bytes": float("nan")}}, {"home": ""}, {"data": {"path": "secret.jsonl"}},
])  # fmt: skip
def test_an_entry_that_would_break_later_recommendations_is_not_taken(tmp_path, odd):
    head, told = {"format": "tunesmith-knowledge", "version": 1}, {**entry(1.0).to_json(), **odd}
    (tmp_path / "odd.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (head, entry(1.0, number=1).to_json(), told)))
    with closing(KnowledgeBase(tmp_path)) as base:
        with pytest.raises(UserError, match="TS-RECOMMEND-005"):
            base.merge(tmp_path / "odd.jsonl")
        assert base.entries() == []


def test_what_a_run_came_to_after_a_kill_is_what_is_known_of_it(tmp_path):
    before, after = entry(1.0, results={"loss": 2.0}), entry(1.0, results={"exact_match": 0.5, "loss": 2.0})
    for place, (one, other) in enumerate(((before, after), (after, before))):
        with closing(KnowledgeBase(tmp_path / str(place))) as base:
            base.add([one])
            base.add([other])
            assert [found.results for found in base.entries()] == [after.results]


def test_a_file_that_is_no_database_is_told_of(tmp_path):
    (tmp_path / "knowledge.sqlite").write_text("this is no database, but it is long enough to be looked at as one" * 50)
    with pytest.raises(UserError, match="TS-RECOMMEND-005"):
        KnowledgeBase(tmp_path)


def test_a_home_that_begins_with_what_somebody_else_knows_is_as_private_as_one_that_begins_with_a_run(tmp_path):
    from tunesmith.running.home_permissions import make_home

    KnowledgeBase(tmp_path / "home").close()
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0
    make_home(tmp_path / "home")


def test_a_kill_in_the_middle_of_learning_leaves_all_of_what_was_there_or_all_of_what_is_new(tmp_path):
    with closing(KnowledgeBase(tmp_path)) as base:
        base.add([entry(1.0)])
        before = documents(base)
    code = (
        "import sqlite3, sys, time\n"
        f"db = sqlite3.connect({str(tmp_path / 'knowledge.sqlite')!r}, isolation_level=None)\n"
        "db.execute('BEGIN IMMEDIATE'); db.execute('DELETE FROM entries'); print('in it', flush=True); time.sleep(60)"
    )
    learning = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE)
    assert learning.stdout is not None
    learning.stdout.readline()
    os.kill(learning.pid, signal.SIGKILL)
    learning.wait()
    learning.stdout.close()
    with closing(KnowledgeBase(tmp_path)) as base:
        assert documents(base) == before
        assert base.add([entry(1.0), entry(2.0, number=1)]) == 1


# --- entries and their grades --------------------------------------------------------------------------------------------------------


def view(tmp_path: Path, *, state: str = "done", cached: bool = False):
    """A run with one training step, as `RunView` shows it."""
    record = SimpleNamespace(name="train", service=False, inputs=(SimpleNamespace(name="model"),))
    choices = {"objective": SimpleNamespace(record=SimpleNamespace(kind="objective", name="sft"), settings={"train_on": "a secret"})}
    step = SimpleNamespace(
        name="tune", group="tune", verb=record, choices=choices, inputs={}, settings={"learning_rate": 0.5, "prompts": ["my own words"]},
        estimate=Estimate({"weights": 80.0, "runtime": 20.0}, disk=50.0), placement=SimpleNamespace(device="cpu", torch="cpu"), source="",
        format="",
    )  # fmt: skip
    row = SimpleNamespace(state=state, cached=cached, finished=3.0)
    seen = SimpleNamespace(row=row, made=None, seconds=9.0, metrics={"train_loss": 2.0, "odd": float("nan")})
    return SimpleNamespace(
        row=SimpleNamespace(id="run-1", state="done"), directory=tmp_path, plan=SimpleNamespace(steps=[step]), steps={"tune": seen},
        series=lambda _: {"step_seconds": [(1, 2.0), (2, 4.0)], "peak_memory": [(2, 150.0)]}, size=lambda _: 25, artifact=lambda _: None,
    )  # fmt: skip


def test_a_run_is_graded_by_what_it_measured_and_what_nobody_said_is_unknown(tmp_path):
    (found,) = entries_of(view(tmp_path), "home")
    assert found.grades == (Grade(TIME, None, 3.0), Grade(MEMORY, 100.0, 150.0), Grade(DISK, 50.0, 25.0), Grade(QUALITY))
    assert (found.ratio(TIME), found.ratio(MEMORY), found.ratio(DISK)) == (None, 1.5, 0.5)
    assert found.results == {"train_loss": 2.0}
    told = {record.what: record for record in track_record([found])}
    assert QUALITY not in told  # neither predicted nor measured
    assert (told[TIME].runs, told[TIME].unpredicted) == (0, 1)
    assert (told[MEMORY].runs, told[MEMORY].worst) == (1, 1.5)
    assert told[DISK].worst == 0.5
    assert told[MEMORY].low is None  # there are no quarters of one run


@pytest.mark.parametrize(("device", "measured"), [("cpu", 70.0), ("cuda", None)])
def test_a_step_that_tells_nothing_of_its_memory_is_graded_by_its_process_where_that_is_where_it_computes(tmp_path, device, measured):
    seen = view(tmp_path)
    seen.series = lambda _: {"process_peak_memory": [(0, 70.0)]}
    seen.plan.steps[0].placement.torch = device
    (found,) = entries_of(seen, "home")
    assert found.grades[1] == Grade(MEMORY, 100.0, measured)


def test_what_is_kept_of_a_run_has_no_words_of_its_users(tmp_path):
    (found,) = entries_of(view(tmp_path), "home")
    kept = json.dumps(found.to_json())
    assert "secret" not in kept
    assert "my own" not in kept
    assert str(tmp_path) not in kept
    assert found.settings == {"learning_rate": 0.5}
    assert Entry.from_json(json.loads(kept)) == found


@pytest.mark.parametrize("more", [{"state": "failed"}, {"cached": True}])
def test_what_failed_or_came_from_the_cache_is_not_graded(tmp_path, more):
    assert entries_of(view(tmp_path, **more), "home") == []


def test_a_run_that_was_killed_is_asked_again_for_it_may_go_on(tmp_path):
    with closing(KnowledgeBase(tmp_path / "home")) as base:
        killed = view(tmp_path)
        killed.row.state = "interrupted"
        assert base.learn(killed) == 1
        assert not base._db.execute("SELECT run FROM runs").fetchall()
        killed.row.state = "done"
        assert base.learn(killed) == 0  # the same step
        assert base._db.execute("SELECT run FROM runs").fetchall() == [("run-1",)]


def test_a_run_whose_process_is_gone_is_learned_from_though_nobody_has_noted_its_end(tmp_path, monkeypatch):
    from tunesmith.running.journal.journal import Journal
    from tunesmith_recommend.evidence import knowledge_base

    monkeypatch.setattr(knowledge_base, "entries_of", lambda seen, home: [entry(1.0)])
    with closing(Journal(tmp_path)) as journal, closing(KnowledgeBase(tmp_path)) as base:
        journal.begin_run("20260131-093012-4c1e", "a", "a.yaml", ["tune"])
        (tmp_path / "runs" / "20260131-093012-4c1e").mkdir(parents=True)
        assert base.learn_all(journal, tmp_path) == (1, 1)
        assert base.learn_all(journal, tmp_path) == (1, 0)


# --- settings that won ---------------------------------------------------------------------------------------------------------------


def tried(rate: float, loss: float, number: int = 0, **more) -> Entry:
    usual = {
        "settings": {"learning_rate": rate, "batch_size": 8.0}, "results": {"validation_loss": loss},
        "model": {"bytes": 1e9, "digest": "m"},
        "data": {"rows": 100, "characters": 10_000, "digest": "d"},
    }  # fmt: skip
    return entry(1.0, number=number, **{**usual, **more})


def asked(entries, rows=150, characters=15_000, size=1e9):
    return won(entries, verb="train", providers=SFT, data={"rows": rows, "characters": characters}, model_bytes=size)


def test_the_value_that_was_best_on_like_rows_has_won():
    rates = [(1e-5, 2.4), (1e-4, 2.0), (1e-3, 3.0)]
    entries = [tried(rate, loss, number) for number, (rate, loss) in enumerate(rates)]
    (found,) = asked(entries)
    assert (found.setting, found.value, found.next_best, found.values) == ("learning_rate", 1e-4, 2.4, 3)
    assert asked(entries[:2]) == []  # two are no contest
    assert asked(entries, rows=100_000) == []  # other data
    assert asked(entries, characters=150) == []
    assert asked(entries, size=1e11) == []  # another model
    mixed = [*entries[:2], tried(1e-3, 1.0, 2, settings={"learning_rate": 1e-3, "batch_size": 64.0})]
    assert asked(mixed) == []  # not alike in all else


# --- quality -------------------------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0.1, 9), max_size=8), st.lists(st.floats(0.1, 9), max_size=8))
def test_quality_is_that_of_the_same_rows_where_they_are_enough_else_of_like_ones_and_never_of_too_few(same, other):
    like = {"data": {"rows": 120, "characters": 13_000, "digest": "another"}}
    entries = [tried(1e-4, loss, number) for number, loss in enumerate(same)]
    entries += [tried(1e-4, loss, 100 + number, **like) for number, loss in enumerate(other)]
    found = likely_quality(
        entries, verb="train", providers={**SFT, "strategy": "single"}, data={"rows": 100, "characters": 10_000, "digest": "d"},
        model={"bytes": 1e9, "digest": "m"},
    )  # fmt: skip
    counted = same if len(same) >= 3 else same + other
    if len(counted) < 3:
        assert found is None
        return
    assert found is not None
    assert (found.value, found.runs, found.same) == (pytest.approx(median(counted)), len(counted), len(same) >= 3)
    assert found.low <= found.value <= found.high


def test_where_nothing_was_run_nothing_is_known_and_nothing_is_made(tmp_path, monkeypatch, capsys):
    from tunesmith_cli.api import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_HOME", raising=False)
    assert main(["recommend", "--track-record"]) == 0
    assert "No run has been graded yet" in capsys.readouterr().out
    assert main(["recommend", "--export", "out.jsonl"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_device_whose_speed_was_not_measured_is_known_by_its_name_all_the_same():
    from tunesmith_recommend.evidence.predictor import asked_device

    found = asked_device("cpu")
    assert found is not None
    assert found.name
    assert asked_device("no such backend") is None


def test_the_device_that_was_measured_in_as_many_threads_is_the_one_that_is_known(tmp_path, monkeypatch):
    import platform

    from tunesmith.contracts.cache_files import write_note
    from tunesmith_recommend.evidence.predictor import known_device

    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert known_device("cpu") is None
    key = [platform.node(), "3", "cpu", "0.1.0", "a processor", 8, "float32", "bfloat16"]
    other = [platform.node(), "1", "cpu", "0.1.0", "another", 8, "float32"]
    figures = {"flops": {"float32": 1e9}, "bandwidth": 1e9}
    write_note(tmp_path / "device-speed.json", {json.dumps(key): figures, json.dumps(other): figures})
    found = known_device("cpu")
    assert found is not None
    assert (found.name, found.dtypes, found.facts) == ("a processor", ("float32", "bfloat16"), figures)
    assert known_device("cuda") is None
