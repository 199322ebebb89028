"""What somebody would have otherwise in a pipeline: other providers, other settings, another model."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

from tunesmith.errors import TunesmithError
from tunesmith_cli.api import duration, size, translated
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.api import Recommendation, Wanted, declared
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.forms import form, shown
from tunesmith_wizard.question import Option

_SETTINGS, _EPOCHS = "settings", "num_train_epochs"


class Part(NamedTuple):
    """What can be changed of a step.

    Args:
        step: its name; `key`: in the step: the verb, a slot, or ``settings``.
        kind: of the provider that it names; empty for settings.
    """

    step: str
    key: str
    kind: str

    @property
    def name(self) -> str:
        return f"{self.step}.{self.key}"


class Change:
    """One change of a pipeline. What the planner does not take is told, and the pipeline stays as it was."""

    def __init__(self, shop: Workshop, pipeline: Mapping[str, Any], found: Recommendation, wanted: Wanted) -> None:
        self.shop, self.pipeline, self.found, self.wanted = shop, dict(pipeline), found, wanted
        self.registry = shop.session.registry

    def ask(self) -> dict[str, Any]:
        parts = {part.name: part for name, step in self.pipeline["steps"].items() for part in self._parts(name, step)}
        options = [Option("model", _("the model: {value}", value=self.pipeline["model"]))]
        options += [Option(name, f"{name}: {shown(self._written(part))}", self._about(part)) for name, part in parts.items()]
        options.append(Option("back", _("nothing")))
        interview = self.shop.interview
        chosen = interview.choose("change", _("What shall be otherwise?"), options, "back")
        if chosen == "back":
            return self.pipeline
        if chosen == "model":
            changed = {**self.pipeline, "model": self.shop.models.ask(interview, "model", _("Which model?"))}
        else:
            part = parts[chosen]
            value = self._settings(part) if part.key == _SETTINGS else self._provider(part)
            step = {**self.pipeline["steps"][part.step], part.key: value}
            changed = {**self.pipeline, "steps": {**self.pipeline["steps"], part.step: {k: v for k, v in step.items() if v != {}}}}
        return changed if self._plans(changed) else self.pipeline

    def _parts(self, name: str, step: Mapping[str, Any]) -> list[Part]:
        verb = self._verb(step)
        found = [Part(name, verb.name, verb.main_kind)] if verb.main_kind else []
        found += [Part(name, slot.name, slot.kind) for slot in verb.slots if slot.told]
        return [*found, Part(name, _SETTINGS, "")] if verb.schema.get("properties") else found

    def _verb(self, step: Mapping[str, Any]) -> Any:
        return next(verb for name, verb in self.registry.providers("verb").items() if name in step)

    def _written(self, part: Part) -> Any:
        return self.pipeline["steps"][part.step].get(part.key, {} if part.key == _SETTINGS else "auto")

    def _about(self, part: Part) -> str:
        verb = self._verb(self.pipeline["steps"][part.step])
        slots = {slot.name: slot.summary for slot in verb.slots}
        return translated(slots.get(part.key, verb.summary))

    def _settings(self, part: Part) -> dict[str, Any]:
        verb = self._verb(self.pipeline["steps"][part.step])
        title = _("A setting of {name} to change?", name=verb.name)
        return form(self.shop.interview, part.name, title, verb.schema, self._written(part))

    def _provider(self, part: Part) -> Any:
        """Which one, and its settings."""
        written = self._written(part)
        name, settings = next(iter(written.items())) if isinstance(written, dict) else (written, {})
        records = self.registry.providers(part.kind)
        order = [
            one.record.name for one in declared(records.values(), self.wanted.goal, self.wanted.asked_task, self.wanted.data["tokens"])
        ]
        names = [*order, *(other for other in records if other not in order)]
        options = [Option(one, one, translated(records[one].summary)) for one in names]
        options.append(Option("auto", _("the planner chooses")))
        title = _("Which {kind}?", kind=translated(part.kind.replace("_", " ")))
        chosen = self.shop.interview.choose(part.name, title, options, name, reason=_("as it is now"))
        if chosen == "auto":
            return chosen
        title = _("A setting of {name} to change?", name=chosen)
        settings = form(self.shop.interview, f"{part.name}.{chosen}", title, records[chosen].schema, settings if chosen == name else {})
        return {chosen: settings} if settings else chosen

    def _plans(self, pipeline: Mapping[str, Any]) -> bool:
        from tunesmith import Pipeline

        interview, session = self.shop.interview, type(self.shop.session).open(self.shop.folder)
        try:
            plan = session.plan(Pipeline(**pipeline, base=self.shop.folder).spec)
        except TunesmithError as error:
            interview.trouble(error)
            interview.say(_("It stays as it was."), "warn")
            return False
        known = [step.estimate for step in plan.steps if step.estimate]
        memory, disk = max((one.memory for one in known), default=0.0), sum(one.disk for one in known)
        told, seconds = size(memory) if memory else _("not known"), self._seconds(pipeline)
        took = _("about {time}", time=duration(seconds)) if seconds else _("not known")
        interview.say(
            _("It plans. memory: about {memory}; disk: {disk}; training: {time}", memory=told, disk=size(disk), time=took), "good"
        )
        return True

    def _seconds(self, pipeline: Mapping[str, Any]) -> float:
        """What training takes where it differs from the recommendation in the number of epochs alone; 0 where nobody knows."""
        before, now = copy.deepcopy(dict(self.found.pipeline)), copy.deepcopy(dict(pipeline))
        epochs = [step.get(_SETTINGS, {}).pop(_EPOCHS, 0) for one in (before, now) for step in one["steps"].values()]
        changed = [(old, new) for old, new in zip(epochs[: len(epochs) // 2], epochs[len(epochs) // 2 :], strict=False) if old and new]
        return self.found.prediction.seconds * changed[0][1] / changed[0][0] if before == now and len(changed) == 1 else 0.0
