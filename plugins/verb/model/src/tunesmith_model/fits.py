"""What a model fits on: serving and fine-tuning it, as the planner would on this machine and on cards that are not here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tunesmith_cli.api import StepEstimator, card
from tunesmith_model.estimator import on, wanted

if TYPE_CHECKING:
    from tunesmith.contracts import Device
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry

KIND, ADAPTER = "device_backend", "adapter"


def fits_on(registry: Registry, steps: StepEstimator, named: tuple[str, tuple[Device, ...]] | None = None) -> list[dict[str, Any]]:
    """What can be done with it where, by verb: on this machine, and on the smallest card of the catalogues that it fits on.

    Args:
        steps: of this machine.
        named: cards to look at in place of these.
    """
    verbs = [verb for verb in registry.providers("verb").values() if _counts(verb)]
    if named:
        title = f"{len(named[1])} x {named[1][0].name}" if len(named[1]) > 1 else named[1][0].name
        return [{"on": title, "smallest": False, **_told(on(steps, *named), verb)} for verb in verbs]
    found = [{"on": "", "smallest": False, **_told(steps, verb)} for verb in verbs]
    for verb in verbs:
        tried = {"on": "", "fits": False}
        for title, backend, cards in _cards(registry):
            tried = {"on": title, **_told(on(steps, backend, cards), verb)}
            if tried["fits"] is not False:
                break
        if tried["fits"]:
            found.append({**tried, "smallest": True})
        elif tried["on"]:
            found.append({**tried, "smallest": False, "why_not": tried["why_not"] or "too large for any single card that is known"})
    return found


def _counts(verb: ProviderRecord) -> bool:
    """Whether it serves a model or trains one with an adapter: what takes its memory."""
    makes_adapters = any(slot.kind == ADAPTER and slot.name == verb.produces_of for slot in verb.slots)
    return bool(verb.main_kind) and (verb.service or makes_adapters)


def _cards(registry: Registry) -> Iterator[tuple[str, str, tuple[Device, ...]]]:
    """Of the catalogues' cards the first of each size, the smallest first."""
    sizes: dict[int, str] = {}
    for record in registry.providers(KIND).values():
        for title, entry in record.facts.get("cards", {}).items():
            sizes.setdefault(int(entry.get("mib", 0)), title)
    for _, title in sorted(sizes.items()):
        yield (title, *card(registry, title))


def _told(steps: StepEstimator, verb: ProviderRecord) -> dict[str, Any]:
    seen = steps.of(verb, {}, wanted(verb))
    return {
        "verb": verb.name, "fits": seen.fits, "needs": round(seen.needed), "needs_of_host": round(seen.host), "has": seen.capacity.memory,
        "device": seen.device,
        "providers": {slot: choice.record.name for slot, choice in seen.choices.items()},
        "why_not": seen.problems[0].what if seen.problems else "",
        "decisions": [{"what": one.what, "reason": one.reason} for one in seen.decisions],
    }  # fmt: skip
