"""The runner of environments: episodes beside one another, and what fails is told, counted and no reward of 0."""

from __future__ import annotations

import sys

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith_rewards.api import EnvironmentRunner, RewardSpec, read_environment

ODD = RewardSpec("odd", "odd_environments:Odd")


@pytest.fixture
def path(monkeypatch):
    from pathlib import Path

    monkeypatch.setattr(sys, "path", [str(Path(__file__).parent), *sys.path])


@pytest.fixture
def runner(path):
    made = []

    def make(**more):
        made.append(EnvironmentRunner(ODD, **({"timeout": 20, "max_failed_share": 1} | more)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def tasks(*names):
    return [({"name": name}, seed) for seed, name in enumerate(names)]


@pytest.mark.parametrize("workers", [1, 3])
def test_episodes_are_played_beside_one_another_each_by_itself(runner, workers):
    played = runner(num_workers=workers)
    opened = played.reset(tasks("a", "b", "c", "d"))
    assert [reply.messages[0]["content"] for reply in opened.values()] == ["a 0", "b 1", "c 2", "d 3"]
    assert [reply.messages[0]["content"] for reply in played.step({0: "x", 1: "half", 3: "z"}).values()] == ["x", "half", "z"]
    second = played.step({0: "y", 1: "bye", 3: "bye"})
    assert second[0].messages[0]["content"] == "x y"
    assert (second[1].reward, second[1].done) == (2.0, True)
    ended = played.end([0, 2])
    assert [(reply.reward, reply.done) for reply in ended.values()] == [(0.25, True)] * 2
    assert played.tally.to_json() | {"seconds": 0} == {"asked": 4, "unscored": 0, "failed": 0, "seconds": 0}


def test_an_episode_of_which_nothing_is_said_is_unscored_and_has_not_failed(runner):
    played = runner()
    played.reset(tasks("a"))
    played.step({0: "silent"})
    assert played.end([0])[0].reward is None
    assert (played.tally.unscored, played.tally.failed) == (1, 0)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("raise", "ValueError: no such move"), ("nan", "it returned nan"), ("die", "its process ended with status 3"),
        ("nothing", "gave nothing for the model to read"), ("hang", "gave no answer within 2 s"),
    ],
)  # fmt: skip
def test_what_fails_is_told_and_the_other_episodes_go_on_from_where_they_were(runner, answer, why):
    played = runner(timeout=2)
    played.reset(tasks("a", "b", "c"))
    played.step({0: "one", 1: "two", 2: "three"})
    said = played.step({0: "four", 1: answer, 2: "five"})
    assert why in said[1].failure
    assert said[1].reward is None
    assert [said[at].messages[0]["content"] for at in (0, 2)] == ["one four", "three five"]
    assert played.step({0: "bye"})[0].reward == 3.0
    assert (played.tally.failed, len(played.tally.examples)) == (1, 1)
    assert played.tally.examples[0].startswith("the episode of {")


def test_an_opening_without_a_turn_fails(runner):
    played = runner()
    (reply,) = played.reset([({"opening": "none"}, 1)]).values()
    assert "no turn for the model to answer" in reply.failure


def test_one_that_draws_from_the_clock_can_t_be_played_again_and_is_told_of(runner):
    played = runner()
    played.reset(tasks("a", "b"))
    played.step({0: "clock", 1: "x"})
    said = played.step({1: "die"})
    assert "status 3" in said[1].failure
    assert "from something else than its seed" in played.step({0: "y"})[0].failure


def test_beyond_the_stated_share_playing_stops(runner):
    told = []
    played = runner(max_failed_share=0.1, log=told.append)
    played.reset(tasks(*"abcd"))
    with pytest.raises(TunesmithError) as caught:
        played.step(dict.fromkeys(range(4), "raise"))
    assert caught.value.code == "TS-REWARD-011"
    assert "4 of 4" in caught.value.what
    assert "no such move" in caught.value.why
    assert len(told) == 3


def test_environments_are_closed_at_the_end(runner, tmp_path):
    played = runner()
    played.reset([({"name": "a", "closed": str(tmp_path / "a")}, 0)])
    played.close()
    assert (tmp_path / "a").read_text() == "closed"


def test_what_can_t_be_made_or_run_is_told_at_once(path, tmp_path):
    with EnvironmentRunner(RewardSpec("board", "odd_environments:Unmade")) as played, pytest.raises(TunesmithError) as caught:
        played.start()
    assert caught.value.code == "TS-REWARD-013"
    assert "no board" in caught.value.why
    for arguments, code in (({"timeout": 0}, "012"), ({"max_failed_share": 2}, "012"), ({"python": str(tmp_path / "python")}, "014")):
        with pytest.raises(UserError) as refused:
            EnvironmentRunner(ODD, **arguments)
        assert refused.value.code == f"TS-REWARD-{code}"


def test_an_environment_may_run_in_another_python():
    spec = read_environment({"guess-number": {"highest": 3}})
    with EnvironmentRunner(spec, python=sys.executable) as played:
        (opened,) = played.reset([({"messages": [{"role": "user", "content": "Find it."}]}, 1)]).values()
        assert opened.messages == [{"role": "user", "content": "Find it."}]


def test_environments_are_read_as_they_are_named():
    read = read_environment({"guess-number": {"highest": 4}, "weight": 2, "as": "found"})
    assert (read.name, read.weight, read.settings["highest"], read.settings["guess_cost"]) == ("found", 2.0, 4, 0.1)
    for written, code in ((3, "TS-REWARD-012"), ({"guess-number": {"highst": 4}}, "TS-REWARD-012"), ("guess-numbr", "TS-PLUGIN-001")):
        with pytest.raises(UserError) as caught:
            read_environment(written)
        assert caught.value.code == code
    with pytest.raises(UserError, match="only"):
        read_environment({"guess-number": {}, "only": {"a": 1}})
