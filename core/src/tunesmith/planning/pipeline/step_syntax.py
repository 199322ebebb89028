"""What one step says, read with the registry at hand: its verb, the providers wanted, where its inputs come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.artifacts import numbered
from tunesmith.contracts.kinds.input_reader import FILE
from tunesmith.errors import TunesmithError, did_you_mean, listed, shown
from tunesmith.planning.pipeline.gates import parse_gate
from tunesmith.planning.pipeline.spec import MODEL, PipelineSpec, seed_of
from tunesmith.planning.plan import Gate
from tunesmith.planning.problems import Notes
from tunesmith.plugins.records import ProviderRecord
from tunesmith.units import bytes_of

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

AUTO = "auto"
HOST = "host"
ISOLATED = "isolated"
LOCAL = "local"  #: the executor that is none: on this machine
EXECUTOR = "executor"
PLACES = (AUTO, HOST, ISOLATED)  #: environments that a step may ask for
FROM = "from"
RESOURCES = {  # that a step may say it takes, and how
    "cores": "Give a whole number of the processor's cores, from 1.",
    "memory": "Give bytes, or a size such as 8GiB or 500MB.",
}
COMMON_KEYS = (FROM, "needs", "gate", "seed", "device", EXECUTOR, "env", "resources", "settings")

Path = tuple[Any, ...]


@dataclass(frozen=True)
class ProviderSpec:
    """A provider as the user asks for it. `name` is ``auto`` where the choice is the planner's."""

    kind: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    path: Path = ()


@dataclass(frozen=True)
class StepSpec:
    """A step before its providers are looked up.

    Args:
        main: providers of the verb's main kind, one each for a planned step; empty for a verb that takes none.
        slots: the verb's other providers.
        sources: main inputs: step names, ``model``, or a file.
        inputs: the other inputs: a step's name, or what an input reader makes something of (text, list or mapping).
        executor: where it is to run; None: on this machine.
        resources: fields of `Resources` that the step is to be given instead of what its estimate says.
    """

    name: str
    verb: ProviderRecord
    main: tuple[ProviderSpec, ...] = ()
    slots: Mapping[str, ProviderSpec] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    settings_path: Path = ()
    sources: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    seed: int = 0
    device: str = AUTO
    env: str = AUTO
    executor: ProviderSpec | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)


def read_steps(spec: PipelineSpec, registry: Registry, notes: Notes) -> list[StepSpec]:
    """Every step that can be made sense of; what is wrong with the others goes to `notes`."""
    verbs = registry.providers("verb")
    mappings = {name: raw for name, raw in spec.steps.items() if isinstance(raw, Mapping)}  # of the others it is told already
    return [step for name, raw in mappings.items() if (step := _StepReader(spec, registry, notes, name, raw).step(verbs)) is not None]


class _StepReader:
    def __init__(self, spec: PipelineSpec, registry: Registry, notes: Notes, name: str, raw: Mapping[str, Any]) -> None:
        self.spec, self.registry, self.notes, self.name, self.raw = spec, registry, notes, name, raw
        self.path: Path = ("steps", name)

    def step(self, verbs: Mapping[str, ProviderRecord]) -> StepSpec | None:
        verb = self.verb(verbs)
        if verb is None:
            return None
        others = [i.name for i in verb.inputs[1:]]
        slots = [slot.name for slot in verb.slots]
        for key in self.raw:
            if key not in (verb.name, *COMMON_KEYS, *others, *slots):
                is_main = bool(verb.inputs) and key == verb.inputs[0].name
                fix = f"The {key} is written `from`." if is_main else did_you_mean(key, (*COMMON_KEYS, *others, *slots))
                self.problem("TS-SPEC-004", key, f"`{key}` is not a key of a step that does `{verb.name}`", fix)
        value, settings, settings_path = self.raw[verb.name], self.mapping("settings"), (*self.path, "settings")
        main: tuple[ProviderSpec, ...] = ()
        if verb.main_kind:
            main = self.mains(verb, value)
        elif isinstance(value, Mapping):
            settings, settings_path = {**value, **settings}, (*self.path, verb.name) if not settings else settings_path
        elif value is not None:
            self.problem("TS-SPEC-008", verb.name, f"`{verb.name}` takes no provider, got {shown(value)}", f"Write `{verb.name}: {{}}`.")
        if self.raw.get("env") not in (None, *PLACES):
            self.problem(
                "TS-SPEC-005", "env", f"there is no environment {shown(self.raw['env'])}", did_you_mean(str(self.raw["env"]), PLACES)
            )
        verb, lists = self.lists(verb)
        others = [name for name in others if name not in lists]
        return StepSpec(
            name=self.name, verb=verb, main=main, settings=settings, settings_path=settings_path,
            slots={s.name: self.slot(s.kind, s.name, s.default) for s in verb.slots}, sources=self.sources(verb),
            inputs={key: read for key in others if (read := self.input(key)) != ""} | lists, needs=self.names("needs"), gates=self.gates(),
            seed=seed_of(self.raw, self.path, self.spec.seed, self.spec, self.notes), device=self.text("device") or self.spec.device,
            env=self.raw["env"] if self.raw.get("env") in PLACES else AUTO, executor=self.executor(), resources=self.resources(),
        )  # fmt: skip

    def verb(self, verbs: Mapping[str, ProviderRecord]) -> ProviderRecord | None:
        found = [key for key in self.raw if key in verbs]
        if len(found) > 1:  # `merge` may be one verb's slot and another verb
            owned = {owner: {s.name for s in verbs[owner].slots} | {i.name for i in verbs[owner].inputs} for owner in found}
            found = [key for key in found if not any(key in names for owner, names in owned.items() if owner != key)] or found
        if len(found) == 1:
            return verbs[found[0]]
        if found:
            self.problem("TS-SPEC-006", found[1], f"the step `{self.name}` has {len(found)} verbs: {', '.join(found)}",
                         "A step does one thing: make a step of each, joined by `from`.")  # fmt: skip
            return None
        parts = {name: {part.name for part in (*verb.slots, *verb.inputs[1:])} for name, verb in verbs.items()}
        strange = [key for key in self.raw if key not in COMMON_KEYS and not any(key in names for names in parts.values())]
        near = [key for key in strange if get_close_matches(key, verbs, n=1)]
        if not strange:
            given = set(self.raw) - set(COMMON_KEYS)
            suited = sorted([name for name, names in parts.items() if given <= names] or verbs)
            self.problem("TS-SPEC-006", None, f"the step `{self.name}` has no verb", f"Say what it does: {listed(suited)}.")
            return None
        key = (near or strange)[0]
        try:
            return self.registry.verb(key)
        except TunesmithError as error:
            what = f"the step `{self.name}` has no verb that is known here: {error.what}"
            owner = next((v.name for v in verbs.values() if v.main_kind and key in self.registry.providers(v.main_kind)), "")
            fix = f"Write `{owner}: {key}`." if owner else error.fix
            self.notes.adopt(TunesmithError(error.code, what, why=error.why, fix=fix, user=True), self.where(key))
        return None

    def mains(self, verb: ProviderRecord, value: Any) -> tuple[ProviderSpec, ...]:
        path = (*self.path, verb.name)
        if not isinstance(value, list):
            wanted = self.wanted(verb.main_kind, value, path)
            return (wanted,) if wanted else ()
        if not verb.many and len(value) != 1:
            self.problem("TS-SPEC-008", verb.name, f"`{verb.name}` takes one {words(verb.main_kind)}, got a list of {len(value)}",
                         "Make a step of each.")  # fmt: skip
            return ()
        if not value:
            self.problem("TS-SPEC-008", verb.name, f"`{verb.name}` is an empty list", self.known(verb.main_kind))
        return tuple(w for index, item in enumerate(value) if (w := self.wanted(verb.main_kind, item, (*path, index))))

    def slot(self, kind: str, name: str, default: str) -> ProviderSpec:
        path = (*self.path, name)
        if self.raw.get(name) is None:
            return ProviderSpec(kind, default or AUTO, {}, path)
        return self.wanted(kind, self.raw[name], path) or ProviderSpec(kind, AUTO, {}, path)

    def wanted(self, kind: str, value: Any, path: Path) -> ProviderSpec | None:
        """``name``, ``{name: settings}`` or ``{name: }``."""
        if isinstance(value, str) and value:
            return ProviderSpec(kind, value, {}, path)
        if isinstance(value, Mapping) and len(value) == 1:
            ((name, settings),) = value.items()
            if settings is None or (isinstance(settings, Mapping) and not (settings and name == AUTO)):
                return ProviderSpec(kind, name, settings or {}, (*path, name))
            what, fix = f"the settings of `{name}` should be a mapping, got {shown(settings)}", f"Write `{{{name}: {{setting: value}}}}`."
            if name not in self.registry.providers(kind):
                what, fix = f"`{name}` is no {words(kind)} with settings", f"Say whose: `{path[-1]}: {{NAME: {{...}}}}`. {self.known(kind)}"
        elif isinstance(value, Mapping) and value:
            first = next(iter(value))
            what = f"one {words(kind)} belongs here, got the keys {', '.join(f'`{key}`' for key in value)}"
            fix = f"If the others are settings of `{first}`, indent them below it: `{{{first}: {{setting: value}}}}`."
        elif value is None or value == {}:
            what, fix = f"`{path[-1]}` needs to say which {words(kind)}", f"{self.known(kind)} Or `{AUTO}`."
        else:
            what, fix = f"{shown(value)} is not the name of {an(words(kind))}", "Write `name` or `{name: {setting: value}}`."
        self.notes.problem("TS-SPEC-008", f"{self.spec.where(*path)}: {what}", fix=fix)
        return None

    def sources(self, verb: ProviderRecord) -> tuple[str, ...]:
        if not verb.inputs:
            if self.raw.get(FROM) is not None:
                self.problem("TS-SPEC-004", FROM, f"`{verb.name}` reads nothing, so it has no `from`", "Leave it out.")
            return ()
        found = self.names(FROM)
        if len(found) > 1 and not verb.many:
            self.problem("TS-SPEC-005", FROM, f"`{verb.name}` reads one thing, `from` names {len(found)}", "Make a step of each.")
            return ()
        implied = self.spec.model and self.raw.get(FROM) is None and FILE not in verb.inputs[0].accepts
        return found or ((MODEL,) if implied else ())

    def gates(self) -> tuple[Gate, ...]:
        found, written = [], self.raw.get("gate")
        for metric, text in ({written: ">= 1"} if isinstance(written, str) and written else self.mapping("gate")).items():
            try:
                found.append(parse_gate(self.name, metric, text, self.where("gate", metric)))
            except TunesmithError as error:
                self.notes.adopt(error)
        return tuple(found)

    def resources(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in self.mapping("resources").items():
            if key == "cores" and type(value) is int and value > 0:
                found[key] = value
            elif key == "memory" and (count := bytes_of(value)):
                found[key] = count
            elif key in RESOURCES:
                self.notes.problem("TS-SPEC-005", f"{self.where('resources', key)}: `{key}` can't be {shown(value)}", fix=RESOURCES[key])
            else:
                fix = did_you_mean(str(key), RESOURCES)
                self.notes.problem("TS-SPEC-004", f"{self.where('resources', key)}: there is no resource `{key}`", fix=fix)
        return found

    def executor(self) -> ProviderSpec | None:
        """The step's own, else the pipeline's."""
        own = self.raw.get(EXECUTOR)
        value, path = (self.spec.executor, (EXECUTOR,)) if own is None else (own, (*self.path, EXECUTOR))
        return None if value in (None, LOCAL) else self.wanted(EXECUTOR, value, path)

    def names(self, key: str) -> tuple[str, ...]:
        """A name or a list of names."""
        value = self.raw.get(key)
        items = value if isinstance(value, list) else [] if value is None else [value]
        if all(isinstance(item, str) and item for item in items) and (items or value is None):
            return tuple(dict.fromkeys(items))
        self.problem("TS-SPEC-005", key, f"`{key}` should be a step or a list of steps, got {shown(value)}", "Give the names of steps.")
        return ()

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        if value is None or (isinstance(value, str) and value):
            return value or ""
        told = f"`{key}` is empty" if value == "" else f"`{key}` should be text, got {shown(value)}"
        self.problem("TS-SPEC-005", key, told, "Give one name or path.")
        return ""

    def lists(self, verb: ProviderRecord) -> tuple[ProviderRecord, dict[str, str]]:
        """The verb with an input for each step that a list in the place of one names; and what they name."""
        inputs, found = list(verb.inputs), {}
        for entry in verb.inputs[1:]:
            if entry.many and isinstance(self.raw.get(entry.name), list):
                names = self.names(entry.name)
                found |= dict(zip(numbered(entry.name, len(names)), names, strict=True))
                inputs += [replace(entry, name=key) for key in numbered(entry.name, len(names))[1:]]
        return replace(verb, inputs=tuple(inputs)) if found else verb, found

    def input(self, key: str) -> Any:
        """A name, a path, or what an input reader knows the meaning of; empty text where nothing is written."""
        value = self.raw.get(key)
        alone = value[0] if isinstance(value, list) and len(value) == 1 else None
        return alone if isinstance(alone, str) and alone else value if isinstance(value, (list, Mapping)) else self.text(key)

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.raw.get(key)
        if value is None or isinstance(value, Mapping):
            return dict(value or {})
        self.problem("TS-SPEC-005", key, f"`{key}` should be a mapping, got {shown(value)}", f"Write `{key}: {{name: value}}`.")
        return {}

    def known(self, kind: str) -> str:
        return did_you_mean("", self.registry.providers(kind))

    def where(self, *keys: str) -> str:
        return self.spec.where(*self.path, *keys)

    def problem(self, code: str, key: str | None, what: str, fix: str) -> None:
        self.notes.problem(code, f"{self.where(*([key] if key else []))}: {what}", fix=fix)


def words(kind: str) -> str:
    """A kind or format family as a person says it."""
    return kind.replace("_", " ")


def an(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeio' else 'a'} {noun}"
