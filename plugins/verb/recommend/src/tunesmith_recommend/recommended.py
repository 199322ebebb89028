"""The recommendation for the rows of a file, on this machine or on cards that are named: for the commands, and for those of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import TunesmithError, UserError
from tunesmith_cli.api import Session, ask_command
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.choice.recommendation import Recommendation, Wanted

if TYPE_CHECKING:
    from tunesmith.contracts import Device, ModelInfo
    from tunesmith.planning.plan import Plan
    from tunesmith.running.model_resolver import ModelResolver


@dataclass(frozen=True)
class Wishes:
    """What is wanted of a recommendation, beside the rows.

    Args:
        goal: one of `tunesmith_recommend.api.GOALS`.
        task: in place of what the rows look like; empty: that.
        budget: seconds that training may take; 0: what a rule says.
        columns: name that the rows' format wants -> name of the column.
        cards: a device backend and its devices, which are not here (`tunesmith_cli.api.card`); None: this machine.
        models: a file that describes models of one's own.
        any_model: don't ask whether the model can be fetched from here.
        model: URI of a described model that is asked for; empty: the best one.
        named: kind -> the provider of it that is asked for: adapters, objectives, quantizers, exporters, engines.
        settings: that are asked for, by their own names: of the training step, or of the providers that make the model smaller.
        failed, reasons, refused, counted: see `Wanted`.
    """

    goal: str = "quality"
    task: str = ""
    budget: float = 0.0
    columns: Mapping[str, str] = field(default_factory=dict)
    cards: tuple[str, Sequence[Device]] | None = None
    models: Path | None = None
    any_model: bool = False
    model: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    refused: Sequence[str] = ()
    counted: bool = False


def recommended(
    file: Path, wishes: Wishes, *, base: Path | None = None, tell: Callable[[str], None] = lambda text: None
) -> tuple[Recommendation, Wanted]:  # fmt: skip
    """The recommendation, and what it was made for.

    Args:
        file: with the rows, as the pipeline will name it.
        base: folder that the pipeline will lie in; default: the current one.
        tell: is told what is done next, in the reader's language: some of it takes seconds, or asks a hub.

    Raises:
        UserError: TS-CLI-002 for a task that nobody knows, TS-RECOMMEND-001 when nothing fits, -002 for a file of models that is none,
            -003 for rows that can't be trained on.
    """
    from tunesmith.planning.placement.devices import probe
    from tunesmith_recommend.catalog.installed_models import installed_models
    from tunesmith_recommend.choice.choose import recommend
    from tunesmith_recommend.choice.declared import check_task
    from tunesmith_recommend.evidence.known import known
    from tunesmith_recommend.machine.measurement import measured

    base, named = base or Path.cwd(), wishes.cards
    assumed = bool(named or wishes.any_model)  # nobody is asked for the model
    tell(_("reading the rows"))
    data = facts_of(base / file, wishes.columns)
    wanted = Wanted(
        str(file), data, wishes.goal, wishes.task, wishes.budget, wishes.columns or data["renaming"], model=wishes.model,
        named=wishes.named, settings=wishes.settings, failed=wishes.failed, reasons=wishes.reasons, refused=wishes.refused,
        counted=wishes.counted,
    )  # fmt: skip
    session = Session.open(base)
    if named:
        devices: Mapping[str, Sequence[Device]] = dict([named])
    else:
        tell(_("looking at this machine"))
        devices = measured(session.registry, probe(session.registry), session.config.cache).devices
    models, wrong = installed_models(session.registry, wishes.models)
    check_task(wishes.task, data, session.registry, models)
    with session.resolver() as resolve:
        plans = _planned(session, base, devices, resolve, here=not named)

        def reach(uri: str) -> ModelInfo:
            tell(_("asking whether {uri} can be fetched", uri=uri))
            return resolve(uri)

        tell(_("trying models and settings by their estimates"))
        asked, before = named[0] if named else "auto", known(session.config.home)
        found = recommend(session.registry, wanted, models, devices, plans, asked=asked, reach=None if assumed else reach, known=before)
    unasked = ("whether the model can be fetched was not asked",) if assumed else ()
    taken = ", ".join(f"{name}={column}" for name, column in data["renaming"].items())
    renamed = (f"no format has these columns; they are taken so: {taken}. `--columns` says it otherwise",) if taken else ()
    return replace(found, remarks=(*renamed, *found.remarks, *wrong, *unasked)), wanted


def _planned(session: Session, base: Path, devices: Mapping[str, Sequence[Device]], resolve: ModelResolver, *, here: bool) -> Any:
    """Plans pipelines that are not in a file, with a model that nobody has to fetch for that; on this machine the disk has to have room."""
    from tunesmith import Pipeline
    from tunesmith.running.store.disk_space import check_room

    def planned(pipeline: Mapping[str, Any], info: ModelInfo) -> Plan:
        spec = Pipeline(**pipeline, base=base).spec
        plan = session.planned(spec, _Described(info, resolve), devices=devices)  # type: ignore[arg-type]
        if here:
            check_room(plan, session.config.home)
        return plan

    return planned


class _Described:
    """Stands where the planner asks what the model's name means: one is known already."""

    def __init__(self, info: ModelInfo, resolve: ModelResolver) -> None:
        self.info, self.resolve = info, resolve
        self.reporter, self.refresh = resolve.reporter, resolve.refresh

    def __call__(self, uri: str) -> ModelInfo:
        return self.info if uri == self.info.uri else self.resolve(uri)


def facts_of(file: Path, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What `tunesmith data facts --json` says of a file; `renaming` holds which column was taken for what, where `columns` does not say it
    and their names do.

    Args:
        columns: name that the rows' format wants -> name of the column.

    Raises:
        UserError: TS-RECOMMEND-003 for rows that can't be trained on; what is wrong with the file.
    """
    words = ["data", "facts", str(file)]
    for name, column in (columns or {}).items():
        words += ["--columns", f"{name}={column}"]
    status, found = ask_command(words)
    if found is None:
        raise UserError("TS-RECOMMEND-003", f"{file} can't be looked into", fix=f"`tunesmith data facts {file}` says why.")
    if "error" in found:
        raise TunesmithError.from_json(found["error"])
    if found["problem"] and found["renaming"] and not columns:
        return {**facts_of(file, found["renaming"]), "renaming": found["renaming"]}
    if status or found["problem"] or not found["rows"]:
        told = found["problem"] or {}
        lines = told.get("why") if found["broken"] else ""  # of formats that don't fit the reasons are many
        said = ": ".join(filter(None, (told.get("what"), lines)))
        why = said or f"{found['broken']} {'row is' if found['broken'] == 1 else 'rows are'} broken."
        fix = told.get("fix") or f"`tunesmith data inspect {file}` lists them with their lines."
        raise UserError("TS-RECOMMEND-003", f"{file} can't be trained on as it is", why=why, fix=fix)
    return dict(found)
