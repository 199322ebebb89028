"""What fits: models, the best first, with adapters, the best first, each asked of the planner's estimates until one does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import Device
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith_cli.api import StepEstimate, StepEstimator, duration, size
from tunesmith_recommend.choice import verbs
from tunesmith_recommend.choice.declared import Declared, declared
from tunesmith_recommend.choice.models import Suiting, size_rule, suiting
from tunesmith_recommend.choice.recommendation import Wanted
from tunesmith_recommend.choice.rules import Rule, rules
from tunesmith_recommend.choice.settings import StepSettings, epochs_of, step_settings
from tunesmith_recommend.evidence.correction import Correction, correction
from tunesmith_recommend.evidence.entry import MEMORY, TIME, dtype_of
from tunesmith_recommend.evidence.known import Known
from tunesmith_recommend.evidence.quality import LikelyQuality, likely_quality

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry
    from tunesmith_recommend.catalog.base_model import BaseModel

AUTO = "auto"
SAVING = "memory"  # the goal whose first adapter shows whether a model fits at all


@dataclass(frozen=True)
class Trial:
    """A training step that was looked at.

    Args:
        savings: settings of the step with which it needs less, beside `settings`.
        seen: what the planner says of it.
        seconds: of the whole training; 0 where nobody knows.
        why_not: empty where it can be done.
        time, memory: what earlier runs say of the rules' figures; `seconds` are corrected by it.
    """

    suiting: Suiting
    verb: ProviderRecord
    objective: Declared
    adapter: Declared
    settings: StepSettings
    savings: Mapping[str, Any]
    seen: StepEstimate
    steps: int
    seconds: float
    why_not: str = ""
    time: Correction = field(default_factory=Correction)
    memory: Correction = field(default_factory=Correction)

    @property
    def needed(self) -> float:
        """Bytes of the device; more than the planner says where earlier runs needed more, never less."""
        return self.seen.needed * max(1.0, self.memory.factor)

    @property
    def model(self) -> BaseModel:
        return self.suiting.model

    @property
    def id(self) -> str:
        """As `Wanted.failed` calls it."""
        return f"{self.model.uri} {self.adapter.name}"

    @property
    def words(self) -> str:
        return f"{self.model.name} with {self.adapter.name}"

    @property
    def refusal(self) -> str:
        return f"{self.words}: it {self.why_not}"


@dataclass
class Search:
    """
    Args:
        devices: by backend; `asked`: the backend to compute on.
        limit: seconds that training may take.
        estimators: the plugins'.
        refused: what was looked at and can't be, in order.
        known: earlier runs.
    """

    registry: Registry
    wanted: Wanted
    models: Sequence[BaseModel]
    devices: Mapping[str, Sequence[Device]]
    asked: str = AUTO
    estimators: Estimators = field(default_factory=Estimators)
    refused: list[Trial] = field(default_factory=list)
    known: Known = field(default_factory=Known)

    def fitting(self) -> Iterator[Trial]:
        """What can be done, the best first; last what nobody knows the needs of."""
        unknown = []
        for one in self.suiting:
            for trial in self._of_model(one):
                if trial.why_not:
                    self.refused.append(trial)
                elif trial.seen.fits is None:
                    unknown.append(trial)
                else:
                    yield trial
        yield from unknown

    @cached_property
    def suiting(self) -> list[Suiting]:
        """The models that suit, the best first, whatever fits."""
        return suiting(self.models, self.wanted, float("inf") if self.wanted.model else self.most)

    @property
    def most(self) -> float:
        """Parameters, by the goal and by what is known of the machine."""
        return float(self.size_rule.figures.get("most", float("inf")))

    @property
    def size_rule(self) -> Rule:
        """What bounds the size: the goal, or that nobody knows how fast the machine is."""
        goal, unknown = size_rule(self.wanted.goal), rules()["model.unknown-speed"]
        known = all(device.facts.get("flops") for here in self.devices.values() for device in here)
        return goal if known or goal.figures.get("most", float("inf")) <= unknown["most"] else unknown

    @property
    def limit(self) -> float:
        return self.wanted.budget or rules()["time.most"]["hours"] * 3600

    @property
    def tokens(self) -> float:
        return float(self.wanted.data["tokens"]) * epochs_of(self.wanted)

    def declared(self, records: Sequence[ProviderRecord], goal: str = "") -> list[Declared]:
        """Of some providers those that may be recommended, the best first, with the settings that are asked for."""
        found = declared(self.wanted.left(records), goal or self.wanted.goal, self.wanted.asked_task, self.tokens, self.wanted.named)
        return [one.of(self.wanted.data).asked(self.wanted.settings, verbs.training_settings(self.registry)) for one in found]

    def _of_model(self, one: Suiting) -> Iterator[Trial]:
        estimators = self._estimators(one.model)
        for verb in verbs.training_verbs(self.registry):
            objectives = self.declared(verbs.reading(self.registry, verb, self.wanted.data["produces"]))
            adapters = [*self.registry.providers(verbs.ADAPTER).values()]
            for objective in objectives[:1] if objectives and objectives[0].said else objectives:
                least = self.declared(adapters, SAVING)[:1]
                tried = [self._tried(one, verb, objective, each, estimators, saving=True) for each in least]
                if tried and tried[0].why_not and self._hopeless(tried[0]):
                    yield tried[0]
                    continue
                for adapter in self.declared(adapters):
                    if adapter.said or not any(each.said for each in self.declared(adapters)):
                        yield from self._with_savings(one, verb, objective, adapter, estimators)

    def _hopeless(self, trial: Trial) -> bool:
        """Whether no adapter would do better: it is too large for the device, or takes too long, with all that saves memory."""
        if trial.id in self.wanted.failed:
            return False
        return not trial.seen.problems and trial.seen.fits is not None

    def _with_savings(
        self, one: Suiting, verb: ProviderRecord, objective: Declared, adapter: Declared, estimators: StepEstimator
    ) -> Iterator[Trial]:  # fmt: skip
        trial = self._tried(one, verb, objective, adapter, estimators)
        yield trial
        if trial.why_not and trial.seen.estimate and not trial.seen.problems:
            more: dict[str, Any] = {}
            for saving in trial.seen.estimate.savings:
                more |= saving
                less = self._tried(one, verb, objective, adapter, estimators, more)
                if less.why_not:
                    continue
                yield self._largest(less)
                return

    def _largest(self, trial: Trial) -> Trial:
        """The same, computed in the same way, with as much as fits of what was made smaller: the usual amount halved as often as it has to
        be."""
        for name, least in trial.savings.items():
            usual = trial.settings.values.get(name, trial.verb.schema["properties"][name].get("default"))
            if isinstance(least, bool) or not isinstance(least, int) or not isinstance(usual, int):
                continue
            amount = usual // 2
            while amount > least:
                more = self._tried(
                    trial.suiting,
                    trial.verb,
                    trial.objective,
                    trial.adapter,
                    self._estimators(trial.model),
                    {**trial.savings, name: amount},
                )
                if not more.why_not and _computed_alike(more, trial):
                    return more
                amount //= 2
        return trial

    def _tried(
        self, one: Suiting, verb: ProviderRecord, objective: Declared, adapter: Declared, estimators: StepEstimator,
        savings: Mapping[str, Any] | None = None, *, saving: bool = False,
    ) -> Trial:  # fmt: skip
        """
        Args:
            saving: with all settings with which it would need less.
        """
        from tunesmith.planning.pipeline.step_syntax import ProviderSpec

        settings = step_settings(self.wanted, verb, one.model, objective, adapter, self.known.entries)
        slots = {slot.name: ProviderSpec(slot.kind, AUTO, {}, ("recommend", slot.name)) for slot in verb.slots}
        for kind, name, chosen in ((verb.main_kind, verb.main_kind, objective), (verbs.ADAPTER, verb.produces_of, adapter)):
            slots[name] = ProviderSpec(kind, chosen.name, dict(chosen.settings), ("recommend", name))
        values = {**settings.values, **(savings or {})}
        seen = estimators.of(verb, values, slots)
        if saving and seen.estimate and not seen.problems and seen.fits is False:
            savings = {name: value for one_saving in seen.estimate.savings for name, value in one_saving.items()}
            if savings:
                seen = estimators.of(verb, {**values, **savings}, slots)
        steps = settings.steps(verb, int(self.wanted.data["rows"]))
        told = {what: self._correction(what, verb, seen, values, one.model.bytes) for what in (TIME, MEMORY)}
        seconds = seen.seconds * steps * told[TIME].factor
        trial = Trial(
            one, verb, objective, adapter, settings, dict(savings or {}), seen, steps, seconds, time=told[TIME], memory=told[MEMORY]
        )
        return Trial(**{**vars(trial), "why_not": self._why_not(trial)})

    def _correction(
        self, what: str, verb: ProviderRecord, seen: StepEstimate, settings: Mapping[str, Any], model_bytes: float
    ) -> Correction:  # fmt: skip
        """What earlier runs on the same device say of what is predicted of a step."""
        device = next(iter(self.devices.get(seen.device, ())), None)
        providers = {choice.record.kind: choice.record.name for choice in seen.choices.values()}
        usual = {name: entry.get("default") for name, entry in verb.schema["properties"].items()}
        return correction(
            self.known.entries, what, verb=verb.name, device=device.name if device else "", providers=providers,
            dtype=dtype_of({**usual, **settings}), model_bytes=model_bytes, home=self.known.home,
        )  # fmt: skip

    def quality(self, trial: Trial) -> LikelyQuality | None:
        """What like runs have come to."""
        providers = {"objective": trial.objective.name, "adapter": trial.adapter.name}
        model = {"bytes": trial.model.bytes} if self.known.entries else {}
        return likely_quality(self.known.entries, verb=trial.verb.name, providers=providers, data=self.wanted.data, model=model)

    def _why_not(self, trial: Trial) -> str:
        seen = trial.seen
        if why := self.wanted.failed.get(trial.id):
            return f"was tried: {why}"
        if seen.problems:
            return f"can't be: {seen.problems[0].what}"
        if seen.estimate and seen.fits is not None:
            there = seen.capacity.memory
            if seen.fits is False and seen.needed <= there:
                return f"needs {size(seen.host)} of the host's memory for each device"
            if trial.needed > there * rules()["memory.margin"]["share"]:
                left = "" if trial.needed > there else ", too little to be sure"
                return f"needs {size(trial.needed)}, and {seen.capacity.name} has {size(there)}{left}"
        if trial.seconds > self.limit:
            return f"takes about {duration(trial.seconds)}, longer than {duration(self.limit)}"
        return ""

    def _estimators(self, model: BaseModel) -> StepEstimator:
        from tunesmith.planning.inputs.step_outputs import Product

        product = Product("model", "model", model.format, model.bytes, config=model.config, model_bytes=model.bytes)
        return StepEstimator(self.registry, self.devices, product, self.wanted.statistics, self.asked, self.estimators)


def _computed_alike(one: Trial, other: Trial) -> bool:
    """Whether the same providers take part in both."""
    names = [{slot: choice.record.name for slot, choice in trial.seen.choices.items()} for trial in (one, other)]
    return names[0] == names[1]
