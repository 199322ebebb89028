"""What is predicted of a step before it starts: memory and disk as the plan has them, and seconds of a unit of its work.

The plan knows those of devices with a data sheet alone; for others they are reckoned here by the same estimators from the figures that
`tunesmith probe` has measured, without which nothing is predicted.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import Device
from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith_recommend.evidence.predictions import CONTEXT, FILE, MEASURED, PLAN, StepPrediction, read_predictions

if TYPE_CHECKING:
    from tunesmith.contracts.artifacts import Artifact
    from tunesmith.contracts.events import StepFacts
    from tunesmith.planning.plan import PlannedStep


def predict(step: StepFacts) -> None:
    """Note what is predicted of a step that is about to start."""
    from tunesmith.running.journal.plan_file import read_plan

    planned = next((one for one in read_plan(step.run.directory).steps if one.name == step.name), None)
    if planned is None or planned.estimate is None:
        return
    device = known_device(planned.placement.device)
    if device is None and planned.estimate.memory and planned.placement.torch != "cpu":  # a step there takes long, and asking half a second
        device = asked_device(planned.placement.device)
    told, seconds, basis = planned.estimate, planned.estimate.seconds, PLAN
    if not seconds and device and device.facts.get("flops") and not planned.verb.service:
        seconds, basis = reckoned(planned, step, device), MEASURED
    context = told.terms.get(CONTEXT, 0.0) if planned.placement.torch != "cpu" else 0.0
    found = StepPrediction(
        told.memory, context, told.disk, seconds, basis if seconds else "", device.name if device else "", planned.placement.device,
        time.time(), *_quality(planned, step),
    )  # fmt: skip
    known = read_predictions(step.run.directory) | {step.name: found}
    write_note(step.run.directory / FILE, {name: asdict(one) for name, one in known.items()})


def known_device(backend: str) -> Device | None:
    """The device of a backend whose speed was measured on this machine, with its figures; None where `tunesmith probe` was never called."""
    from tunesmith.config import load_config
    from tunesmith_recommend.machine.measurement import NOTE

    threads, found = os.environ.get("OMP_NUM_THREADS", ""), None
    known = read_note(load_config().cache / NOTE)
    for key, figures in known.items() if isinstance(known, Mapping) else ():
        node, bound, name, _, device, cores, *dtypes = json.loads(key)
        if (node, bound, name) == (platform.node(), threads, backend):
            found = Device(device, 0, 0, cores, tuple(dtypes), dict(figures))
    return found


def asked_device(backend: str) -> Device | None:
    """The first device of a backend, as that tells of it."""
    from tunesmith.config import load_config
    from tunesmith.planning.estimates.estimators import Estimators
    from tunesmith.plugins.registry import load_registry

    record = load_registry(load_config()).providers("device_backend").get(backend)
    return next(iter(Estimators().devices(record)), None) if record else None


def reckoned(planned: PlannedStep, step: StepFacts, device: Device) -> float:
    """Seconds of a unit of a step's work on a device with these figures, by the estimators of its providers; 0 where they don't tell."""
    from tunesmith.planning.estimates.estimators import Estimators
    from tunesmith.planning.estimates.memory_and_disk import estimate
    from tunesmith.planning.inputs.step_outputs import Product
    from tunesmith.planning.plan import Choice
    from tunesmith.planning.problems import Notes
    from tunesmith.running.store.store import Store

    store = Store(step.run.directory.parent.parent)
    inputs = {name: store.get(digest) for name, digest in step.inputs.items()}
    main = inputs.get(planned.verb.inputs[0].name)
    config = _config(main)
    if main is None or not config:
        return 0.0
    size = int(store.size(step.inputs[planned.verb.inputs[0].name]) or 0)
    product = Product("model", "model", main.format, size, config=config, model_bytes=size, directory=main.path)
    rows = next((one.meta for one in inputs.values() if one and one.format.startswith("dataset/")), {})
    data = {name: rows[name] for name in ("rows", "characters") if name in rows}
    found = estimate(
        planned.name, Choice(planned.verb, dict(step.settings)), planned.choices, product, data, planned.placement, Notes(), Estimators(),
        devices=(replace(device, memory=2**62, free=2**62),),
    )  # fmt: skip
    return found.seconds if found else 0.0


def _quality(planned: PlannedStep, step: StepFacts) -> tuple[float, int]:
    """What the knowledge base of the run's home says of the loss of rows held out, and of how many runs that is."""
    from tunesmith.running.store.store import Store
    from tunesmith_recommend.evidence.entry import main_model, rows_of
    from tunesmith_recommend.evidence.knowledge_base import FILE as BASE
    from tunesmith_recommend.evidence.knowledge_base import KnowledgeBase
    from tunesmith_recommend.evidence.quality import likely_quality

    home = step.run.directory.parent.parent
    providers = {choice.record.kind: choice.record.name for choice in planned.choices.values()}
    if "objective" not in providers or not (home / BASE).is_file():
        return 0.0, 0
    store = Store(home)
    data, model = (store.get(step.inputs.get(name, "")) for name in ("data", planned.verb.inputs[0].name))
    with contextlib.closing(KnowledgeBase(home)) as base:
        found = likely_quality(
            base.entries(), verb=planned.verb.name, providers=providers, data=rows_of(data), model=main_model(model, store)
        )
    return (found.value, found.runs) if found else (0.0, 0)


def _config(main: Artifact | None) -> Mapping[str, Any]:
    try:
        return dict(json.loads((main.path / "config.json").read_text(encoding="utf-8"))) if main else {}
    except (OSError, ValueError, TypeError):
        return {}
