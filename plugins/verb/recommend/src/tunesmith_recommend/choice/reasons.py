"""Why: each choice of a pipeline with its rule, what it was preferred to and by how much; and what to know beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith_cli.api import duration, number, size
from tunesmith_recommend.choice.declared import Declared, wrong_with
from tunesmith_recommend.choice.pipelines import API, CHECK, SCORE, SMALL, TUNE, Layout
from tunesmith_recommend.choice.recommendation import Reasoned
from tunesmith_recommend.choice.rules import Rule, rules
from tunesmith_recommend.choice.search import AUTO, Search, Trial

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan
    from tunesmith.plugins.records import ProviderRecord


_DTYPE = "dtype"


def choices_of(
    search: Search, trial: Trial, layout: Layout, plan: Plan, refused: Sequence[str]
) -> tuple[Mapping[str, Any], tuple[Reasoned, ...]]:  # fmt: skip
    """The pipeline with all names filled in, and its choices.

    Args:
        refused: pipelines that the planner did not take, a sentence each.
    """
    choices = [
        *_model(search, trial, refused),
        _objective(search, trial),
        _adapter(search, trial, plan),
        *_computing(trial),
        *_precision(search, trial),
        *trial.settings.choices,
    ]
    choices += [
        Reasoned(name, value, f"so that it fits into {size(trial.seen.capacity.memory)}", rules()["setting.savings"])
        for name, value in trial.savings.items()
    ]
    if trial.seen.capacity.memory and trial.seen.estimate and (left := trial.seen.estimate.settings):
        words = ", ".join(f"{name}: {str(value).lower()}" for name, value in left.items())
        reason = f"the plan chooses {words} with {size(trial.seen.capacity.memory)}"
        choices.append(Reasoned("memory", "auto", reason, rules()["setting.estimate"], key="settings"))
    pipeline = dict(layout.pipeline)
    if search.wanted.counted:
        told = dict(_processes(plan))
        pipeline["steps"] = {**pipeline["steps"], TUNE: {**pipeline["steps"][TUNE], **told}}
        why = f"so many devices were asked for: {trial.seen.devices}"
        choices += [Reasoned(slot, written, why, rules()["provider.named"]) for slot, written in told.items()]
    choices += _judging(search, layout)
    if layout.smaller:
        kind, goal = layout.smaller.record.kind, f"the goal is {search.wanted.goal}, and {rules()['smaller.goals'].text}"
        goal = "it was asked for" if kind in search.wanted.named else goal
        key = next(iter(pipeline["steps"][SMALL]))
        choices.append(Reasoned(kind, layout.smaller.written, goal, _rule(search, layout.smaller), key=key))
    if layout.serves:
        engine, reason = _engine(plan)
        step = pipeline["steps"][API]
        key, named = next(iter(step)), next(iter(step.values())) != "auto"
        pipeline["steps"] = {**pipeline["steps"], API: {**step, key: engine}}
        rule = rules()["engine.unmerged" if named else "engine.planner"]
        reason = "it takes adapters" if named else reason
        if layout.engine:
            rule, reason = rules()["provider.named"], "it was asked for"
        choices.append(Reasoned("engine", engine, reason, rule, key=key))
    return pipeline, tuple(choices)


def _processes(plan: Plan) -> Iterator[tuple[str, Any]]:
    """What was chosen of how the work is spread, as a pipeline says it."""
    step = next(one for one in plan.steps if one.group == TUNE)
    for slot in step.verb.slots:
        if slot.interchangeable and slot.name in step.choices:
            choice = step.choices[slot.name]
            usual = {name: entry.get("default") for name, entry in choice.record.schema["properties"].items()}
            settings = {name: value for name, value in choice.settings.items() if value != usual.get(name)}
            ranks = {str(name): step.placement.processes for name in [choice.record.facts.get("ranks")] if name}
            yield slot.name, {choice.record.name: settings | ranks} if settings | ranks else choice.record.name


def remarks_of(search: Search, trial: Trial, plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_remarks(search, trial, plan)))


def _model(search: Search, trial: Trial, refused: Sequence[str]) -> Iterator[Reasoned]:
    model, wanted, one = trial.model, search.wanted, trial.suiting
    planned = [told for told in refused if not told.startswith(f"{model.name} ")]
    larger = [each for each in search.refused if each.model.uri != model.uri and each.suiting.order > one.order]
    last = [each for each in larger if each.model.uri == larger[-1].model.uri]
    instead = planned[-1] if planned else min(last, key=lambda each: each.seen.needed).refusal if last else ""
    figures = f"{model.billions:.3g} billion parameters, {model.licence or 'licence not told'}, {model.released or 'no date'}"
    if wanted.model:
        yield Reasoned("model", model.uri, f"{figures}; it was asked for", rules()["provider.named"])
    else:
        yield Reasoned("model", model.uri, f"{figures}; of those that suit, the best that fits", search.size_rule, instead)
    others = [each for each in search.suiting if each.size == one.size and each.order < one.order and each.language == one.language]
    if others:
        other = others[0].model
        told = f"{other.name}, {other.released}{', which asks for a licence to be accepted' if other.gated else ''}"
        reason = f"of {len(others) + 1} of about its size that suit as well it comes first"
        yield Reasoned("model", model.uri, reason, rules()["model.newest"], told)
    if one.field:
        share = wanted.data["domains"][one.field]
        yield Reasoned("model", model.uri, f"{share:.0%} of the rows are {one.field}, and it was made for that", rules()["model.field"])
    if wanted.language:
        how = {2: "was made for it first of all", 1: "knows it", 0: "does not say that it knows it, and none that does fits"}[one.language]
        yield Reasoned("model", model.uri, f"the rows are in `{wanted.language}`, and it {how}", rules()["model.language"])
    if set(wanted.data["modalities"]) - {"text"}:
        held = " and ".join(name for name in wanted.data["modalities"] if name != "text")
        yield Reasoned("model", model.uri, f"rows have {held}", rules()["model.modality"])


def _objective(search: Search, trial: Trial) -> Reasoned:
    objective = trial.objective
    reason = f"the rows become {' or '.join(search.wanted.data['produces'])}, for {search.wanted.asked_task}"
    return Reasoned(trial.verb.main_kind, objective.written, reason, _rule(search, objective), key=trial.verb.name)


def _adapter(search: Search, trial: Trial, plan: Plan) -> Reasoned:
    adapter, seen = trial.adapter, trial.seen
    others = [one for one in search.refused if one.model.uri == trial.model.uri and one.adapter.name != adapter.name]
    instead = f"{others[0].adapter.name}: it {others[0].why_not}" if others else ""
    planned = next(
        (step.estimate.memory for step in plan.steps if step.name == TUNE and step.estimate), 0.0
    )  # knows more: the classes, say
    needs = f"it needs {size(planned or seen.needed)} of the {size(seen.capacity.memory)} of {seen.capacity.name}" if seen.needed else ""
    return Reasoned(trial.verb.produces_of, adapter.written, needs or "what it needs is not known", _rule(search, adapter), instead)


def _rule(search: Search, one: Declared) -> Rule:
    return rules()["provider.named"] if one.record.kind in search.wanted.named else one.rule


def _computing(trial: Trial) -> Iterator[Reasoned]:
    for one in trial.seen.alternatives:
        if one.taken:
            others = [each for each in trial.seen.alternatives if each.slot == one.slot and not each.taken]
            instead = f"{others[0].words}: {others[0].verdict}" if others else ""
            settings = dict(one.settings)
            yield Reasoned(
                one.slot, {one.provider: settings} if settings else one.provider, one.decision[1], rules()["strategy.planner"], instead
            )


def _precision(search: Search, trial: Trial) -> Iterator[Reasoned]:
    """The dtype that `auto` comes to on the device. Told and not written (no key is `-`): the file is for other devices, too."""
    device = next(iter(search.devices.get(trial.seen.device, ())), None)
    if device is None or not device.dtypes or {**_usual(trial.verb), **trial.settings.values}.get(_DTYPE) != AUTO:
        return
    halves = [name for name in ("bfloat16", "float16") if name in device.dtypes and (name == "bfloat16" or trial.seen.device != "cpu")]
    chosen, flops = next(iter(halves), "float32"), device.facts.get("flops", {})
    times = flops.get(chosen, 0.0) / flops["float32"] if flops.get("float32") else 0.0
    reason = (
        f"{device.name} computes in it {times:.2g} times as fast as in float32" if times and halves else f"{device.name} has it natively"
    )
    yield Reasoned(_DTYPE, chosen, reason, rules()["setting.dtype"], key="-")


def _usual(verb: ProviderRecord) -> Mapping[str, Any]:
    return {name: entry.get("default") for name, entry in verb.schema["properties"].items()}


def _judging(search: Search, layout: Layout) -> Iterator[Reasoned]:
    """Which rows are held out, who judges by them, and what bounds are to be kept."""
    if not (judge := layout.judge):
        return
    rows, rule, steps = int(search.wanted.data["rows"]), rules()["data.held-out"], layout.pipeline["steps"]
    yield Reasoned("test_size", judge.test_size, f"about {number(rows * judge.test_size)} of {number(rows)} rows", rule)
    yield Reasoned(judge.chosen.record.kind, judge.chosen.written, "it reads these rows", judge.chosen.rule, key=judge.verb.name)
    for step, rule_id, than in ((SCORE, "gate.base", "what training began with"), (CHECK, "gate.smaller", "what was trained")):
        if gate := steps.get(step, {}).get("gate"):
            bound = f"{judge.metric} {gate[judge.metric]}"
            yield Reasoned("gate", bound, f"it is held against {than}", rules()[rule_id], key=f"{step}.gate")


def _engine(plan: Plan) -> tuple[str, str]:
    """The one that the planner took for the server, and its reason."""
    step = next(step for step in reversed(plan.steps) if step.group == API)
    engine = step.choices[step.verb.main_kind].record.name
    said = (one.reason for one in plan.decisions if one.step == step.name and one.what.startswith(f"{step.verb.main_kind}: {engine}"))
    return engine, next(said, "the only one that is installed and can run it")


def _remarks(search: Search, trial: Trial, plan: Plan) -> Iterator[str]:
    data, rule = search.wanted.data, rules()["data.enough"]
    yield from (
        f"{why}: the best of the rest is recommended (--any-model: whatever can be fetched)" for why in search.wanted.excluded.values()
    )
    yield from (f"`{name}` was left out, as you asked" for name in search.wanted.refused)
    if data["rows"] < rule["rows"]:
        yield f"{data['rows']} rows are few for training: {rule.text} ({rule.source})"
    if data["duplicates"] >= rules()["data.duplicates"]["share"] * data["rows"]:
        yield f"{data['duplicates']} rows are there twice, and {rules()['data.duplicates'].text}"
    if (near := data.get("near_duplicates", 0)) >= rules()["data.duplicates"]["share"] * data["rows"] and near:
        yield f"{near} rows say nearly what an earlier one says, and {rules()['data.duplicates'].text}"
    if trial.model.gated:
        yield f"{trial.model.name} asks you to accept its licence before it can be fetched: {trial.model.licence}"
    if trial.seen.fits is None:
        yield f"what {trial.words} needs is not known, so nobody has seen whether it fits"
    if not trial.seconds:
        yield "how long it takes is not known: the device's speed is not (`tunesmith probe`)"
    elif trial.seconds > 3600:
        yield f"training takes about {duration(trial.seconds)}; --budget asks for less"
    yield from _rounded(plan)
    yield from (told for record in _providers(search) if (told := wrong_with(record)))
    yield from plan.warnings


def _rounded(plan: Plan) -> Iterator[str]:
    """What steps that the planner adds after training lose, as those who do them say."""
    for step in plan.steps:
        makers = [choice.record for choice in step.choices.values()] if step.inserted and step.name.startswith(f"{TUNE}.") else []
        yield from (f"`{step.name}`: {limit}" for one in makers if (limit := one.limits.get("lossless")))


def _providers(search: Search) -> Iterator[Any]:
    for plugin in search.registry.plugins:
        if plugin.state == "active":
            yield from plugin.providers
