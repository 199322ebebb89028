"""An examination: the checks that follow from a plugin's manifest, made, and what came of each."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.errors import Cancelled, TunesmithError, UserError
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith_sdk.conformance import author_settings, catalog, plugin_kinds
from tunesmith_sdk.conformance.bench.bench import WORKER, Bench
from tunesmith_sdk.conformance.bench.environments import Place
from tunesmith_sdk.conformance.bench.worker import CHECKING, OUTCOMES
from tunesmith_sdk.conformance.checks import Check, CheckFailed, NotRun, make
from tunesmith_sdk.conformance.materials.materials import Materials
from tunesmith_sdk.conformance.report.outcome import EXPECTED, FAILED, NOT_RUN, PASSED, UNEXPECTED, Outcome, Report
from tunesmith_sdk.conformance.report.progress import Tell, silent
from tunesmith_sdk.manifest.check import Finding, inspect
from tunesmith_sdk.manifest.source import Source, read_source
from tunesmith_sdk.manifest.sync import described

LIMIT = 300.0  # seconds that a worker may go on with one check


@dataclass(frozen=True)
class Planned:
    """A check that is to be made; of a provider, or of the whole plugin."""

    check: Check
    record: ProviderRecord | None = None

    @property
    def provider(self) -> str:
        return f"{self.record.kind}.{self.record.name}" if self.record else ""

    @property
    def key(self) -> str:
        return f"{self.provider}:{self.check.id}" if self.record else self.check.id


def conform(folder: Path, *, env: str = "auto", only: Collection[str] = (), tell: Tell = silent) -> Report:
    """Examine the plugin in a source folder.

    Args:
        env: ``host``, ``isolated`` (built if need be), or ``auto``: where the plugin would run; what needs building is then not run.
        only: ids of checks, or beginnings of them (``adapter``), or keys (``adapter.tilt:adapter.merges``); empty: all.

        tell: told what it is at, a phrase at a time.

    Raises:
        UserError: TS-PLUGIN-007 when it holds none, TS-PLUGIN-012 when its conformance table is wrong or `only` names no check.
    """
    reports = [examination.report(only) for examination in examinations(folder, env, tell)]
    first = reports[0]
    libraries = {name: version for report in reports for name, version in report.libraries.items()}
    return Report(first.plugin, first.version, first.where, [o for r in reports for o in r.outcomes], not only, libraries)


def examinations(folder: Path, env: str = "auto", tell: Tell = silent) -> list[Examination]:
    """One for each plugin in a source folder, nearly always one."""
    return [Examination(source, env, tell) for source in read_source(folder)]


class Examination:
    """Of one plugin. What a check gave is kept: asked twice, it is made once."""

    def __init__(self, source: Source, env: str = "auto", tell: Tell = silent) -> None:
        self.source, self.env, self._tell = source, env, tell
        self._waiting: list[str] = []  #: keys of the checks that are to be made now
        self.declared = author_settings.read(source.folder)
        self._outcomes: dict[str, Outcome] = {}

    @cached_property
    def plugin(self) -> Plugin | None:
        """What the code says of itself; None where it can't be asked, which is a finding."""
        try:
            plugin = described(self.source)
        except TunesmithError:
            return None
        plugin_kinds.add(plugin.kinds, self.source.root)
        return plugin

    @cached_property
    def findings(self) -> Sequence[Finding]:
        return list(inspect(self.source, self.plugin))

    @cached_property
    def planned(self) -> list[Planned]:
        """Every check that follows from what the plugin declares."""
        records = self.plugin.providers if self.plugin else ()
        planned = [Planned(check) for check in catalog.source_checks()]
        planned += [Planned(check, record) for record in records for check in catalog.checks_of(record)]
        if self.plugin:
            schemas = {f"{record.kind}.{record.name}": record.schema for record in records}
            self.declared.fit([(one.provider, one.check.id) for one in planned], schemas, self.source.folder)
        return planned

    def report(self, only: Collection[str] = ()) -> Report:
        chosen = [planned for planned in self.planned if not only or any(_named(planned, name) for name in only)]
        if only and not chosen:
            known = ", ".join(dict.fromkeys(planned.check.id for planned in self.planned))
            raise UserError("TS-PLUGIN-012", f"none of this plugin's checks is {' or '.join(only)}", fix=f"Its checks: {known}.")
        outcomes = self.outcomes([planned.key for planned in chosen])
        where, libraries = (self._place.where, self._place.libraries()) if self.plugin else ("host", {})
        return Report(self.source.distribution, self.source.version, where, outcomes, not only, libraries)

    def outcomes(self, keys: Collection[str]) -> list[Outcome]:
        """What the checks of these keys gave, in the order of the plan; those that have not been made are."""
        wanted = [planned for planned in self.planned if planned.key in keys]
        missing = [planned for planned in wanted if planned.key not in self._outcomes]
        self._waiting = [planned.key for planned in missing]
        for planned in (planned for planned in missing if planned.record is None):
            self._at(planned)
            self._note(planned, *_tried(lambda check=planned.check: make(check, self.findings)))  # type: ignore[misc]
        for provider in dict.fromkeys(planned.provider for planned in missing if planned.record):
            self._examine([planned for planned in missing if planned.provider == provider])
        return [self._outcomes[planned.key] for planned in wanted]

    # --- one provider ------------------------------------------------------------------------------------------------------------

    @cached_property
    def _place(self) -> Place:
        assert self.plugin is not None
        return Place(self.source, self.plugin, self.env, self._tell)

    def _at(self, planned: Planned) -> None:
        """Tell which check is being made."""
        number = self._waiting.index(planned.key) + 1
        self._tell(f"{number} of {len(self._waiting)}: {planned.check.id}{' of ' * bool(planned.record)}{planned.provider}")

    def _examine(self, asked: list[Planned]) -> None:
        record = asked[0].record
        assert record is not None
        scratch = Path(tempfile.mkdtemp(prefix="tunesmith-conformance-"))
        bench: Bench | None = None
        try:
            materials = Materials(self._place.config.cache, scratch, self.declared.author, self.source.root)
            bench = Bench(record, self._place, self.declared, materials, scratch)
            said, _ = _tried(bench.begin)
            if said["state"] != PASSED:
                for planned in asked:
                    self._note(planned, said, 0.0)
                return
            for planned in (planned for planned in asked if planned.check.at == "host"):
                self._at(planned)
                self._note(planned, *_tried(lambda check=planned.check: make(check, bench)))  # type: ignore[misc]
            self._in_workers(bench, [planned for planned in asked if planned.check.at == "worker"])
        finally:
            if bench:
                bench.stack.close()
            shutil.rmtree(scratch, ignore_errors=True)

    def _in_workers(self, bench: Bench, waiting: list[Planned]) -> None:
        """All in one worker; when that dies or hangs it is the check's fault that it was at, and the rest goes on in another."""
        while waiting:
            by_id = {planned.check.id: planned for planned in waiting}
            output = bench.folder("checks")
            fault: dict[str, Any] = {}
            try:
                fault = _until_done(bench, output, list(by_id), lambda id, by_id=by_id: self._at(by_id[id]))
            except NotRun as reason:
                for planned in waiting:
                    self._note(planned, {"state": NOT_RUN, "what": reason.reason, "fix": reason.where}, 0.0)
                return
            except CheckFailed as error:
                fault = error.told()
            except TunesmithError as error:
                fault = {"what": f"{error.code}: {error.what}", "found": error.why, "fix": error.fix}
            at = waiting[0]
            for line in _lines(output / OUTCOMES):
                if line["state"] == "started":
                    at = by_id[line["id"]]
                else:
                    self._note(by_id[line.pop("id")], line, line.pop("seconds"))
            if fault and at.key not in self._outcomes:
                self._note(at, {"state": FAILED, **fault}, 0.0)
            left = [planned for planned in waiting if planned.key not in self._outcomes]
            if len(left) == len(waiting):
                self._note(left.pop(0), {"state": FAILED, "what": "the worker ended without an answer"}, 0.0)
            waiting = left

    def _note(self, planned: Planned, said: dict[str, Any], seconds: float) -> None:
        check, state = planned.check, said["state"]
        texts = {name: said.get(name, "") for name in ("what", "found", "fix")} | {"further": tuple(said.get("further", ()))}
        reason = self.declared.reason(planned.provider, check.id)
        if reason and state == PASSED:
            state = UNEXPECTED
            texts = {"what": f"declared as an expected failure: {reason}", "found": "", "fix": "Take it out of the expected failures."}
        elif reason and state == FAILED:
            state, texts = EXPECTED, {"what": reason, "found": said.get("what", ""), "fix": ""}
        self._outcomes[planned.key] = Outcome(
            check.id, planned.provider, check.level, check.title, state, **texts, seconds=seconds, notes=said.get("notes", {})
        )


def _named(planned: Planned, name: str) -> bool:
    id = planned.check.id
    return name in (id, planned.key, planned.provider) or id.startswith(f"{name}.")


def _tried(attempt: Callable[[], None]) -> tuple[dict[str, Any], float]:
    """What came of a check on the host's side."""
    started = time.perf_counter()
    said: dict[str, Any] = {"state": PASSED}
    try:
        attempt()
    except CheckFailed as error:
        said = {"state": FAILED, **error.told()}
    except NotRun as error:
        said = {"state": NOT_RUN, "what": error.reason, "fix": error.where}
    except TunesmithError as error:
        said = {"state": FAILED, "what": f"{error.code}: {error.what}", "found": error.why, "fix": error.fix}
    except Exception as error:  # of a client, mostly: what it was answered
        said = {"state": FAILED, "what": f"{type(error).__name__}: {error}"[:300], "fix": "The page of the check says what is asked of it."}
    return said, time.perf_counter() - started


def _until_done(bench: Bench, output: Path, ids: list[str], began: Callable[[str], None]) -> dict[str, str]:
    """Have a worker make the checks; why it did not, if it did not. `began` is told of each that it begins."""
    with bench.working(f"{WORKER}:checks", output=output, checks=ids) as worker:
        worker.listener = lambda message: began(message.removeprefix(CHECKING)) if message.startswith(CHECKING) else None
        while not worker.done:
            worker.look()
            if time.monotonic() - worker.heard > LIMIT:
                return {"what": f"it did not come to an end in {LIMIT:.0f} s", "found": worker.last_words()}
        try:
            worker.workers.result()
        except Cancelled:
            return {"what": "it was cancelled"}
    return {}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())
