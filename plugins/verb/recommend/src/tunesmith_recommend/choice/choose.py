"""The recommendation: the first training that fits, in the first pipeline that the planner takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import Device, ModelInfo, TunesmithError, UserError
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith_cli.api import size
from tunesmith_recommend.choice import verbs
from tunesmith_recommend.choice.judge import trained_on
from tunesmith_recommend.choice.models import size_rule
from tunesmith_recommend.choice.pipelines import SMALL, TUNE, Layout, layouts
from tunesmith_recommend.choice.reasons import choices_of, remarks_of
from tunesmith_recommend.choice.recommendation import Prediction, Recommendation, Wanted
from tunesmith_recommend.choice.search import AUTO, Search, Trial
from tunesmith_recommend.evidence.known import Known

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry
    from tunesmith_recommend.catalog.base_model import BaseModel

MEMORY = "TS-PLAN-008"  #: a plan is refused for want of memory
UNREACHABLE = "TS-MODEL-002"  #: where models of a scheme come from can't be reached; any other error is of one model
LOOKED = 2  # models of a class of sizes that are looked at for one that can be served as well, once there is one that can be trained
Plans = Callable[[Mapping[str, Any], ModelInfo], "Plan"]  #: the plan of a pipeline whose model is so; raises what is wrong with it
Reach = Callable[[str], ModelInfo]  #: what a model's name means; raises where it can't be had


def recommend(
    registry: Registry, wanted: Wanted, models: Sequence[BaseModel], devices: Mapping[str, Sequence[Device]], plans: Plans,
    *, asked: str = AUTO, reach: Reach | None = None, estimators: Estimators | None = None, known: Known | None = None,
) -> Recommendation:  # fmt: skip
    """
    Args:
        models: that are described here.
        devices: by backend; `asked`: the one to compute on.
        reach: asks for a model that would be recommended; None: nobody is asked, and it is recommended as it is described.
        estimators: the plugins'; default: asked anew.
        known: earlier runs; default: none.

    Raises:
        UserError: TS-RECOMMEND-001 when nothing fits.
        TunesmithError: why the model that is asked for can't be fetched.
    """
    if not any(devices.values()):
        raise UserError(
            "TS-RECOMMEND-001", "there is nothing to compute on", fix="`tunesmith doctor` says what is missing; --on names a card."
        )
    estimators = estimators or Estimators()
    search = Search(registry, wanted, models, devices, asked, estimators, known=known or Known())
    refused: list[str] = []
    kept: Recommendation | None = None  # trains, but what is to come after that does not fit
    looked: dict[str, int] = {}  # models -> their class of sizes
    for trial in search.fitting():
        if kept and (trial.model.uri in looked or [*looked.values()].count(trial.suiting.size) >= LOOKED):
            continue
        looked[trial.model.uri] = trial.suiting.size
        info = trial.model.info
        if reach:
            try:
                info = reach(trial.model.uri)
            except TunesmithError as error:
                if wanted.model:
                    raise  # it is asked for, so there is no other
                absent, why = trial.model.uri, error.what.rstrip(".")
                if error.code == UNREACHABLE:
                    absent = absent.partition("://")[0]
                    why += f", and other models of `{absent}` were not tried"
                less = replace(wanted, excluded={**wanted.excluded, absent: why})
                return recommend(registry, less, models, devices, plans, asked=asked, reach=reach, estimators=estimators, known=known)
        found, crowded = _planned(search, trial, info, plans, refused)
        if found and not crowded:
            return found
        kept = kept or found
    if kept:
        return kept
    raise _nothing(search, wanted, refused)


def _planned(
    search: Search, trial: Trial, info: ModelInfo, plans: Plans, refused: list[str]
) -> tuple[Recommendation | None, bool]:  # fmt: skip
    """The recommendation of a training in the first pipeline that the planner takes, and whether one that does more was refused for want
    of memory, as it would not be of a smaller model."""
    crowded, most, unjudged = False, None, ""
    for layout in layouts(search.registry, search.wanted, trial):
        most = most or layout
        less = (layout.serves, bool(layout.smaller)) != (most.serves, bool(most.smaller))
        try:
            plan = plans(layout.pipeline, info)
        except TunesmithError as error:
            crowded = crowded or _first(error).code == MEMORY
            why = _first(error).what
        else:
            why = _tight(plan, trial)
            if not why:
                return _made(search, trial, layout, plan, refused, "" if layout.judge else unjudged), crowded and less
            crowded = True
        unjudged = why if layout.judge else unjudged
        refused.append(f"{trial.words}, {' and '.join(layout.pipeline['steps'])}: {why}")
    return None, crowded


def _tight(plan: Plan, trial: Trial) -> str:
    """The step that needs more than the device has, which a plan lets pass by as much as estimates may be wrong; empty if none does."""
    there = trial.seen.capacity.memory
    over = [step for step in plan.steps if step.estimate and there and step.estimate.memory > there]
    needed = size(over[0].estimate.memory) if over and over[0].estimate else ""
    return f"the step `{over[0].name}` needs about {needed} of memory, {trial.seen.capacity.name} has {size(there)}" if over else ""


def _made(search: Search, trial: Trial, layout: Layout, plan: Plan, refused: list[str], unjudged: str) -> Recommendation:
    """
    Args:
        unjudged: why nobody judges what was learnt, though somebody could; empty otherwise.
    """
    seen, here = trial.seen, {name: found for name, found in search.devices.items() if found}
    device = next(iter(here.get(seen.device, ())), None)
    peak = max((step.estimate.memory for step in plan.steps if step.estimate), default=0.0)
    quality = search.quality(trial)
    steps = trial.settings.steps(trial.verb, trained_on(search.wanted, layout.judge))
    usual = trial.seconds / trial.time.factor * steps / trial.steps  # by rules alone
    prediction = Prediction(
        seconds=trial.seconds * steps / trial.steps, steps=steps, memory=max(trial.needed, peak), device=device.name if device else "",
        of=float(device.memory) if device else 0.0, disk=sum(step.estimate.disk for step in plan.steps if step.estimate),
        basis={"time": trial.time.words, "memory": trial.memory.words} | ({"quality": quality.words} if quality else {}),
        quality=quality.value if quality else 0.0, devices=max(1, len(here.get(seen.device, ()))),
        low=usual * trial.time.low if trial.time.runs else 0.0, high=usual * trial.time.high if trial.time.runs else 0.0,
    )  # fmt: skip
    told = [one.refusal for one in reversed(search.refused)]
    pipeline, choices = choices_of(search, trial, layout, plan, refused)
    tried = {TUNE: trial.id} | ({SMALL: layout.smaller.id} if layout.smaller else {})
    remarks = remarks_of(search, trial, plan) + ((f"nobody judges it by rows that are held out: {unjudged}",) if unjudged else ())
    return Recommendation(pipeline, choices, prediction, remarks, (*reversed(refused), *told), tried)


def _first(error: TunesmithError) -> TunesmithError:
    """What is wrong first of all, where there is more than one thing."""
    problems = getattr(error, "problems", None)
    return problems[0] if problems else error


def _reading(search: Search, verb: ProviderRecord) -> list[ProviderRecord]:
    return search.wanted.left(verbs.reading(search.registry, verb, search.wanted.data["produces"]))


def _nobody_reads(wanted: Wanted, rows: str, readers: Sequence[ProviderRecord]) -> UserError:
    """That no objective learns from such rows, or none for the task that is asked for."""
    made = " or ".join(wanted.data["produces"])
    if not readers:
        left = f" but {' and '.join(wanted.refused)}, which you refused" if wanted.refused else ""
        return UserError("TS-RECOMMEND-001", f"nothing that is installed learns from {rows}", why=f"No objective reads {made}{left}.",
                         fix="Install a plugin that brings one, or give rows of another format.")  # fmt: skip
    names = " and ".join(f"`{one.name}`" for one in readers)
    fix = "Leave --task out: the rows say what they are for." if wanted.task else "Install a plugin that brings one."
    return UserError("TS-RECOMMEND-001", f"nothing that is installed learns `{wanted.asked_task}` from {rows}",
                     why=f"{made} is read by {names}, which are for other tasks.", fix=fix)  # fmt: skip


def _nothing(search: Search, wanted: Wanted, refused: list[str]) -> UserError:
    """Why nothing can be recommended: what came closest, or that no model suits."""
    if search.refused or refused:
        least = min((one for one in search.refused if one.seen.needed), key=lambda one: one.seen.needed, default=None)
        why = least.refusal if least else (refused[0] if refused else search.refused[0].refusal)
        return UserError(
            "TS-RECOMMEND-001", "nothing that is installed and described fits", why=f"What needs least: {why}.",
            fix="Name a larger card with --on, more time with --budget, or describe a smaller model in a file (--models).",
        )  # fmt: skip
    rows = f"{wanted.data['format']} rows" + (
        f" with {' and '.join(wanted.data['modalities'][1:])}" if wanted.data["modalities"][1:] else ""
    )
    readers = [one for verb in verbs.training_verbs(search.registry) for one in _reading(search, verb)]
    if not readers or not search.declared(readers):
        return _nobody_reads(wanted, rows, readers)
    described = f"Of {len(search.models)} that are described none takes such rows" if search.models else "None is described"
    why = "; ".join(wanted.excluded.values()) or f"{described}."
    limit = size_rule(wanted.goal).figures.get("most")
    bound = f" of at most {limit / 1e9:g} billion parameters" if limit else ""
    return UserError("TS-RECOMMEND-001", f"no model{bound} is known that could learn from {rows}", why=why,
                     fix="Describe one in a file: --models FILE (docs/recommend.md).")  # fmt: skip
