"""The check `audit`: what a step made is audited and held against what it was made from, before it is published."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact, Result, fits
from tunesmith.contracts.step import Step
from tunesmith_audit.estimate import has_role
from tunesmith_audit.outputs.comparison import Runner, compared, own_bounds, remembered, runner_of
from tunesmith_audit.outputs.distance import NotCompared
from tunesmith_audit.outputs.parents import FIGURES, told_apart
from tunesmith_audit.report_text import told
from tunesmith_audit.settings import AuditSettings
from tunesmith_audit.verdict import Verdict
from tunesmith_models import ModelShape, configuration
from tunesmith_models.model_directory import gguf_in, weights_size

REFUSED = "refused"  # folder in the step's work folder for the files of what is not published
MODELS, ADAPTERS = ("model/*+*",), ("adapter/*+*",)


class Audit:
    """A kind `artifact_check` of `tunesmith_audit.contract`."""

    def __init__(self, settings: AuditSettings) -> None:
        self.settings = settings

    def check(self, step: Step, result: Result) -> Result:
        """The result with what was found as ``audit`` in its meta; what it is, is said in the step's decisions.

        Raises:
            TunesmithError: TS-AUDIT or TS-GATE, the first finding's code; the files are in the folder `refused` of the step's work folder.
        """
        made = result.format or next(iter(step.facts.get("produces", ())), "")
        parent = _parent(step, made)
        if parent is None or not fits(made, MODELS + ADAPTERS) or not any(step.output.iterdir()):  # nothing is refused by the kernel
            return result
        step.check_cancelled()
        verdict = self._of_adapter(step, parent) if fits(made, ADAPTERS) else self._of_model(step, parent, made, result.meta)
        if not verdict.ok:
            raise verdict.error(f"What `{step.name}` made", f"Its files are in {_kept(step)}.")
        step.decide(*told(verdict, self.settings))
        return replace(result, meta={**result.meta, "audit": self._meta(verdict)})

    def _of_model(self, step: Step, parent: Artifact, made: str, meta: Mapping[str, Any]) -> Verdict:
        from tunesmith_audit.files.audit import audit  # numpy
        from tunesmith_audit.files.stacked_layers import audit_stacked

        child, models = step.output, {name: one.path for name, one in step.inputs.items() if fits(one.format, MODELS)}
        if layers := meta.get("stacked"):
            verdict = audit_stacked(models, child, [(str(name), int(layer)) for name, layer in layers])
        else:
            verdict = audit(parent.path, child, step.facts.get("edge", "auto"))
        if file := gguf_in(child):
            verdict += _of_gguf(parent.path, file)
        if verdict.unless_computed_alike().findings:
            return verdict
        try:
            expected, runner = remembered(step), runner_of(step)
            self._comparable(step, parent, made, runner, remembers=expected is not None)
        except NotCompared as reason:
            return verdict + Verdict(not_compared=(str(reason),))
        bits, device = int(verdict.figures.get("bits", meta.get("bits", 0))), step.placement.torch
        if "unbounded" in step.facts:
            return verdict + told_apart(models, child, device, self.settings)
        return compared(verdict, parent.path, child, device, settings=self.settings, bits=bits, expected=expected, runner=runner)

    def _of_adapter(self, step: Step, parent: Artifact) -> Verdict:
        from tunesmith_audit.files.adapter_audit import audit_adapter  # numpy

        reason = step.facts.get("not_compared", "an adapter is to change what its model computes")
        return audit_adapter(step.output, parent.path if fits(parent.format, ADAPTERS) else None) + Verdict(not_compared=(reason,))

    def _comparable(self, step: Step, parent: Artifact, made: str, runner: Runner | None, *, remembers: bool) -> None:
        """
        Raises:
            NotCompared: why both are not run.
        """
        if not self.settings.compare:
            raise NotCompared(f"`compare` is false: {self.settings.reason}")
        if reason := step.facts.get("not_compared"):
            raise NotCompared(str(reason))
        if has_role(made, next(iter(step.inputs.values())).format):
            raise NotCompared("it gives no words")
        for directory, of in ((parent.path, parent.format), *(() if runner else ((step.output, made),))):
            if not gguf_in(directory) and not (weights_size(directory) and configuration(directory).get("model_type")):
                raise NotCompared(f"{of} is no checkpoint that transformers loads")
        if lacking := [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]:
            raise NotCompared(f"{' and '.join(lacking)} can't be imported where the step runs")
        size = max(_stored(directory) for directory in (parent.path, step.output))
        if not remembers and step.placement.torch == "cpu" and _free() < 4.0 * size:
            raise NotCompared(f"a model takes {size / 1e9:.1f} GB in 16 bits, and less than four times that is free")

    def _meta(self, verdict: Verdict) -> dict[str, Any]:
        """What travels with the artifact: the template's identity, the figures to four digits with their intervals, the user's word."""
        figures: dict[str, Any] = {name: _short(value) for name, value in verdict.figures.items() if isinstance(value, float)}
        if intervals := verdict.figures.get("intervals"):
            figures["intervals"] = {name: [_short(end) for end in ends] for name, ends in intervals.items()}
        own = {**own_bounds(self.settings), **({"reason": self.settings.reason} if self.settings.reason else {})}
        template = {"template": verdict.figures["template"]} if "template" in verdict.figures else {}
        apart = {name: {key: _short(one[key]) for key in FIGURES} for name, one in verdict.figures.get("parents", {}).items()}
        figures |= {"parents": apart} if apart else {}
        return {**template, "compared": "kl" in verdict.figures, **figures, **({"overridden": own} if own else {})}


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _parent(step: Step, made: str) -> Artifact | None:
    """What the artifact came from: the first model or adapter that the step reads; of an adapter that becomes a model, its base."""
    found = next((one for one in step.inputs.values() if fits(one.format, MODELS + ADAPTERS)), None)
    return found.refs.get("base", found) if found and fits(found.format, ADAPTERS) and fits(made, MODELS) else found


def _kept(step: Step) -> Path:
    """Move what is not published to where it can be looked at."""
    kept = step.work / REFUSED
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for path in sorted(step.output.iterdir()):
        shutil.move(path, kept / path.name)
    return kept


def _of_gguf(parent: Path, file: Path) -> Verdict:
    from tunesmith_audit.files.gguf_file import audit_gguf

    try:
        return audit_gguf(parent, file)
    except ImportError:
        return Verdict(not_compared=("tensors: there is no package `gguf` where the step runs",))


def _stored(directory: Path) -> float:
    """Bytes of a model's weights in 16 bits, or in 32 where it is stored so."""
    config = configuration(directory)
    shape = ModelShape.from_config(config)
    packed = bool(config.get("quantization_config")) or gguf_in(directory) is not None
    return 2 * shape.parameters if packed and shape else float(weights_size(directory))


def _free() -> float:
    """Bytes of memory that can be had; endless where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return float("inf")
