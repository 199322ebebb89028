"""Checks of the whole plugin, from its source folder: made in the driver, the same as `tunesmith plugin check` makes without the kit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check

if TYPE_CHECKING:
    from tunesmith_sdk.manifest.check import Finding

_TITLES = {
    "source.describes-itself": "its module can be imported without its runtime, and its hooks give records",
    "manifest.equals-code": "the manifest says what the code says",
    "imports.light": "what the kernel imports needs only the standard library and tunesmith",
    "settings.defaults-fit": "defaults and examples fit the settings' own schema",
    "targets.exist": "every class and function that the records name is there",
    "wheel.has-manifest": "the wheel that is built carries the manifest",
}


def _made(id: str) -> Any:
    def judge(findings: Sequence[Finding]) -> Iterator[CheckFailed]:
        mine = [finding for finding in findings if finding.check == id]
        yield from (CheckFailed(finding.what, fix=finding.fix) for finding in mine if finding.ok is False)
        for finding in mine:
            if finding.ok is None:
                raise NotRun(finding.what, where=finding.fix)
        if not mine:
            raise NotRun("the plugin does not describe itself", where="fix source.describes-itself first")

    return judge


for _id, _title in _TITLES.items():
    check(_id, title=_title, level="bronze", at="source")(_made(_id))
