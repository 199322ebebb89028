"""The check that every setting is alive: changed, it shows in something that the provider makes, asks of its library or decides."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.contracts.settings import fill
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk.conformance import catalog
from tunesmith_sdk.conformance.author_functions import missing
from tunesmith_sdk.conformance.bench.observation import (
    CALL,
    FAILED,
    LOG,
    REFUSED,
    REQUEST,
    Heard,
    Places,
    difference,
    of_files,
    of_value,
    rank,
    recorded,
)
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
from tunesmith_sdk.conformance.common.setting_values import changes, good_values

#: places that may differ from run to run: times, addresses, files for the time after a kill
_VARIES = (LOG, "metric", CALL, REQUEST, "left", "result")
#: choices that stand for another one
_STANDS_FOR = ("auto", "", 0, None)


def _has_settings(record: ProviderRecord) -> bool:
    return bool(record.schema.get("properties"))


@check(
    "settings.alive",
    when=_has_settings,
    title="each setting, changed, changes what it makes, asks of its library or decides, or is refused",
)
def alive(subject: Subject) -> Iterator[CheckFailed]:
    observer = catalog.OBSERVERS.get(subject.record.kind)
    if observer is None:
        raise NotRun(f"the kit does not know what {subject.record.kind} leaves of its work")
    watch = _Watch(subject)
    not_run: dict[str, str] = {}
    properties = subject.record.schema["properties"]
    for number, (name, entry) in enumerate(properties.items()):
        subject.step.check_cancelled()
        subject.step.progress(number, len(properties), what="settings", unit="settings")  # many take minutes: who waits hears of each
        try:
            subject.notes[name] = watch.shows(name, entry)
        except CheckFailed as error:
            subject.notes[name] = "dead"
            yield error
        except NotRun as reason:
            subject.notes[name] = f"not run: {reason.reason}"
            not_run[name] = reason.reason
    if not_run and "dead" not in subject.notes.values():
        told = "; ".join(f"`{name}`: {reason}" for name, reason in not_run.items())
        raise NotRun(f"{len(not_run)} of {len(subject.notes)} settings could not be looked at: {told}")


class _Watch:
    """Runs of a provider with settings changed; those that are the measure for others are kept."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        composed = subject.request.extra.get("composed")
        given = composed["settings"] if composed else next(good_values(subject.record.schema, subject.values))
        self.given = fill(subject.record.schema, given)
        self._usual: dict[str, tuple[Places, set[str]]] = {}

    def shows(self, name: str, entry: Mapping[str, Any]) -> str:
        """Where a change of a setting shows.

        Raises:
            CheckFailed: nowhere, or one of its choices does what another does.
            NotRun: it can't be looked at here.
        """
        effect = entry.get("effect", {})
        base = {**self.given, **effect.get("with", {})}
        usual, noise = self._measure(base, effect, name)
        seen: list[tuple[Any, Places]] = [(base.get(name), usual)]
        found, values = "", changes(entry, base.get(name))
        for value in values:
            after = self._run({**base, name: value}, effect, name, base)
            after = {place: said for place, said in after.items() if place not in noise}
            place = difference(usual, after, base.get(name), value)
            if place == FAILED:
                raise CheckFailed(f"`{name}` = {json.dumps(value)} fits its schema and fails", found=after[FAILED],
                                  fix="Bound the setting, or refuse the value by a coded error.")  # fmt: skip
            for old, places in seen if "enum" in entry and REFUSED not in after and value not in _STANDS_FOR else ():
                if old not in _STANDS_FOR and not difference(places, after, old, value):
                    raise CheckFailed(f"`{name}`: {json.dumps(value)} does what {json.dumps(old)} does", fix=_FIX)
            seen.append((value, after))
            found = min(filter(None, (found, place)), key=lambda place: (place == REFUSED, rank(place)), default="")
            if found not in ("", REFUSED) and "enum" not in entry:  # a refusal shows that it is read, not yet what it does
                break
        if not found and (wavering := sorted(place for place in noise if not place.startswith(_VARIES))):
            raise NotRun(f"two runs with the same settings differ in {wavering[0]}", where="fix what is not deterministic first")
        if not found:
            tried = ", ".join(map(json.dumps, values))
            raise CheckFailed(f"`{name}` is dead: nothing changes with it", found=f"{json.dumps(base.get(name))} -> {tried}", fix=_FIX)
        return _word(found, effect)

    def _measure(self, values: Mapping[str, Any], effect: Mapping[str, Any], name: str) -> tuple[Places, set[str]]:
        """What two runs with the same settings have in common, and the places in which they differ."""
        key = json.dumps([values, effect.get("call"), effect.get("scene") and [effect["scene"], name]], sort_keys=True)
        if key not in self._usual:
            one, other = (self._run(values, effect, name, values) for _ in range(2))
            if told := one.get(REFUSED) or one.get(FAILED):
                raise NotRun(f"with the settings to start from it is not done: {told}")
            noise = {place for place in {*one, *other} if one.get(place) != other.get(place)}
            self._usual[key] = ({place: said for place, said in one.items() if place not in noise}, noise)
        return self._usual[key]

    def _run(self, values: Mapping[str, Any], effect: Mapping[str, Any], name: str, told: Mapping[str, Any]) -> Places:
        """What a run with these settings leaves, by place.

        Args:
            told: the settings that an author's scene is told of: not the one that is changed.
        """
        record, heard = self.subject.record, Heard()
        places: Places = {}
        other = self.subject.varied(values, effect, heard)
        with recorded(effect.get("call", ""), record.target.partition(".")[0]) as calls:
            try:
                left = _in_scene(self.subject, other, name, told) or catalog.OBSERVERS[record.kind](other)
                for key, value in left.items():
                    places |= of_value(key, value)
                places |= of_files(other.step.output)
            except (CheckFailed, NotRun, Cancelled):
                raise
            except TunesmithError as error:
                places[REFUSED] = str(error)
            except Exception as error:
                traceback.print_exc()
                places[FAILED] = f"{type(error).__name__}: {error}"
        places |= {f"{CALL}[{number}]": call for number, call in enumerate(sorted(calls))} | heard.places
        own = str(other.step.output), str(other.step.work)
        return {place: said.replace(own[0], "<output>").replace(own[1], "<work>") for place, said in places.items()}


_FIX = "Let it do what its help says, or take it away; where it shows only at times, say when: `setting(..., effect=...)`."


def _in_scene(subject: Subject, other: Subject, name: str, told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What comes of a scene of the author's; None where the setting asks for none, or for one that the kit has."""
    if "scene" not in other.effect or other.effect["scene"] in catalog.SCENES.get(subject.record.kind, ()):
        return None
    teller = subject.elsewhere()
    teller.values = dict(told)
    said = teller.asked("scene", name, other.step, other.build)
    if said is None:
        raise missing("scene")
    return {"scene": said}


def _word(place: str, effect: Mapping[str, Any]) -> str:
    """A place as a reader of the table knows it."""
    beside = "".join(f", with {name}: {value}" for name, value in effect.get("with", {}).items())
    scene = f", in the scene `{effect['scene']}`" if "scene" in effect else ""
    return (f"call of {effect['call']}" if place.startswith(CALL) else place.partition("[")[0]) + beside + scene
