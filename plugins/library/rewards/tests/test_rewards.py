"""Rewards as they are named, what comes of several, and what junk gets."""

from __future__ import annotations

import math
from typing import ClassVar

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith.plugins.records import ProviderRecord
from tunesmith_rewards.api import RewardSpec, Tally, column, read_rewards
from tunesmith_rewards.api.score import number


class Registered:
    """A registry of one reward."""

    SCHEMA: ClassVar = {"type": "object", "properties": {"least": {"type": "integer", "default": 3}}, "additionalProperties": False}

    def provider(self, kind: str, name: str) -> ProviderRecord:
        if name != "tilt":
            raise UserError("TS-PLUGIN-001", f"no {kind} {name}")
        return ProviderRecord(kind, name, "", "acme_tilt:Tilt", "acme-tilt", "1", settings="acme_tilt:Settings", schema=self.SCHEMA,
                              facts={"inputs": {"reward_model": "least"}})  # fmt: skip


def read(written, **given):
    return read_rewards(written, Registered(), **given)


def test_an_entry_is_a_name_or_a_name_with_settings_weight_rows_and_label():
    assert read("tilt") == [RewardSpec("tilt", "acme_tilt:Tilt", "acme_tilt:Settings", {"least": 3}, 1.0, {}, "acme-tilt")]
    first, second = read(["tilt", {"tilt": {"least": 4}, "weight": -2, "only": {"task": "math"}, "as": "other"}])
    assert (first.name, second.name, second.weight, second.settings) == ("tilt", "other", -2.0, {"least": 4})
    assert second.takes({"task": "math"})
    assert not second.takes({"task": "code"})
    assert not second.takes({})


def test_an_input_of_the_step_is_the_setting_that_the_record_names_unless_that_is_written():
    given = {"reward_model": 5}
    assert read("tilt", inputs=given)[0].settings == {"least": 5}
    assert [one.settings["least"] for one in read(["tilt", {"tilt": {"least": 4}, "as": "other"}], inputs=given)] == [5, 4]
    for written, inputs in (([{"tilt": {"least": 4}}], given), (["tilt"], {"judge": "folder"})):
        with pytest.raises(UserError, match="TS-REWARD-008"):
            read(written, inputs=inputs)


@pytest.mark.parametrize(
    "written",
    [[], ["tilt", "tilt"], [3], [{"weight": 1}], [{"tilt": {}, "tolt": {}}], [{"tilt": {"most": 3}}], [{"tilt": {"least": "x"}}],
     [{"tilt": 3}], [{"tilt": {}, "weight": "x"}], [{"tilt": {}, "weight": math.nan}], [{"tilt": {}, "only": "math"}]],
)  # fmt: skip
def test_what_is_no_list_of_rewards_is_refused_before_anything_runs(written):
    with pytest.raises(UserError) as caught:
        read(written)
    assert caught.value.code == "TS-REWARD-002"


@pytest.mark.parametrize("said", ["1", b"1", math.nan, math.inf, object(), [1]])
def test_what_is_no_finite_number_is_a_failure_and_not_unscored(said):
    value, failure = number(said)
    assert value is None
    assert failure


def test_none_is_unscored_and_numbers_are_numbers():
    assert number(None) == (None, "")
    assert number(True) == (1.0, "")
    assert number(-2) == (-2.0, "")


def test_a_column_that_is_missing_is_told_with_those_that_are_there():
    assert column({"answer": 0}, "answer") == 0
    with pytest.raises(TunesmithError, match="TS-REWARD-004") as caught:
        column({"solution": "4", "answer": None}, "answer")
    assert "solution" in caught.value.why


def test_a_share_of_few_calls_is_no_reason_to_stop_and_of_the_latest_ones_is():
    tally = Tally()
    tally.add(None, "broken")
    assert not tally.beyond(0.1)
    for _ in range(1000):
        tally.add(1.0, "")
    for _ in range(21):
        assert not tally.beyond(0.1)
        tally.add(None, "broken")
    assert tally.beyond(0.1)
    assert (tally.asked, tally.failed, tally.unscored) == (1022, 22, 0)
