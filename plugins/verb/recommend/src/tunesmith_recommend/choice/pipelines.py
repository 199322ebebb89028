"""The pipeline of a training that fits: judged, with a smaller copy and a server where they are wanted and the plan takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import fits
from tunesmith_recommend.catalog.base_model import PLAIN
from tunesmith_recommend.choice import verbs
from tunesmith_recommend.choice.declared import Declared, declared
from tunesmith_recommend.choice.judge import Judge, judges, part
from tunesmith_recommend.choice.recommendation import Wanted
from tunesmith_recommend.choice.rules import rules
from tunesmith_recommend.choice.search import Trial

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

TUNE, SCORE, SMALL, CHECK, API = "tune", "score", "small", "check", "api"
MODEL = "model"


@dataclass(frozen=True)
class Layout:
    """
    Args:
        smaller: who makes a smaller copy, if one is wanted.
        serves: whether the last step is a server; `engine`: the one that was asked for.
        judge: who judges what was learnt; `checks`: whether also the smaller copy.
    """

    pipeline: Mapping[str, Any]
    smaller: Declared | None = None
    serves: bool = False
    engine: str = ""
    judge: Judge | None = None
    checks: bool = False


def layouts(registry: Registry, wanted: Wanted, trial: Trial) -> Iterator[Layout]:
    """What may come after training, most first; the last is training alone."""
    goal, named = wanted.goal, wanted.named
    small = [*_smaller(registry, wanted, trial)] if goal in rules()["smaller.goals"]["goals"] or {*verbs.SMALLER} & {*named} else []
    small += [] if {*verbs.SMALLER} & {*named} else [None]
    engine = next((named[verb.main_kind] for verb in verbs.serving_verbs(registry) if verb.main_kind in named), "")
    servers = [*_servers(registry, wanted, trial, engine)] if engine or goal not in rules()["engine.elsewhere"]["goals"] else []
    for server in servers if engine else (*servers, None):
        for one in small:
            if not (server and server.adapters and one):
                for judge in (*judges(registry, wanted), None):
                    for checks in (True, False) if judge and one else (False,):
                        pipeline = _pipeline(registry, wanted, trial, one, server, judge, checks=checks)
                        yield Layout(pipeline, one, server is not None, engine if server else "", judge, checks)


@dataclass(frozen=True)
class _Server:
    """How the result is served: merged by whatever engine, or, with an engine's name, beside its base as this input of the verb."""

    verb: str
    engine: str = "auto"
    adapters: str = ""


def _servers(registry: Registry, wanted: Wanted, trial: Trial, named: str) -> Iterator[_Server]:
    """
    Args:
        named: the engine that is asked for; empty: any.
    """
    for verb in verbs.serving_verbs(registry):
        every = registry.providers(verb.main_kind).values()
        engines = wanted.left(every)
        if named or len(engines) == len(every):
            yield _Server(verb.name, named or "auto")
        else:  # one is refused, so the planner is not left to choose it
            yield from (_Server(verb.name, engine.name) for engine in sorted(engines, key=lambda one: -one.priority))
        for entry in verb.inputs[1:]:
            made = trial.adapter.record.produces
            if entry.read_by and entry.many and any(fits(format, entry.accepts) for format in made) and trial.model.format == PLAIN:
                able = (engine.name for engine in engines if named in ("", engine.name) and engine.facts.get(entry.read_by))
                yield from (_Server(verb.name, engine, entry.name) for engine in able)


def _smaller(registry: Registry, wanted: Wanted, trial: Trial) -> list[Declared]:
    kinds = [kind for kind in verbs.SMALLER if kind in wanted.named] or verbs.SMALLER
    records = wanted.left(record for kind in kinds for record in registry.providers(kind).values())
    tokens = float(wanted.data["tokens"])
    found = declared(records, wanted.goal, wanted.asked_task, tokens, wanted.named)
    return [one.asked(wanted.settings, verbs.training_settings(registry)) for one in found if one.said and one.id not in wanted.failed]


def _pipeline(
    registry: Registry, wanted: Wanted, trial: Trial, smaller: Declared | None, server: _Server | None, judge: Judge | None, *, checks: bool
) -> dict[str, Any]:  # fmt: skip
    data: Any = {"path": wanted.path, "columns": dict(wanted.columns)} if wanted.columns else wanted.path
    train, test = (part(data, name, judge) for name in ("train", "test"))
    tune = {trial.verb.name: trial.objective.written, trial.verb.produces_of: trial.adapter.written}
    for alternative in trial.seen.alternatives:
        if alternative.taken:
            settings = dict(alternative.settings)
            tune[alternative.slot] = {alternative.provider: settings} if settings else alternative.provider
    tune |= {verbs.rows_input(trial.verb): train, "settings": {**trial.settings.values, **trial.savings}}
    steps: dict[str, Any] = {TUNE: tune}
    if judge:
        of, bound = ((MODEL, TUNE), judge.bound(rules()["gate.base"], MODEL)) if judge.of_base else ((TUNE,), "")
        steps[SCORE] = judge.step(of, test, bound)
    last, gates = TUNE, [SCORE] if judge and judge.of_base else []
    if smaller and (verb := verbs.verb_over(registry, smaller.record.kind)):
        last = SMALL
        steps[SMALL] = {verb.name: smaller.written, "from": TUNE} | {name: train for name in verbs.required_inputs(verb, smaller.record)}
        if judge and checks:
            steps[CHECK] = judge.step((TUNE, SMALL), test, judge.bound(rules()["gate.smaller"], TUNE))
            gates.append(CHECK)
    if server:
        steps[API] = {server.verb: server.engine, "from": MODEL if server.adapters else last}
        steps[API] |= {server.adapters: [TUNE]} if server.adapters else {}
        steps[API] |= {"needs": gates} if gates else {}
    return {"name": wanted.asked_task, "model": trial.model.uri, "steps": steps}
