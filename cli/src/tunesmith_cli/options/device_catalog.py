"""Devices that are not here, by name: from the catalogues that device backends have as data in their manifests (fact `cards`), and from a
file of one's own."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.errors import UserError, did_you_mean
from tunesmith.plugins.records import ProviderRecord
from tunesmith_cli.options.cards_file import read_cards

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

KIND = "device_backend"
MOST = 1024  # cards of one --on: a plan looks at each, several times
_COUNT = re.compile(r"(\d+) ?[x*] ?(?=\w)", re.IGNORECASE)
_SIZED = re.compile(r"(.+)-\d+GB")  # a card's name with its memory
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT])?(i?)B?", re.IGNORECASE)


def add_cards(parser: Any) -> None:
    """The options that name cards: of a plan for another machine, or of the machines that an executor has steps run on."""
    parser.add_argument("--on", metavar="CARD", help="cards that are not here, by name, as many as said: A10, 8xH100 (8 in a node)")
    parser.add_argument("--cards", metavar="FILE", help="JSON with cards of your own for --on, beside those that device backends know")


def named_cards(args: Namespace, registry: Registry) -> tuple[str, tuple[Device, ...]] | None:
    """What those options name; None where they are not given.

    Raises:
        UserError: as `card`; TS-CLI-002 for a file without a card.
    """
    if args.cards and not args.on:
        raise UserError("TS-CLI-002", "--cards has cards for --on, which is not given", fix="Name one of them: --on CARD.")
    return card(registry, args.on, args.cards) if args.on else None


def card(registry: Registry, text: str, file: str | None = None) -> tuple[str, tuple[Device, ...]]:
    """The backend and the devices that ``A10``, ``4xA10`` or ``2xA100-80`` names.

    Args:
        file: with cards of one's own.

    Raises:
        UserError: TS-PLAN-007 when no catalogue has such a card, TS-CLI-002 for one whose name leaves its memory open, for none of one and
            for more than `MOST`.
    """
    found = _COUNT.match(text)
    count, name = (int(found[1]), text[found.end() :]) if found else (1, text)
    if not count:
        raise UserError("TS-CLI-002", f"--on {text} names no card: it asks for none of them", fix=f"Write {name}, or for two 2x{name}.")
    if count > MOST:
        raise UserError("TS-CLI-002", f"--on {text}: a plan is for at most {MOST} cards", fix=f"Write for example {MOST}x{name}.")
    backends = registry.providers(KIND)
    entries = [(entry["backend"], title, entry) for title, entry in (read_cards(Path(file)).items() if file else ())]
    if other := next((backend for backend, _, _ in entries if backend not in backends), ""):
        raise UserError("TS-PLAN-007", f"--cards {file}: there is no device backend `{other}`", fix=did_you_mean(other, backends))
    entries += [(backend, title, entry) for backend, record in backends.items() for title, entry in _cards(record).items()]
    known: dict[str, tuple[str, str, Any]] = {}
    for backend, title, entry in entries:
        for called in (title, *entry.get("also", ())):
            known.setdefault(_plain(called), (backend, title, entry))
    key = next((key for key in (_plain(name), f"{_plain(name)}gb") if key in known), "")
    if not key and (sizes := {_plain(one): titles for one, titles in card_sizes(registry).items()}.get(_plain(name))):
        which = " or ".join(sizes)
        raise UserError("TS-CLI-002", f"--on {text} leaves open how much memory it has: {which}", fix=f"Write {which}.")
    if not key:
        names = [name for _, title, entry in known.values() for name in (title, title.removesuffix("GB"), *entry.get("also", ()))]
        fix = did_you_mean(name, names) + " Or describe it in a file: --cards FILE; `tunesmith estimate` takes --memory, too."
        raise UserError("TS-PLAN-007", f"No installed device backend knows a card `{name}`", fix=fix)
    backend, title, entry = known[key]
    return backend, (_device(title, entry),) * count


def card_sizes(registry: Registry) -> dict[str, tuple[str, ...]]:
    """Names that cards have in common but for their memory -> those cards, the one with the least first: ``A100`` leaves open which."""
    found: dict[str, list[tuple[int, str]]] = {}
    for record in registry.providers(KIND).values():
        for title, entry in _cards(record).items():
            if sized := _SIZED.fullmatch(title):
                found.setdefault(sized[1], []).append((int(entry.get("mib", 0)), title))
    return {name: tuple(title for _, title in sorted(of)) for name, of in found.items() if len(of) > 1}


def unnamed(record: ProviderRecord) -> Device:
    """A card of a backend of which none is here and none was named: its memory is not known. Number types are those of the catalogue's
    first."""
    first = next(iter(_cards(record).values()), {})
    return replace(_device("", first), memory=0, free=0)


def of_memory(devices: Sequence[Device], size: int) -> tuple[Device, ...]:
    """The same with `size` bytes each, all of them free."""
    return tuple(replace(device, memory=size, free=size) for device in devices)


def size_of(text: str) -> int:
    """Bytes that ``24GiB``, ``24 GB`` or ``24G`` mean (the last: GiB).

    Raises:
        UserError: TS-CLI-002 when it is no size.
    """
    found = _SIZE.fullmatch(text.strip())
    if not found or not float(found[1]) or text.strip()[-1] not in "kKmMgGtTbB":
        raise UserError("TS-CLI-002", f"`{text}` is no amount of memory", fix="Write for example --memory 24GiB.")
    thousand = 1000 if found[2] and not found[3] and text.strip()[-1] in "bB" else 1024
    return int(float(found[1]) * thousand ** (" KMGT".index((found[2] or " ").upper())))


def _cards(record: ProviderRecord) -> dict[str, Any]:
    return dict(record.facts.get("cards", {}))


def _device(name: str, entry: Any) -> Device:
    size = int(entry.get("mib", 0)) << 20
    return Device(name, size, size, 0, tuple(entry.get("dtypes", ("float32",))), entry.get("facts", {}))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
