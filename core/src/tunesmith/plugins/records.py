"""What a manifest says, as records: the registry's and the planner's view of a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tunesmith.contracts.provider import Grade, Input, Kind, Need, Slot

State = Literal["active", "denied", "broken", "incompatible", "overridden", "duplicate"]
Preference = Literal["auto", "host", "isolated"]


@dataclass(frozen=True)
class ProviderRecord:
    """A `Provider` (or `Verb`) as its manifest gives it, with the plugin that brings it.

    `schema` is the settings' JSON Schema; `settings` names the settings class (``module:Class``) for the worker, empty if there is none.
    `kind_from` names the distribution that brings the kind, where that is another plugin.
    The fields from `main_kind` on are a verb's (see `tunesmith.contracts.provider.Verb`).
    """

    kind: str
    name: str
    summary: str
    target: str
    distribution: str
    version: str
    api: int = 1
    kind_from: str = ""
    settings: str = ""
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}, "additionalProperties": False})
    accepts: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    capabilities: Mapping[str, Grade] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    estimator: str = ""
    variants: str = ""
    priority: int = 0
    secrets: tuple[str, ...] = ()
    main_kind: str = ""
    many: bool = False
    slots: tuple[Slot, ...] = ()
    inputs: tuple[Input, ...] = ()
    produces_of: str = ""
    converts: str = ""
    service: bool = False
    promote: bool = False
    computes: bool = True

    @property
    def identity(self) -> dict[str, str]:
        """What names this provider in cache keys, artifacts and reports."""
        return {"kind": self.kind, "name": self.name, "distribution": self.distribution, "version": self.version}

    def ranks(self, settings: Mapping[str, Any]) -> int:
        """How many processes it wants with these settings: what the setting says that its fact ``ranks`` names, and where that is left out,
        what its fact ``usual_ranks`` says."""
        given = settings.get(str(self.facts.get("ranks")), 1)
        for name, counts in self.facts.get("usual_ranks", {}).items() if given is None else ():
            given = counts.get(str(settings.get(name) or ""))
        return int(given or 1)


@dataclass(frozen=True)
class EnvironmentSpec:
    """What a plugin says of the environment that it runs in, beside its requirements.

    Args:
        prefer: ``auto``: the host's environment if it meets the requirements, else one of its own; ``isolated``: never the host's.
        python: version specifier of the interpreters that it runs under; empty: any that a worker does.
        runtime: further requirements by device backend (its extras ``runtime-<name>``).
        without_dependencies: requirements installed after the rest, whose own requirements are not looked at.
        absent: distributions that must not be there, though others ask for them.
        probe: ``module:function``, the health check of a new environment: raises what is wrong.
    """

    prefer: Preference = "auto"
    python: str = ""
    runtime: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without_dependencies: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    probe: str = ""


@dataclass(frozen=True)
class Plugin:
    """An installed plugin distribution, whatever its state.

    Args:
        module: what the entry point names; imported only by `plugin sync`, by workers, and for event hooks.
        kinds: kinds of its own that it brings.
        events: event hooks that it implements.
        commands: (name, summary, target) of commands of its own.
        runtime: requirement strings of its ``[runtime]`` extra.
        environment_spec: what else it says of the environment that it runs in.
        error_pages: beginning of its errors' codes -> address of their pages, ``{code}`` for the code.
        path: its manifest; None if it has none.
        state, reason: why it is not active, if it is not. A plugin that is ``duplicate`` or ``overridden`` in one name goes on working in
            its others.
        fix: what to do about that.
        missing: requirements that this environment does not meet (see `tunesmith.plugins.requirements`): by device backend, ``""`` on any.
        fingerprint: hash of the versions that it runs on here, as discovery found them (see `tunesmith.plugins.requirements.fingerprint`).
        absent: what its records name and is not there, a sentence each, as discovery found it; of an editable one, whose code may change at
            any time, `tunesmith.plugins.missing_targets.absent_of` tells.
        editable: installed so that its author can change the code in place.
    """

    distribution: str
    version: str
    module: str
    providers: tuple[ProviderRecord, ...] = ()
    kinds: tuple[Kind, ...] = ()
    events: tuple[str, ...] = ()
    commands: tuple[tuple[str, str, str], ...] = ()
    runtime: tuple[str, ...] = ()
    environment_spec: EnvironmentSpec = EnvironmentSpec()
    error_pages: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    state: State = "active"
    reason: str = ""
    fix: str = ""
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fingerprint: str = ""
    absent: tuple[str, ...] = ()
    editable: bool = False
