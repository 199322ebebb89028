"""Rewards as a pipeline names them, looked up among the installed plugins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

Entry = str | Mapping[str, Any]
_KEYS = ("weight", "only", "as")  # of an entry, beside the reward's name
_FIX = "Write a reward's name, or {NAME: {its settings}, weight: 1.0, only: {column: value}, as: label}."
_ENVIRONMENT = "Write an environment's name, or {NAME: {its settings}, weight: 1.0, as: label}."


@dataclass(frozen=True)
class RewardSpec:
    """One reward of a training, or the environment that its episodes are played in.

    Args:
        name: the label of its part in a `Score`; no other reward's here.
        target: ``package.module:Class``, imported in the workers.
        settings_class: ``package.module:Class`` of its settings; empty: it has none.
        settings: their values, of JSON.
        weight: what its value is multiplied with in the total; 0: it is only looked at. It may be negative.
        only: column -> value: rows that differ there are none of its. Empty: all rows are.
        distribution: who brings it, for what errors advise.
    """

    name: str
    target: str
    settings_class: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    only: Mapping[str, Any] = field(default_factory=dict)
    distribution: str = ""

    def takes(self, row: Mapping[str, Any]) -> bool:
        return all(column in row and row[column] == value for column, value in self.only.items())


def read_rewards(
    written: Entry | Sequence[Entry], registry: Registry | None = None, *, inputs: Mapping[str, str] | None = None
) -> list[RewardSpec]:  # fmt: skip
    """The rewards that are named, with their settings checked against their schemas and defaults filled in. Imports none of them.

    Args:
        written: an entry or a list of them. An entry is a reward's name, or a mapping of that name to its settings, which may have the keys
            ``weight`` (a number), ``only`` (column -> value) and ``as`` (a label, where one reward is there twice) beside it.
        registry: of the installed plugins; None: it is read.
        inputs: folders of artifacts that a pipeline's step gives, by the input's name (``reward_model``). A reward whose record has the
            fact ``inputs``, such a name -> one of its settings, finds the folder there, unless that is written.

    Raises:
        UserError: TS-REWARD-002 for what is no list of rewards, or a setting that is not one's; of TS-PLUGIN-001 to 003 where none is
            installed under that name, or it may not be used. TS-REWARD-008 for an input that no reward reads.
    """
    from tunesmith.contracts.settings import fill, problems

    registry = _registry() if registry is None else registry
    found: list[RewardSpec] = []
    read: set[str] = set()
    for entry in [written] if isinstance(written, str | Mapping) else written:
        name, values, weight, only, label = _entry(entry)
        record = registry.provider("reward", name)
        for given, setting in record.facts.get("inputs", {}).items():
            if given in (inputs or {}) and setting not in values:
                values[setting] = (inputs or {})[given]
                read.add(given)
        wrong = [f"`{path}` {sentence}" for path, sentence in problems(record.schema, values)]
        if wrong:
            fix = f"Its settings: tunesmith plugin info {record.distribution}"
            raise UserError("TS-REWARD-002", f"the reward `{name}` can't be told that", why="; ".join(wrong), fix=fix)
        settings = fill(record.schema, values)
        found.append(RewardSpec(label, record.target, record.settings, settings, weight, only, record.distribution))
    labels = [one.name for one in found]
    if not found:
        raise UserError("TS-REWARD-002", "no reward is named", fix=_FIX)
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise UserError("TS-REWARD-002", f"two rewards are called `{twice[0]}`", fix="Give one of them a label: `as: NAME`.")
    if unread := sorted({*(inputs or {})} - read):
        raise UserError(
            "TS-REWARD-008", f"the step is given `{unread[0]}`, and none of its rewards reads it",
            why=f"They are {', '.join(f'`{label}`' for label in labels)}.",
            fix=f"Name one that does, as `model` without a `path`, or leave `{unread[0]}` out.",
        )  # fmt: skip
    return found


def read_environment(written: Entry, registry: Registry | None = None) -> RewardSpec:
    """The environment that is named, with its settings checked against their schema and defaults filled in. Imports nothing of it.

    Args:
        written: its name, or a mapping of that to its settings, which may have the keys ``weight`` (what its reward counts in the
            total) and ``as`` (a label of its part) beside it.
        registry: as for `read_rewards`.

    Raises:
        UserError: TS-REWARD-012 for what is no environment, or a setting that is not its own; of TS-PLUGIN-001 to 003 where none is
            installed under that name, or it may not be used.
    """
    from tunesmith.contracts.settings import fill, problems

    try:
        name, values, weight, only, label = _entry(written)
    except UserError as error:
        raise UserError("TS-REWARD-012", f"{written!r} names no environment", why=error.what, fix=_ENVIRONMENT) from error
    if only:
        why = "Each row is played in it."
        raise UserError("TS-REWARD-012", f"the environment `{name}` can't be for some rows `only`", why=why, fix="Leave `only` out.")
    record = (_registry() if registry is None else registry).provider("rl_environment", name)
    if wrong := [f"`{path}` {sentence}" for path, sentence in problems(record.schema, values)]:
        fix = f"Its settings: tunesmith plugin info {record.distribution}"
        raise UserError("TS-REWARD-012", f"the environment `{name}` can't be told that", why="; ".join(wrong), fix=fix)
    return RewardSpec(label, record.target, record.settings, fill(record.schema, values), weight, {}, record.distribution)


def _registry() -> Registry:
    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry

    return load_registry(load_config())


def _entry(entry: Any) -> tuple[str, dict[str, Any], float, dict[str, Any], str]:
    """Name, settings, weight, rows and label of an entry."""
    if isinstance(entry, str):
        return entry, {}, 1.0, {}, entry
    if not isinstance(entry, Mapping):
        raise UserError("TS-REWARD-002", f"{entry!r} is no reward", fix=_FIX)
    names = [key for key in entry if key not in _KEYS]
    if len(names) != 1:
        what = f"an entry of rewards names {len(names)} rewards" + (f": {', '.join(map(str, names))}" if names else "")
        raise UserError("TS-REWARD-002", what, why="Each entry names one.", fix=_FIX)
    (name,) = names
    settings, weight, only = entry[name] or {}, entry.get("weight", 1.0), entry.get("only") or {}
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
        raise UserError("TS-REWARD-002", f"the weight of the reward `{name}` is {weight!r}, which is no number", fix=_FIX)
    for what, value in (("settings", settings), ("`only`", only)):
        if not isinstance(value, Mapping):
            raise UserError("TS-REWARD-002", f"{what} of the reward `{name}` is {value!r}, which is no mapping", fix=_FIX)
    return str(name), dict(settings), float(weight), dict(only), str(entry.get("as") or name)
