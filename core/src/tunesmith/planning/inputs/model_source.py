"""Where the pipeline's model comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tunesmith.contracts.estimates import Estimate
from tunesmith.contracts.kinds.model_loader import ModelInfo, brings_code
from tunesmith.errors import TunesmithError, UserError, listed
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.spec import MODEL, PipelineSpec
from tunesmith.planning.pipeline.step_syntax import FILE, StepSpec
from tunesmith.planning.plan import Choice, PlannedStep
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.lookup import ProviderLookup
from tunesmith.plugins import requirements
from tunesmith.plugins.records import ProviderRecord
from tunesmith.spelling import near

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://)?(.*)", re.DOTALL)
LOADER = "model_loader"


def model_uri(spec: PipelineSpec) -> str:
    """The model's URI, a relative ``file://`` taken from the pipeline's directory; a plain path becomes one."""
    match = _SCHEME.match(spec.model)
    plain = spec.base / os.path.expanduser(spec.model)
    if match is None and os.path.exists(plain):
        return f"{FILE}://{plain.absolute()}"
    if match and match[1].lower() == FILE and match[2] and not match[2].startswith(("/", "~", "localhost/")):
        rest = match[2] if os.path.exists(spec.base / match[2]) else unquote(match[2])
        return f"{FILE}://{(spec.base / rest).absolute()}"
    return spec.model


def loader_of(uri: str, registry: Registry) -> ProviderRecord:
    """The model loader that serves the URI's scheme.

    Raises:
        UserError: TS-SPEC-013 when there is no scheme, or no loader for it.
    """
    loaders = registry.providers(LOADER).values()
    schemes = {str(scheme): record for record in reversed(list(loaders)) for scheme in record.facts.get("schemes", ())}
    if (match := _SCHEME.match(uri)) is None:
        raise UserError("TS-SPEC-013", f"`{uri}` does not say where the model is, and is no path that exists", fix=uri_hint(uri, registry))
    if match[1].lower() not in schemes:
        raise UserError("TS-SPEC-013", f"no installed model loader serves `{uri}`", fix=uri_hint(uri, registry))
    return schemes[match[1].lower()]


def uri_hint(text: str, registry: Registry) -> str:
    """What to write for a model that is named without a scheme, or with one that nobody serves."""
    loaders = registry.providers(LOADER).values()
    schemes = sorted({str(scheme) for record in loaders for scheme in record.facts.get("schemes", ())})
    if not schemes:
        return "Install a model loader: none is active, `tunesmith plugin list` says why."
    if named := named_elsewhere(text, registry):
        return f"Write {listed(named)}."
    scheme, separator, rest = text.partition("://")
    meant = near(scheme, schemes) if separator else []
    known = listed(f"{scheme}://" for scheme in schemes)
    return f"Did you mean `{meant[0]}://{rest}`?" if meant else f"Name a directory that exists, or write scheme://name. Schemes: {known}."


def named_elsewhere(text: str, registry: Registry) -> list[str]:
    """The addresses of a model that is named without a scheme, of those loaders that say that such names are theirs."""
    loaders = registry.providers(LOADER).values()
    return [f"{record.facts['schemes'][0]}://{match[1]}" for record in loaders if (match := _elsewhere(record, text))]


def _elsewhere(record: ProviderRecord, text: str) -> re.Match[str] | None:
    """Whether a loader says that a name without a scheme is its own."""
    try:
        return re.fullmatch(str(record.facts.get("elsewhere", "")), text)
    except re.error:  # of a stranger's plugin
        return None


class ModelOrigin:
    """The pipeline's model: `step` fetches it, planned when something first reads it.

    Args:
        resolve: tells what a model URI names.
    """

    def __init__(self, spec: PipelineSpec, lookup: ProviderLookup, notes: Notes, resolve: Callable[[str], ModelInfo]) -> None:
        self.spec, self.lookup, self.notes, self.resolve = spec, lookup, notes, resolve
        self.step: PlannedStep | None = None

    @cached_property
    def product(self) -> Product | None:
        """The model; None, with a problem noted, if it can't be had."""
        where = self.spec.where("model")
        found, verb = self.found(self.spec.model, where), self.lookup.verb_over(LOADER, where)
        if found is None or verb is None:
            return None
        loader, info = found
        self.step = PlannedStep(
            name=MODEL, group=MODEL, verb=verb, choices={LOADER: loader}, settings=asdict(info), inputs={}, format=info.format,
            inserted=True, estimate=Estimate({}, float(info.size)),
        )  # fmt: skip
        reason = f"the pipeline starts from {self.spec.model}, {info.revision[:20]}"
        self.notes.decide(MODEL, f"inserted: {verb.name} by `{loader.record.name}`", reason)
        return Product(
            MODEL, MODEL, info.format, info.size, (loader,), config=info.config, model_bytes=info.size,
            directory=Path(info.directory) if info.directory else None,
        )  # fmt: skip

    def found(self, model: str, where: str) -> tuple[Choice, ModelInfo] | None:
        """Who loads a model, and what its name means; None, with a problem noted, if it can't be had."""
        uri = model_uri(replace(self.spec, model=model))
        try:
            record = loader_of(uri, self.lookup.registry)
            # it is asked what the model is while planning, before any environment is built
            if requirements.lacking(plugin := self.lookup.plugin(record)):
                raise requirements.missing_error(plugin)
            loader, info = self.lookup.unasked(record), self.resolve(uri)
        except TunesmithError as error:
            self.notes.adopt(error, where)
            return None
        if brings_code(info.config):
            self.notes.warn(f"{model} brings code of its own (`auto_map` in its config.json), which is never run: it loads only where a "
                            f"step's library knows the architecture `{info.config.get('model_type')}` itself")  # fmt: skip
        return loader, info

    def fetched(self, step: StepSpec, model: str) -> dict[str, Any] | None:
        """The settings of a step of the user's that brings a model: all that its loader says of it; None as above."""
        where, (wanted, *_) = self.spec.where("steps", step.name), step.main
        found = self.found(model, where)
        if found and found[0].record.name != wanted.name:
            fix = f"Write `{step.verb.name}: {found[0].record.name}`."
            self.notes.problem("TS-SPEC-013", f"{where}: `{model}` is no address of `{wanted.name}`", fix=fix)
            return None
        return asdict(found[1]) if found else None

    def described(self, product: Product, step: PlannedStep) -> Product:
        """What such a step makes, with what describes it."""
        info = ModelInfo(**step.settings)
        return replace(product, size=info.size, config=info.config, model_bytes=info.size)
