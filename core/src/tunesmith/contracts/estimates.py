"""What estimators are given and give: memory and disk from a model's config alone, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.device_backend import Device


@dataclass(frozen=True)
class EstimateRequest:
    """What an estimator may look at.

    Args:
        config: what describes the main input's model (``config.json``); empty if unknown.
        input_bytes: size on disk of the main input, 0 if unknown.
        model_bytes: size of the files that `config` came with, 0 if unknown: those of the model before any conversion.
        directory: where that model's files can be read now; None if they have to be fetched first.
        rows: the first rows of the data input as the step will read them, some kilobytes at most; none where they are not known yet.
        provider: of the step, by its slot, built as in the step; raises a `TunesmithError` where it needs an isolated environment.
        format: of the main input as the step reads it, after what was inserted before it; empty if unknown.
        settings: of this provider, defaults filled in.
        step_settings: of the step's verb.
        parts: the answers of the step's other estimators by slot (a verb's own estimator is asked last).
        data: statistics of the data input: ``rows``, and ``characters`` or, where it is known, ``length``, the tokens of a row; ``media``,
            type of part -> how many rows have one.
        device: name of the device backend.
        dtypes: dtypes that the device computes in natively, as in `Placement`.
        devices: of that backend that the step may compute on, of this machine or of one that is asked about.
        processes: of the step.
        models: of the step's other inputs, by name: ``config``, ``bytes`` on disk (0 if unknown) and ``format`` of each; of an endpoint
            that another step serves meanwhile also the ``memory`` that takes, in bytes (0 if unknown), the ``settings`` of that step and
            the ``facts`` of its provider.
        inputs: names of the step's inputs beside the main one, rows among them; empty where no step is planned (`tunesmith estimate`).
        facts: what the step's verb and its main provider declare in their manifests, and the formats that come of it as ``produces``.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    input_bytes: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    step_settings: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    dtypes: tuple[str, ...] = ("float32",)
    format: str = ""
    model_bytes: int = 0
    directory: Path | None = None
    rows: tuple[Mapping[str, Any], ...] = ()
    provider: Callable[[str], Any] | None = field(default=None, compare=False)
    devices: tuple[Device, ...] = ()
    processes: int = 1
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """Bytes at the peak by what they are for (they add up to `memory`), and bytes written to disk.

    The estimator of a verb, quantizer, exporter or inference backend gives one of these; an adapter's gives its parts as a mapping, and a
    strategy's, too, or as the `terms` of one of these where there is something to tell beside them.
    They are asked in a helper process of the planner, each with some seconds' time; where one fails, its estimate is unknown.
    One that raises a `UserError` refuses: these settings can't work on this model, and the plan says so. They see no variable with a
    secret; whether one is set is told by `tunesmith.contracts.environment_variables.is_set`.

    Args:
        notes: what to know of the figures, a sentence each.
        decisions: what will be done in another way on this model than on others: (what, reason); the plan says so.
        warnings: what may not be meant, a sentence each; the plan warns of it.
        host: bytes of the host's memory that a process takes as well, where `terms` are of a device with memory of its own.
        sent: bytes that a process sends to others in a unit of its work, such as a step of training.
        settings: of the step's verb, which were left to it: what `auto` comes to. They stand in the plan in place of that, and so in the
            cache key and in the run; `decisions` say why.
        seconds: that such a unit is expected to take; 0 where nothing is known of the device's speed.
        savings: settings of the verb with which it would need less, those first that cost least; each on top of the ones before.
        alternatives: settings of the verb that are worth a comparison, such as another type of numbers: (settings, what speaks against
            them, or nothing); none where the user has chosen.
    """

    terms: Mapping[str, float]
    disk: float = 0.0
    notes: tuple[str, ...] = ()
    decisions: tuple[tuple[str, str], ...] = ()
    savings: tuple[Mapping[str, Any], ...] = ()
    alternatives: tuple[tuple[Mapping[str, Any], str], ...] = ()
    warnings: tuple[str, ...] = ()
    host: float = 0.0
    sent: float = 0.0
    seconds: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def memory(self) -> float:
        return sum(self.terms.values())
