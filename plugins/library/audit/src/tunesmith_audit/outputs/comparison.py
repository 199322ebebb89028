"""What parent and child compute, added to what an audit found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError
from tunesmith_audit.bounds import Bounds, bits_of, output_bounds
from tunesmith_audit.outputs.distance import NotCompared, distance, ids_of, load, log_probs_of
from tunesmith_audit.outputs.freed_memory import give_back
from tunesmith_audit.settings import AuditSettings
from tunesmith_audit.verdict import Finding, Verdict
from tunesmith_models import ModelShape, configuration, stored_type
from tunesmith_models.model_directory import gguf_in

SLOT = "check"  #: key in a step below which the check is named
Expected = Sequence[Any]  #: log-probabilities, as `log_probs_of` gives them
#: of the model in a directory, after each token of some sequences; None where it can't run this one, and it is run as without a runner
Runner = Callable[[Path, Sequence[Sequence[int]]], Expected | None]

_remembered: WeakKeyDictionary[Step, Expected | NotCompared] = WeakKeyDictionary()


def remember(step: Step, directory: Path, model: Any) -> None:
    """Keep what a model says of the conversations, which is what the step's artifact is to say: a base with an adapter beside it before
    that is folded in. Without it the check runs the model that the step read. Nothing, where nothing is compared.

    Args:
        directory: with the model's tokenizer.
        model: as transformers has it, in the dtype to compute in.
    """
    try:
        settings: AuditSettings = step.provider(SLOT).settings
    except (TunesmithError, AttributeError):  # no check takes part, or another one than ours
        return
    if not settings.compare:
        return
    try:
        ids, _ = ids_of(directory, directory, settings.prompts)
        _remembered[step] = log_probs_of(model, ids, str(next(model.parameters()).device))
    except NotCompared as reason:
        _remembered[step] = reason


def remembered(step: Step) -> Expected | None:
    """What `remember` kept; None where it was not asked to.

    Raises:
        NotCompared: why it could not.
    """
    found = _remembered.pop(step, None)
    if isinstance(found, NotCompared):
        raise found
    return found


def runner_of(step: Step) -> Runner | None:
    """What runs the step's artifact where transformers does not: the fact ``log_probs`` of who makes it."""
    target = str(step.facts.get("log_probs", ""))
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name) if target else None


def compared(
    verdict: Verdict, parent: Path, child: Path, device: str = "cpu", *, settings: AuditSettings | None = None, bits: int = 0,
    expected: Expected | None = None, runner: Runner | None = None,
) -> Verdict:  # fmt: skip
    """The audit's verdict with what both compute.

    Args:
        settings: bounds and prompts of the user's.
        bits: that the child's weights have been through, where its config does not say so.
        expected: what the child should say, if that is not what the parent says.
        runner: what runs the child in place of transformers.
    """
    settings = settings or AuditSettings()
    give_back()
    try:
        ids, gated = ids_of(parent, child, settings.prompts)
        if gated.ok:
            config = configuration(child)
            before = list(expected) if expected is not None else _expected(parent, child, ids, device)
            after = _answers(parent, child, ids, device, runner)
            shape = ModelShape.from_config(config)
            usual = output_bounds(bits or bits_of(config, stored_type(config)), shape.parameters if shape else 0.0)
            gated += distance(before, after, ids, with_own(usual, settings))
            if not distance(before, after, ids, output_bounds(16)).findings:
                verdict = verdict.unless_computed_alike()
    except NotCompared as reason:
        return verdict + Verdict(not_compared=(str(reason),))
    except _Fails as error:
        return verdict + Verdict((Finding("TS-GATE-002", f"it fails where the parent does not: {error}"),))
    return verdict + gated


def _expected(parent: Path, child: Path, ids: Sequence[Sequence[int]], device: str) -> list[Any]:
    """What the parent says; of one that is packed, with its numbers in the code of the plain child that was made of it."""
    numbers = _unpacked(child, parent) if not configuration(child).get("quantization_config") and not gguf_in(child) else None
    return log_probs_of(_with_numbers(child, numbers, device), ids, device) if numbers else said(parent, ids, device)


class _Fails(Exception):
    """The child can be loaded and not be run."""


def _answers(parent: Path, child: Path, ids: Sequence[Sequence[int]], device: str, runner: Runner | None) -> Expected:
    try:
        if runner and (told := runner(child, ids)) is not None:
            return told
        if numbers := _numbers(parent, child):
            return log_probs_of(_with_numbers(parent, numbers, device), ids, device)
        return said(child, ids, device)
    except (IndexError, RuntimeError, ValueError) as error:
        if "memory" in str(error):
            raise NotCompared("there is too little memory for it") from error
        raise _Fails(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}") from error


def _numbers(parent: Path, child: Path) -> Iterator[tuple[str, Any]] | None:
    """The child's numbers under the parent's names, where they are run in the parent's code. None: transformers loads the child."""
    if file := gguf_in(child):
        from tunesmith_audit.files.gguf_file import restored

        return restored(parent, file)
    return _unpacked(parent, child)


def _unpacked(plain: Path, packed: Path) -> Iterator[tuple[str, Any]] | None:
    """A packed model's numbers under the plain one's names: of GPTQ, for whose layers GPTQModel would compile C++ for minutes first, and of
    AWQ, which transformers runs on other devices alone. None: it is packed otherwise."""
    if (configuration(packed).get("quantization_config") or {}).get("quant_method") not in ("gptq", "awq"):
        return None
    from tunesmith_audit.files.audit import unpacked

    return unpacked(plain, packed)


def own_bounds(settings: AuditSettings) -> dict[str, float]:
    """The bounds that the user has set."""
    return {name: value for name in ("kl", "top1", "perplexity") if (value := getattr(settings, name)) is not None}


def with_own(bounds: Bounds, settings: AuditSettings) -> Bounds:
    """The bounds with the user's in their place."""
    return replace(bounds, **own_bounds(settings))


def _with_numbers(parent: Path, numbers: Iterator[tuple[str, Any]], device: str) -> Any:
    """The parent's model with other numbers, in float32.

    Raises:
        NotCompared: they are not those of all its parameters.
    """
    import torch

    model = load(parent, device, torch.float32)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, values in numbers:
            if name not in parameters:
                raise NotCompared(f"transformers has no {name}")
            parameters.pop(name).copy_(torch.from_numpy(values))
    left = [name for name in parameters if not (name == "lm_head.weight" and model.config.tie_word_embeddings)]
    if left:
        raise NotCompared(f"how {left[0]} is written is not read here")
    return model


def said(directory: Path, ids: Sequence[Sequence[int]], device: str) -> list[Any]:
    """What a model says after each token; in float32 on a processor.

    Raises:
        NotCompared: it can't be loaded here.
    """
    import torch

    dtype = torch.float32 if device == "cpu" else getattr(torch, stored_type(configuration(directory)) or "float32")
    return log_probs_of(load(directory, device, dtype), ids, device)
