"""Settings of training by the rows that there are: those that the verb has, by rules that name them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith_cli.api import number
from tunesmith_recommend.catalog.base_model import BaseModel
from tunesmith_recommend.choice.declared import Declared
from tunesmith_recommend.choice.recommendation import Reasoned, Wanted
from tunesmith_recommend.choice.rules import rules
from tunesmith_recommend.evidence.entry import Entry
from tunesmith_recommend.evidence.won_settings import won

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord


_MOST = "max_steps"  # 0: as many as the epochs come to


@dataclass(frozen=True)
class StepSettings:
    """Settings of a step with their reasons."""

    choices: tuple[Reasoned, ...]

    @property
    def values(self) -> dict[str, Any]:
        return {choice.topic: choice.value for choice in self.choices}

    def steps(self, verb: ProviderRecord, rows: int) -> int:
        """Optimizer steps that they come to."""
        told = {**{name: entry.get("default") for name, entry in verb.schema["properties"].items()}, **self.values}
        held = float(told.get(str(rules()["setting.validation_split"]["setting"])) or 0)
        epochs = float(told.get(str(rules()["setting.num_train_epochs"]["setting"])) or 1)
        batch = int(told.get(str(rules()["setting.batch_size"]["setting"])) or 1)
        steps = max(1, math.ceil(math.ceil((rows - int(rows * held)) / batch) * epochs))
        return min(steps, int(told.get(_MOST) or steps))


def epochs_of(wanted: Wanted) -> float:
    rule = rules()["setting.num_train_epochs"]
    if rule["setting"] in wanted.settings:
        return float(wanted.settings[rule["setting"]])
    return float(next((epochs for rows, epochs in rule["by_rows"] if wanted.data["rows"] <= rows), rule["else"]))


def step_settings(
    wanted: Wanted, verb: ProviderRecord, model: BaseModel, objective: Declared, adapter: Declared, known: Sequence[Entry] = ()
) -> StepSettings:  # fmt: skip
    """What the rows, the objective, the adapter and earlier runs say of the settings of the training step, those alone that the verb has.

    Args:
        known: earlier runs: what won in them on like rows counts before rules.
    """
    found = {choice.topic: choice for choice in _by_rows(wanted, model)}
    for provider in (adapter, objective):  # what is trained for counts before how
        for name, value in provider.step.items():
            found[name] = Reasoned(name, value, f"as `{provider.name}` says", provider.rule)
    for name, factor in objective.times.items():
        if name in found:
            value = float(f"{found[name].value * factor:.3g}")
            found[name] = Reasoned(name, value, f"{factor:g} times what `{adapter.name}` takes, as `{objective.name}` says", objective.rule)
    providers = {"objective": objective.name, "adapter": adapter.name}
    for best in won(known, verb=verb.name, providers=providers, data=wanted.data, model_bytes=model.bytes) if known else ():
        usual = found.get(best.setting)
        instead = f"{usual.value:g}, {usual.reason}" if usual and usual.value != best.value else ""
        found[best.setting] = Reasoned(best.setting, best.value, best.words, rules()["evidence.won"], instead)
    there = verb.schema["properties"]
    for name, value in wanted.settings.items():
        found[name] = Reasoned(name, value, wanted.reasons.get(name, "it was asked for"), rules()["provider.named"])
    return StepSettings(tuple(choice for name, choice in found.items() if name in there))


def _by_rows(wanted: Wanted, model: BaseModel) -> Iterator[Reasoned]:
    rows, rule = int(wanted.data["rows"]), rules()["setting.num_train_epochs"]
    epochs = epochs_of(wanted)
    yield Reasoned(rule["setting"], int(epochs), f"there are {number(rows)} rows", rule)
    rule = rules()["setting.batch_size"]
    batch = rule["most"]
    while batch > rule["least"] and rows * epochs / batch < rule["steps"]:
        batch //= 2
    few = math.ceil(rows * epochs / batch) < rule["steps"]
    floor = f": fewer than {rule['steps']} steps, and no batch has fewer than {rule['least']} rows" if few else ""
    yield Reasoned(rule["setting"], batch, f"{number(rows)} rows, {epochs:g} times{floor}", rule)
    yield from _length(wanted.data["longest"], model)
    rule = rules()["setting.validation_split"]
    if rows >= rule["rows"]:
        yield Reasoned(rule["setting"], rule["share"], f"{number(int(rows * rule['share']))} of {number(rows)} rows", rule)


def _length(longest: Mapping[str, int], model: BaseModel) -> Iterator[Reasoned]:
    if not longest:
        return
    rule = rules()["setting.max_length"]
    needed = math.ceil((longest["most"] * rule["times"] + rule["more"]) / rule["step"]) * rule["step"]
    if model.context and needed > model.context:
        yield Reasoned(rule["setting"], model.context, f"it is all that the model takes; the longest row has about {longest['most']}", rule)
        return
    yield Reasoned(rule["setting"], needed, f"the longest row has about {number(longest['most'])} tokens", rule)
