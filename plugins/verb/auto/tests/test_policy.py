"""What is done where a run fails: by rules, as often as they say, and nothing where the user has to see to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith.running.outcome import GateOutcome, RunOutcome, StepOutcome
from tunesmith_auto.history import History
from tunesmith_auto.policy import Failure, Remedy, failure_of, policy, promises, remedy
from tunesmith_recommend.api import Recommendation, Wishes

STEPS = {"tune": {}, "score": {"gate": {"perplexity": "<= 1x model"}}, "small": {}, "check": {"gate": {"perplexity": "<= 1.1x tune"}}}
FOUND = Recommendation(
    {"model": "shelf://base", "steps": STEPS}, (), None,
    tried={"tune": "shelf://base lora", "small": "quantizer gptq"},
)  # fmt: skip


def outcome(error=None, gates=(), state="failed", failed="tune"):
    steps = {failed: StepOutcome(failed, "failed", error=error)} if error else {}
    return RunOutcome("r", state, Path(), steps, tuple(gates), error=error or (TunesmithError("TS-RUN-020", "a gate") if gates else None))


RATE = {"learning_rate": 2e-4}
BROKEN = TunesmithError("ACME-1", "it ran out of memory")


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (outcome(BROKEN), Failure("tune", "", "ACME-1, it ran out of memory")),
        (outcome(BROKEN, failed="small:gptq"), Failure("small", "", "ACME-1, it ran out of memory")),
        (outcome(UserError("ACME-2", "a row is broken")), None),
        (outcome(BROKEN, state="cancelled"), None),
        (outcome(gates=[GateOutcome("score", "held", True), GateOutcome("check", "7 > 6", False)]), Failure("", "check", "7 > 6")),
        (outcome(state="done"), None),
    ],
)
def test_a_failure_is_of_a_step_or_of_a_gate_and_not_what_the_user_has_to_see_to(ended, expected):
    assert failure_of(ended, {"small:gptq": "small"}) == expected


def test_a_training_that_fails_is_left_out_the_next_time():
    found = remedy(Failure("tune", "", "no memory"), FOUND, {}, [])
    assert found == Remedy("training", "no memory", failed={"shelf://base lora": "no memory"})


@pytest.mark.parametrize("failure", [Failure("small", "", "crashed"), Failure("", "check", "7 > 6")])
def test_a_smaller_copy_that_fails_or_loses_too_much_is_left_out_the_next_time(failure):
    found = remedy(failure, FOUND, {}, [])
    assert found
    assert found.failed == {"quantizer gptq": failure.why}


def test_what_answers_worse_than_it_began_is_trained_at_a_lower_rate_once():
    found = remedy(Failure("", "score", "9 > 8"), FOUND, RATE, [])
    assert found
    assert found.settings == {"learning_rate": 5e-5}
    assert found.reasons == {"learning_rate": "0.0002 was tried: 9 > 8"}
    assert remedy(Failure("", "score", "9 > 8"), FOUND, RATE, [found.rule]) is None


@pytest.mark.parametrize("name", [name for name, rule in policy().items() if {"failed", "gate"} & {*rule}])
def test_each_rule_ends(name):
    rule = policy()[name]
    failure = Failure(rule.get("failed", ""), rule.get("gate", ""), "why")
    assert remedy(failure, FOUND, RATE, [name] * (rule["times"] - 1))
    assert remedy(failure, FOUND, RATE, [name] * rule["times"]) is None
    assert rule["text"]
    assert rule["source"]


def test_a_step_of_which_no_rule_says_anything_has_no_remedy():
    assert remedy(Failure("api", "", "why"), FOUND, {}, []) is None


def test_only_rules_that_can_be_followed_are_promised():
    assert len([*promises(FOUND)]) == sum(bool({"failed", "gate"} & {*rule}) for rule in policy().values())
    plain = Recommendation({"model": "shelf://base", "steps": {"tune": {}, "api": {}}}, (), None)
    assert [*promises(plain)] == [f"{policy()['training']['text']} ({policy()['training']['source']})"]


def test_what_was_tried_is_remembered_for_the_same_wishes_alone(tmp_path):
    history = History.of(tmp_path, {"data": "a"})
    history.follow(Remedy("training", "no memory", failed={"shelf://base lora": "no memory"}))
    history.follow(Remedy("rate", "worse", settings={"learning_rate": 5e-5}, reasons={"learning_rate": "0.0002 was tried"}))
    again = History.of(tmp_path, {"data": "a"})
    assert again.followed == ["training", "rate"]
    wishes = again.wishes(Wishes(settings={"r": 4}))
    assert wishes.failed == {"shelf://base lora": "no memory"}
    assert wishes.settings == {"r": 4, "learning_rate": 5e-5}
    assert History.of(tmp_path, {"data": "b"}).followed == []


def test_a_file_that_somebody_has_changed_is_not_written_over(tmp_path):
    history, file = History.of(tmp_path, {}), tmp_path / "tunesmith.yaml"
    assert history.owns(file)
    history.write(file, "name: a\n")
    assert History.of(tmp_path, {}).owns(file)
    file.write_text("name: mine\n")
    assert not History.of(tmp_path, {}).owns(file)


def test_a_history_that_is_damaged_is_none(tmp_path):
    history = History.of(tmp_path, {})
    history.follow(Remedy("training", "why"))
    history.path.write_text(history.path.read_text()[:-9])
    assert History.of(tmp_path, {}).followed == []
