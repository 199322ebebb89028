"""What providers say of themselves: the fact `recommend`, as docs/recommend.md has it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.settings import problems
from tunesmith.errors import UserError, did_you_mean
from tunesmith_recommend.choice.rules import Rule, rules

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry
    from tunesmith_recommend.catalog.base_model import BaseModel

FACT = "recommend"
_NUMBERS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "number"}}
_ONE: dict[str, Any] = {
    "type": "object", "required": ["order", "rule", "source"], "additionalProperties": False,
    "properties": {
        "order": {"type": "integer"}, "goals": {"type": "object", "additionalProperties": {"type": "integer"}},
        "tasks": {"type": "array", "items": {"type": "string"}},
        "tokens": {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 1, "maxItems": 2},
        "settings": {"type": "object"},
        "from_data": {"type": "object", "additionalProperties": {"type": "string"}},
        "step": {"type": "object"}, "times": _NUMBERS,
        "rule": {"type": "string"}, "source": {"type": "string"},
    },
}  # fmt: skip
SCHEMA: dict[str, Any] = {"anyOf": [_ONE, {"type": "array", "items": _ONE}]}


@dataclass(frozen=True)
class Declared:
    """A provider as it is recommended for some work.

    Args:
        order: higher comes first; `said`: whether it says so itself.
        settings: of the provider; `from_data`: setting of the provider -> what it is of the data, as `tunesmith data facts` calls it.
        step: settings of the step; `times`: setting of the step -> what to multiply it with.
    """

    record: ProviderRecord
    order: int
    rule: Rule
    said: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    step: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)
    from_data: Mapping[str, str] = field(default_factory=dict)

    def of(self, data: Mapping[str, Any]) -> Declared:
        """With the settings that the data say."""
        told = {name: data.get(key) for name, key in self.from_data.items()}
        return replace(
            self, settings={**self.settings, **{name: sorted(v) if isinstance(v, Mapping) else v for name, v in told.items() if v}}
        )

    def asked(self, settings: Mapping[str, Any], taken: Container[str]) -> Declared:
        """With those of the settings that are asked for which it has.

        Args:
            taken: names that mean a setting of the step.
        """
        own = {name: value for name, value in settings.items() if name in self.record.schema.get("properties", {}) and name not in taken}
        return replace(self, settings={**self.settings, **own})

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def id(self) -> str:
        """As `Wanted.failed` calls it."""
        return f"{self.record.kind} {self.name}"

    @property
    def written(self) -> Any:
        """As a pipeline names it."""
        return {self.name: dict(self.settings)} if self.settings else self.name


def wrong_with(record: ProviderRecord) -> str:
    """What is wrong with a provider's fact, as a sentence; empty if nothing is. The conformance kit asks it, too."""
    told = next((f"`{path}` {sentence}" for one in _listed(record.facts.get(FACT, ())) for path, sentence in _problems(record, one)), "")
    return f"what the {record.kind} `{record.name}` ({record.distribution}) says of itself is not heard: {told}" if told else ""


def _problems(record: ProviderRecord, one: Any) -> Iterator[tuple[str, str]]:
    if found := list(problems(_ONE, one)):
        yield from found
        return
    for path, sentence in problems(record.schema, one.get("settings", {})):
        yield f"settings.{path}", sentence
    for name in one.get("from_data", {}):
        if name not in record.schema.get("properties", {}):
            yield f"from_data.{name}", "is no setting of it"


def check_task(task: str, data: Mapping[str, Any], registry: Registry, models: Iterable[BaseModel]) -> None:
    """
    Raises:
        UserError: TS-CLI-002 for a task that neither data facts nor a provider or model knows.
    """
    known = {*rules()["data.tasks"]["known"], data["task"], *(name for model in models for name in model.tasks)}
    said = (
        record.facts[FACT] for plugin in registry.plugins for record in plugin.providers if FACT in record.facts and not wrong_with(record)
    )
    known |= {name for one in said for entry in _listed(one) for name in entry.get("tasks", ())}
    if task and task not in known:
        raise UserError("TS-CLI-002", f"--task {task} is no task that is known", fix=did_you_mean(task, known))


def declared(
    records: Iterable[ProviderRecord], goal: str, task: str, tokens: float, named: Mapping[str, str] | None = None
) -> list[Declared]:  # fmt: skip
    """The providers that may be recommended, the best first; those that say nothing of themselves last, by priority.

    Args:
        tokens: that are trained on, over all epochs.
        named: kind -> the provider that is asked for: of that kind no other, and this one whatever it says that it is for.
    """
    names = named or {}
    asked = [record for record in records if names.get(record.kind, record.name) == record.name]
    found = [one for record in asked if (one := _of(record, goal, task, tokens) or (_named(record) if record.kind in names else None))]
    return sorted(found, key=lambda one: (-one.said, -one.order, -one.record.priority, one.name))


def _of(record: ProviderRecord, goal: str, task: str, tokens: float) -> Declared | None:
    said = record.facts.get(FACT)
    if said is None or wrong_with(record):
        return Declared(record, record.priority, rules()["provider.declared"], said=False)
    for one in _listed(said):
        least, most = (*one.get("tokens", (0,)), float("inf"))[:2]
        if not least <= tokens < most or (one.get("tasks") and task not in one["tasks"]):
            continue
        order = int(one.get("goals", {}).get(goal, one["order"]))
        rule = Rule(f"{record.distribution}:{record.kind}.{record.name}", one["rule"], one["source"])
        return (
            None
            if order < 0
            else Declared(record, order, rule, True, *(one.get(key, {}) for key in ("settings", "step", "times", "from_data")))
        )
    return None


def _named(record: ProviderRecord) -> Declared:
    """One that is asked for, with the settings that it says of itself first of all."""
    said = record.facts.get(FACT)
    one = _listed(said)[0] if said and not wrong_with(record) else {}
    return Declared(
        record, record.priority, rules()["provider.named"], True, *(one.get(key, {}) for key in ("settings", "step", "times", "from_data"))
    )


def _listed(said: Any) -> Sequence[Any]:
    return said if isinstance(said, Sequence) and not isinstance(said, str) else [said]
