"""Where a slot is left to the planner and one device does not do, each way to fill it is estimated, and the fastest that fits is taken."""

import sys
from dataclasses import dataclass, replace

import pytest

from tunesmith.contracts import Device, Estimate, Need, Provider, TunesmithError, setting
from tunesmith.planning.plan import Alternative
from tunesmith.planning.plan_text import compared_text, plan_text
from tunesmith.running.journal.plan_file import read_plan, write_plan
from tunesmith_cli.display.plan_json import plan_json

YAML = "model: shelf://base\nsteps:\n  tune: {teach: echo, adapter: tilt, data: train.jsonl}\n"
NAMED = YAML.replace("adapter", "strategy: chorus, adapter")
MODULE = sys.modules[__name__]


@dataclass(frozen=True)
class ChorusSettings:
    voices: int = setting(2, "singers", ge=1)
    split: bool = setting(False, "each sings a part")


CHORUS = Provider(
    "chorus", "all at once", "made_up:Nothing", ChorusSettings, facts={"ranks": "voices"}, estimator="made_up:chorus",
    variants="made_up:offered",
)  # fmt: skip


def chorus(request):
    return {"share": 1 / request.processes if request.settings["split"] else 1.0}


def offered(request):
    count = len(request.devices)
    return [{"voices": count}, {"voices": count, "split": True}] if count > 1 else []


def teach(request):
    share = request.parts.get("strategy", {}).get("share", 1.0)
    return Estimate({"weights": 100.0 * share}, sent=7.0, seconds=10.0 / request.processes * (1.5 if share < 1 else 1.0))


@pytest.fixture(autouse=True)
def _teaching(monkeypatch):
    for name in ("chorus", "offered", "teach"):
        monkeypatch.setattr(sys.modules["made_up"], name, getattr(MODULE, name), raising=False)


@pytest.fixture
def tune(planner, world):
    """The step, its plan, on so many devices of so much memory."""

    def plan(count, memory, yaml=YAML, provider=CHORUS, **facts):
        devices = {"abacus": [Device("beads", memory, memory, 4, facts=facts)] * count}
        made = planner(yaml, world(extra=[("trainer_strategy", provider)], without=["acme-relay"]), devices)
        return next(step for step in made.steps if step.name == "tune"), made

    return plan


def verdicts(step):
    return {one.words: one.verdict for one in step.alternatives}


def refused(tune, *machine, **facts):
    with pytest.raises(TunesmithError, match="TS-PLAN-008") as caught:
        tune(*machine, **facts)
    (problem,) = caught.value.problems
    return problem


def test_several_devices_are_used_by_the_fastest_way_that_fits(tune):
    step, plan = tune(4, 1000)
    assert (step.choices["strategy"].record.name, step.choices["strategy"].settings) == ("chorus", {"voices": 4, "split": False})
    assert step.placement.processes == 4
    assert step.estimate.seconds == 2.5
    assert verdicts(step) == {
        "solo": "it fits, 4.0 times as slow", "chorus": "the fastest that fits", "chorus split=True": "it fits, 1.5 times as slow",
    }  # fmt: skip
    told = {decision.what: decision.reason for decision in plan.decisions if decision.step == "tune"}
    assert told["strategy: chorus voices=4"] == "the fastest that fits (100 B of the device, 7 B sent a step, 2.5 s a step)"
    assert told["strategy: not solo"].startswith("it fits, 4.0 times as slow")
    assert not any("highest priority" in reason for what, reason in told.items() if what.startswith("strategy"))


def test_what_does_not_fit_is_passed_over_with_its_figures(tune):
    step, _ = tune(4, 60)
    assert step.choices["strategy"].settings == {"voices": 4, "split": True}
    assert verdicts(step)["solo"] == verdicts(step)["chorus"] == "it does not fit into the 60 B of beads"
    assert {one.words: one.needed for one in step.alternatives} == {"solo": 100.0, "chorus": 100.0, "chorus split=True": 25.0}


def test_one_device_on_which_it_fits_asks_nobody(tune, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "offered", lambda request: 1 / 0)
    step, plan = tune(1, 1000)
    assert step.choices["strategy"].record.name == "solo"
    assert not step.alternatives
    assert any(decision.what == "strategy: solo" and "one device is here" in decision.reason for decision in plan.decisions)


def test_one_device_that_does_not_do_is_served_by_what_is_offered_for_it(tune, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "offered", lambda request: [{"voices": 1, "split": True}])
    monkeypatch.setattr(sys.modules["made_up"], "chorus", lambda request: {"share": 0.5})
    step, _ = tune(1, 60)
    assert step.choices["strategy"].settings == {"voices": 1, "split": True}


def test_a_way_that_the_user_names_is_gone(tune):
    step, _ = tune(4, 1000, NAMED)
    assert step.choices["strategy"].settings["voices"] == 2
    assert not step.alternatives


@pytest.mark.parametrize("said", ["{auto: {voices: 3}}", "{voices: 3}"])
def test_settings_without_a_name_are_asked_whose_they_are(tune, said):
    with pytest.raises(TunesmithError, match=r"TS-SPEC-008.*is no trainer strategy with settings") as caught:
        tune(4, 1000, NAMED.replace("chorus", said))
    assert "Say whose: `strategy: {NAME:" in caught.value.problems[0].fix
    assert "chorus" in caught.value.problems[0].fix


def test_where_nothing_fits_the_refusal_tells_what_was_tried(tune):
    refusal = refused(tune, 4, 10)
    assert "needs about 25 B" in refusal.what
    assert "strategy: not solo: it does not fit into the 10 B of beads (100 B of the device" in refusal.why


def test_ways_that_are_about_as_fast_are_taken_in_order_of_the_providers(tune, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"a": 1.0}, seconds=1.0 - 0.02 * request.processes))
    step, _ = tune(4, 1000)
    assert step.choices["strategy"].record.name == "solo"
    assert verdicts(step)["chorus"] == "it fits, about as fast, and is less simple"


def test_the_first_of_about_as_fast_ways_is_not_called_the_fastest(tune, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"a": 1.0}, seconds=1.0 - 0.02 * request.processes))
    assert verdicts(tune(4, 1000)[0])["solo"] == "within 10% of the fastest that fits, and simpler"


def test_where_nothing_is_known_of_speed_most_devices_are_used(tune, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"a": 1.0}))
    step, _ = tune(4, 1000)
    assert step.choices["strategy"].settings == {"voices": 4, "split": False}
    assert verdicts(step)["chorus"] == "it fits, and nothing is known of speed"


def test_a_time_that_is_known_is_no_fastest_where_more_processes_have_none(tune, monkeypatch):
    known = {1: 10.0}
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"a": 1.0}, seconds=known.get(request.processes, 0.0)))
    step, _ = tune(4, 1000)
    assert verdicts(step) == {
        "solo": "it fits, with fewer processes", "chorus": "it fits, with the most processes; not all times are known",
        "chorus split=True": "it fits, and is less simple",
    }  # fmt: skip


def test_the_fastest_of_those_whose_time_is_known_is_called_no_more_than_that(tune, monkeypatch):
    def timed(request):
        return Estimate({"a": 1.0}, seconds=0.0 if request.processes == 1 else 2.0)

    monkeypatch.setattr(sys.modules["made_up"], "teach", timed)
    found = verdicts(tune(4, 1000)[0])
    assert found["chorus"] == "the fastest that fits of those whose time is known"
    assert found["solo"] == "it fits, and its time is not known"


def test_processes_of_which_the_plan_warns_are_not_taken_for_their_number(tune, monkeypatch):
    def idle(request):
        return Estimate({"a": 1.0}, warnings=("3 of 4 singers never sing",) if request.processes == 4 else ())

    monkeypatch.setattr(sys.modules["made_up"], "teach", idle)
    found = verdicts(tune(4, 1000)[0])
    assert found["solo"] == "it fits, and nothing is known of speed"
    assert found["chorus"] == "it fits, but 3 of 4 singers never sing"


def test_where_nobody_knows_what_is_needed_that_is_said(tune, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: None)
    step, plan = tune(4, 1000)
    assert step.choices["strategy"].record.name == "solo"
    assert not step.alternatives
    assert plan.warnings == ("tune: how 4 devices are best used is not known: name a strategy",)


@pytest.mark.parametrize(("facts", "verdict"), [
    ({}, "it needs 400 B of the host's memory for each device, and what that has is not known"),
    ({"host": 300}, "it needs 400 B of the host's memory for each device, and there are 300 B"),
    ({"host": 400}, "the fastest that fits"),
])  # fmt: skip
def test_what_the_host_holds_counts_as_well(tune, monkeypatch, facts, verdict):
    def away(request):
        split = request.parts.get("strategy", {}).get("share", 1.0) < 1
        return Estimate({"a": 10.0 if split else 100.0}, host=400.0 if split else 0.0, seconds=1.0)

    monkeypatch.setattr(sys.modules["made_up"], "teach", away)
    if verdict.startswith("the"):
        assert verdicts(tune(4, 50, **facts)[0])["chorus split=True"] == verdict
    else:
        assert verdict in refused(tune, 4, 50, **facts).why


def test_what_the_user_names_may_take_no_more_of_the_host_than_it_has(tune, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"a": 1.0}, host=400.0))
    refusal = refused(tune, 4, 50, NAMED, host=300)
    assert refusal.code == "TS-PLAN-008"
    assert "needs about 400 B of the host's memory for each device, and there are 300 B" in refusal.what
    _, overruled = tune(4, 50, NAMED + "ignore_estimates: true\n", host=300)
    assert any("needs about 400 B of the host's memory" in warning for warning in overruled.warnings)
    for known in ({"host": 360}, {}):  # a little over is no error, as for the device's own; and nothing is said of what nobody knows
        assert not tune(4, 50, NAMED, **known)[1].warnings


@pytest.mark.parametrize(("fault", "verdict"), [
    (lambda request: 1 / 0, "what it offers is not known: ZeroDivisionError: division by zero"),
    (lambda request: [{"voices": 0}], "its settings can't be: `voices`"),
    (lambda request: [{"choir": 4}], "its settings can't be: `choir`"),
])  # fmt: skip
def test_a_provider_that_offers_nonsense_is_passed_over_with_the_reason(tune, monkeypatch, fault, verdict):
    monkeypatch.setattr(sys.modules["made_up"], "offered", fault)
    step, _ = tune(4, 1000)
    assert step.choices["strategy"].record.name == "solo"
    assert any(text.startswith(verdict) for text in verdicts(step).values())


def test_what_does_not_go_together_is_passed_over_with_the_reason(tune):
    step, _ = tune(4, 1000, provider=Provider(**{**vars(CHORUS), "needs": (Need("adapter", "merge.none", "it sings"),)}))
    assert step.choices["strategy"].record.name in ("solo", "chorus")
    found = tune(4, 1000, provider=Provider(**{**vars(CHORUS), "needs": (Need("device_backend", "dtype.half", "it sings low"),)}))[0]
    assert found.choices["strategy"].record.name == "solo"
    assert "does not have it" in verdicts(found)["chorus"]


def test_the_plan_shows_a_line_for_each_way(tune):
    _, plan = tune(4, 60)
    text = plan_text(plan)
    lines = [line.split() for line in text.splitlines()]
    assert ["processes", "memory", "sent", "a", "step", "s", "a", "step", "strategy"] in lines
    assert ["1", "100", "B", "7", "B", "10", "solo:", "it", "does", "not", "fit", "into", "the", "60", "B", "of", "beads"] in lines
    assert any(line[:2] == [">", "4"] and line[-6:-3] == ["chorus", "split=True:", "the"] for line in lines)
    assert "not solo" not in text
    (found,) = [entry for entry in plan_json(plan)["steps"] if entry["name"] == "tune"]
    taken = next(one for one in found["alternatives"] if one["taken"])
    assert taken == {
        "slot": "strategy", "provider": "chorus", "settings": {"voices": 4, "split": True}, "processes": 4, "taken": True, "memory": 25.0,
        "host": 0.0, "sent": 7.0, "seconds": 3.75, "verdict": "the fastest that fits",
    }  # fmt: skip


def test_a_run_keeps_them_with_its_plan(tune, tmp_path):
    _, plan = tune(4, 60)
    write_plan(plan, tmp_path)
    assert [step.alternatives for step in read_plan(tmp_path).steps] == [step.alternatives for step in plan.steps]


def test_no_line_of_a_comparison_is_wider_than_it_may_be():
    way = Alternative("strategy", "chorus", words="chorus " + "split=True " * 12, verdict="it does not fit " * 9, processes=4096)
    lines = compared_text([way, replace(way, taken=True)], 90)
    assert max(map(len, lines)) <= 90
    assert " ".join(" ".join(lines).split()).count(("it does not fit " * 9).strip()) == 2
    assert sum(line.startswith(">") for line in lines) == 1
