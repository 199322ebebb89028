"""Checks of importers: they know their own files from others', and account for each key, whatever stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError
from tunesmith_import.api import Account, Configuration, Draft, Entry, Options
from tunesmith_import.mapping.table import MAPPED, NO_EFFECT, REFUSED, UNKNOWN
from tunesmith_sdk.conformance import CheckFailed, Subject, action, check, observer

_VERDICTS = {MAPPED, REFUSED, NO_EFFECT}
_STRANGE = "a_key_that_nobody_has"
_VALUES: tuple[Any, ...] = (1, "steps", True, ["a", "b"], None)
_FILE = Path("examined.yaml")


def of(keys: Mapping[str, Any]) -> Configuration:
    """A made-up configuration with these keys."""
    entries = (Entry(key, value, line, _FILE.name) for line, (key, value) in enumerate(keys.items(), 1))
    return Configuration(_FILE, tuple(entries))


def told(subject: Subject, keys: Mapping[str, Any]) -> tuple[Draft, Account] | None:
    """What an importer makes of keys; nothing where it refuses a value, as its tool would."""
    found: tuple[Draft, Account]
    try:
        found = subject.build().translate(of(keys), Options(model="file://model", data="rows.jsonl"))
    except UserError:
        return None
    return found


@action("importer")
def work(subject: Subject) -> None:
    told(subject, dict.fromkeys(list(subject.build().keys())[:3], 1))


@observer("importer")
def observe(subject: Subject) -> Mapping[str, Any]:
    """What becomes of each key, and what is written."""
    keys = subject.build().keys()
    found = [told(subject, {key: value}) for key in keys for value in _VALUES[:2]]
    return {
        "keys": dict(keys),
        "written": [sorted((path, repr(value)) for path, (value, _) in one[0].values.items()) for one in found if one],
    }


@check("importer.knows-its-keys", kind="importer", title="`keys` names what it knows, each mapped, refused or without effect")
def knows_its_keys(subject: Subject) -> Iterator[CheckFailed]:
    keys = subject.build().keys()
    if not keys:
        yield CheckFailed("it knows no key", fix="Name them in `keys`; a `TableImporter` reads them from its table.")
    for key, verdict in keys.items():
        if verdict not in _VERDICTS:
            yield CheckFailed(f"`{key}` is said to be {verdict!r}", fix=f"Say one of: {', '.join(sorted(_VERDICTS))}.")
            return


@check(
    "importer.accounts-for-each-key",
    kind="importer",
    title="each key of a configuration gets one verdict, and a strange one is called unknown",
)
def accounts_for_each_key(subject: Subject) -> Iterator[CheckFailed]:
    for key in [*subject.build().keys()]:
        for value in _VALUES:
            found = told(subject, {key: value, _STRANGE: 1})
            if found is None:
                continue
            verdicts = {verdict.entry.key: verdict.kind for verdict in found[1].verdicts()}
            if set(verdicts) < {key, _STRANGE}:
                missing = ({key, _STRANGE} - set(verdicts)).pop()
                yield CheckFailed(f"`{missing}` has no verdict beside `{key}: {value}`", fix="Call `account.close()` at the end.")
                return
            if verdicts[_STRANGE] != UNKNOWN:
                yield CheckFailed(f"a key that nobody has is called {verdicts[_STRANGE]}", fix="Leave it to `account.close()`.")
                return
            if verdicts[key] == UNKNOWN:
                yield CheckFailed(f"`{key}`, which `keys` names, is called unknown", fix="Give it a rule, or leave it out of `keys`.")
                return


@check("importer.claims-its-own", kind="importer", title="it claims a file of its keys, and none of strange ones")
def claims_its_own(subject: Subject) -> Iterator[CheckFailed]:
    importer = subject.build()
    strange = importer.claim(of({_STRANGE: 1}))
    if strange:
        yield CheckFailed(f"it claims a file of strange keys with {strange}", fix="Claim by keys that the tool alone has.")
    own = max(importer.claim(of(dict.fromkeys(importer.keys(), 1))), importer.claim(_script(importer.keys())))
    if not 0 < own <= 1:
        yield CheckFailed(f"it claims a file of all its keys with {own}", fix="Return a number above 0, up to 1.")


def _script(keys: Mapping[str, Any]) -> Configuration:
    made = of(dict.fromkeys(keys, 1))
    return Configuration(made.path, made.entries, "script", "SFTTrainer")
