"""A stranger's adapter and models are recommended as any others, without a line of ours: what they say of themselves decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tunesmith.plugins.registry import Registry

from .world import World

SAID = {"order": 99, "settings": {"r": 4}, "step": {"learning_rate": 1e-3}, "rule": "it tilts", "source": "arXiv:2601.00001"}


@pytest.fixture
def stranger(world: World, tmp_path):
    """The world with an adapter `tilt`, which is `lora` by another name and says this of itself."""

    def saying(said: Any) -> World:
        lora = world.registry.providers("adapter")["lora"]
        facts = {"recommend": said} if said is not None else {}
        record = replace(lora, name="tilt", distribution="acme-tilt", facts=facts, priority=0)
        whose = next(plugin for plugin in world.registry.plugins if plugin.distribution == lora.distribution)
        made = replace(whose, distribution="acme-tilt", providers=(record,), kinds=(), commands=(), events=())
        found = World(tmp_path, Registry([*world.registry.plugins, made]))
        found.models = [model for model in world.models if model.billions < 0.5 and model.modalities == ("text",)]
        return found

    return saying


def adapter(found: Any) -> Any:
    return next(choice for choice in found.choices if choice.topic == "adapter")


def test_its_own_word_makes_it_the_first(stranger):
    found, _ = stranger(SAID).recommend("16 GB", "chat", goal="speed")
    assert found.pipeline["steps"]["tune"]["adapter"] == {"tilt": {"r": 4}}
    assert found.pipeline["steps"]["tune"]["settings"]["learning_rate"] == 1e-3
    assert (adapter(found).rule.id, adapter(found).rule.source) == ("acme-tilt:adapter.tilt", "arXiv:2601.00001")


@pytest.mark.parametrize(
    "said",
    [None, {**SAID, "order": -1}, {**SAID, "goals": {"speed": -1}}, {**SAID, "tokens": [10**12]}, {**SAID, "tasks": ["classification"]}],
)
def test_where_it_says_nothing_or_not_for_this_others_come_first(stranger, said):
    found, _ = stranger(said).recommend("16 GB", "chat", goal="speed")
    assert adapter(found).value == "lora"


@pytest.mark.parametrize(("said", "what"), [({"order": "first"}, "`rule`"), ({**SAID, "settings": {"angle": 4}}, "`settings.angle`")])
def test_what_it_says_wrongly_is_told_and_not_heard(stranger, said, what):
    found, _ = stranger(said).recommend("16 GB", "chat", goal="speed")
    assert adapter(found).value == "lora"
    assert any("acme-tilt" in remark and "is not heard" in remark and what in remark for remark in found.remarks)
