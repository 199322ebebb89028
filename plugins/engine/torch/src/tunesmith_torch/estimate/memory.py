"""Memory and disk of `train` and `merge` from the model's configuration alone. Standard library and contracts only.

What a layer keeps is counted in `kept`, what is held all the time in `held`; which model it is, `roads` tells. Each constant here is one of
a kind of process, not of a model: docs/estimates.md holds them against real runs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_audit import comparison_memory
from tunesmith_models import BYTES, ModelShape, check_media, compute_type
from tunesmith_torch.estimate.activations import Pass, called_layers, layer_work, library_layer, own_layer
from tunesmith_torch.estimate.adapter_values import check_values
from tunesmith_torch.estimate.completions import check_prompts
from tunesmith_torch.estimate.idle_settings import check_idle
from tunesmith_torch.estimate.label_preview import labels
from tunesmith_torch.estimate.micro_batch import chosen, unknown
from tunesmith_torch.estimate.model_states import REFERENCE, TEACHER, divided, loading, of_base, stored, weights, weights_beside
from tunesmith_torch.estimate.precomputed_reference import precomputes
from tunesmith_torch.estimate.precomputed_reference import told as precomputed
from tunesmith_torch.estimate.process_count import check_devices, without_rows
from tunesmith_torch.estimate.sampler import SAMPLER, check_sampler, sampler_memory
from tunesmith_torch.estimate.sequence_lengths import rows_of_batch, savings, tokens_of
from tunesmith_torch.estimate.step_time import TrainingStep, facts_of
from tunesmith_torch.model.dense.config import DenseSpec
from tunesmith_torch.model.model_impl import model_impl
from tunesmith_torch.model.model_types import refuse_code, refuse_encoder

OWN_RUNTIME, RUNTIME = 250e6, 400e6  # Python and torch, the second with transformers
CONTEXT = 600e6  # of an accelerator: its driver's context, kernels and the libraries' work space
VOCABULARY = 2000.0  # bytes that a tokenizer takes for each of its tokens
CHUNK, FEWEST = 31 * 2**20, 128  # bytes of float32 logits at a time, and rows of them at least: as in `log_probs`
KEPT_BYTES = 128 * 2**20  # of probabilities that a head that trains keeps: as in `head_log_probs`
LARGEST = 5.0  # bytes of an element of it: as it was stored, as it is to be, and what a heap keeps between
HEAP = 1.1  # what a CPU's heap takes for blocks that stay for the backward pass
HOLES = 1.6  # and for those that come and go, where numbers of two types make them of so many sizes that few fit in another's place
REUSED = 0.5  # gradients are made as activations are given back; so much of the room is in pieces large enough for them
SOFTCAP = "attn_logit_softcapping"  # in a configuration
CACHE_TOKENS = 2**15  # that sampling keeps keys and values of at a time: as in `experience.sampler`
STATE = 8.0  # bytes that an optimizer keeps for each number that trains, where it does not say


def _cache(shape: ModelShape, sequences: float, length: float, compute: float) -> float:
    """Keys and values of the completions that are sampled at a time, and of those before them while the cache grows."""
    return 2 * min(CACHE_TOKENS, sequences * length) * shape.layers * shape.kv_size * compute


def train(request: EstimateRequest) -> Estimate:
    """The peak of a training step, with what is left to it (`micro_batch`); no terms where the model's sizes are unknown.

    Raises:
        UserError: TS-MODEL-023 when the model needs code of its own; TS-TRAIN-138 for an encoder that can't be trained so; TS-TRAIN-073
            when the adapter has to see values that a process has not; TS-TRAIN-076 for a setting that would have no effect; TS-TRAIN-077
            for more processes than devices.
    """
    check_idle(request.step_settings, request.inputs)
    check_devices(request)
    refuse_code(request.config)
    refuse_encoder(request.config, request.parts.get("objective", {}), request.parts.get("adapter", {}))
    check_values(request)
    unsure = check_media(request)
    _check_prompts(request)
    told_of_sampler = check_sampler(request)
    shape = ModelShape.of(request)
    if shape is None:
        return unknown(request, Estimate({}, warnings=unsure))
    preview, doubts = labels(request)
    told = (preview, *told_of_sampler)
    return chosen(request, lambda asked: _training(asked, shape, told, (*unsure, *doubts)))


def _training(
    request: EstimateRequest, shape: ModelShape, told: tuple[tuple[str, str], ...], doubts: tuple[str, ...]
) -> Estimate:  # fmt: skip
    """
    Args:
        told: what is decided whatever the micro-batch; `doubts`: what is to be warned of then.
    """
    settings = request.step_settings
    adapter, objective, once = request.parts.get("adapter", {}), request.parts.get("objective", {}), precomputes(request)
    strategy = request.parts.get("strategy", {})
    divides = "parameters" in strategy
    format = "" if request.format.startswith("adapter/") else request.format  # one that goes on lies on the model as it came
    spec, decision = model_impl(shape.config, adapter, format, divided=divides, own=bool(strategy.get("own_model")))
    if spec is not None:
        shape = replace(shape, tied=spec.tied)
    state = request.parts.get("optimizer", {}).get("state", STATE)
    trainable = adapter.get("trainable", float(shape.parameters))
    whole = trainable >= shape.parameters
    precision = str(settings["dtype"])
    dtype = compute_type(precision, "", request, training=True)[0]
    compute, sequences = BYTES[dtype], objective.get("sequences", 1.0)
    length, tokens = tokens_of(
        settings, request.data, sequences, strategy.get("data", float(request.processes)), pieces=bool(objective.get("pieces")),
        completion=objective.get("completion", 0.0),
    )  # fmt: skip
    # a document goes on in several groups: a batch is full of them
    rows = float(settings["batch_size"]) if objective.get("pieces") else rows_of_batch(settings, request.data)
    of = Pass(shape, tokens, length, compute, request.device, bool(spec.attention_softcap if spec else shape.config.get(SOFTCAP)))
    kept = _activations(of, spec, trainable, adapter, bool(settings["gradient_checkpointing"]))
    terms = {
        "runtime": _runtime(request.device, shape, spec),
        "weights": weights(request, shape, spec, compute, trainable),
        **weights_beside(request, compute, divides=divides),
        "gradients": max(0.0, trainable * 4 - kept * REUSED),
        "optimizer": trainable * state,
        # while the model samples there are no activations
        "activations": max(kept, _cache(shape, rows * sequences, length, compute) if _samples(request) else 0.0),
        "logits": _logits(shape, tokens, compute, whole, bool(spec and spec.logit_softcap)),
    }
    if whole and compute < 4 and not strategy.get("cast"):
        terms["casts"] = shape.parameters * compute  # autocast keeps a copy of each matrix within a forward pass
    facts = facts_of(request)
    step = TrainingStep(
        shape, strategy, request.processes, length, rows * sequences, tokens, trainable, state, dtype, compute,
        bool(settings["gradient_checkpointing"]), adapter.get("quantized", 0.0),
        _passes(request, shape, objective, (REFERENCE,) if once else ()), sequences,
    )  # fmt: skip
    terms = divided(terms, strategy, shape, trainable, compute)
    terms = _larger(terms, loading(request, shape, terms, 4.0 if whole else compute)) | sampler_memory(request)
    decisions = (decision, *told)
    if once:
        decisions = (*decisions, precomputed(float(request.data.get("rows", 0)) * sequences * length))
    saved = stored(request, shape) if of_base(adapter, shape, trainable) else trainable * 4
    return Estimate(
        terms, disk=saved + int(settings["save_total_limit"]) * trainable * (4 + state), decisions=decisions,
        savings=savings(settings, length * sequences, tokens),
        notes=_notes(request, shape, adapter, objective, loads=bool(strategy.get("host_loading"))),
        alternatives=_types(request) if precision == "auto" else (), warnings=(*doubts, *without_rows(request, rows)),
        host=step.host_bytes(facts), sent=step.sent, seconds=step.seconds(facts),
    )  # fmt: skip


def _samples(request: EstimateRequest) -> bool:
    """Whether the training step itself writes completions."""
    return bool(request.parts.get("objective", {}).get("completion")) and SAMPLER not in request.inputs


def _types(request: EstimateRequest) -> tuple[tuple[Mapping[str, Any], str], ...]:
    """The types of numbers to compare, the one that `auto` means first."""
    usual = compute_type("auto", "", request, training=True)[0]
    names = (usual, "bfloat16" if usual == "float32" else "float32")
    slow = f"slow: {request.device} has no native "
    return tuple(({"dtype": name}, "" if name in request.dtypes or name == "float32" else slow + name) for name in names)


def _check_prompts(request: EstimateRequest) -> None:
    objective, strategy = request.parts.get("objective", {}), request.parts.get("strategy", {})
    check_prompts(
        request.step_settings.get("sample_prompts", ()), log_probs=bool(objective.get("log_probs", 1.0)),
        outputs=not strategy.get("own_model"),
    )  # fmt: skip


def _passes(request: EstimateRequest, shape: ModelShape, objective: Mapping[str, float], without: Collection[str]) -> float:
    """Of models that do not train, as many of the one that trains."""
    found = 0.0
    for name in {REFERENCE, TEACHER} - {*without}:
        given = request.models.get(name)
        other = ModelShape.from_config(given["config"], given["bytes"]) if given else None
        found += objective.get(name, 0.0) * (other.active / shape.active if other else 1.0)
    return found


def _notes(
    request: EstimateRequest, shape: ModelShape, adapter: Mapping[str, float], objective: Mapping[str, float], *, loads: bool
) -> tuple[str, ...]:  # fmt: skip
    experts = sum(linear.parameters for linear in shape.linears if linear.expert)
    whole = f"the first process has the whole model, {_count(shape.parameters)} parameters, in the host's memory while it loads"
    unknown = objective.get(TEACHER) and TEACHER not in request.models
    beside = ("the teacher is loaded beside the model, and its memory is not counted: its sizes are not known",) if unknown else ()
    loading = (whole, *beside) if loads else beside
    if not experts or not adapter.get("quantized"):
        return loading
    return (
        *loading,
        f"the experts' {_count(experts)} parameters are not kept in fewer bits: they share tensors that are no modules",
    )


def _count(numbers: float) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if numbers >= size:
            return f"{numbers / size:.1f} {word}"
    return f"{numbers:,.0f}"


def merge(request: EstimateRequest) -> Estimate | None:
    """The whole base in float32, and work on its largest matrix; None where its sizes are unknown.

    Of models with 189 and 491 million parameters in bfloat16 a merge held 1.31 and 2.72 GB, and this says 1.41 and 2.74. What is written is
    made of the weights one after the other; the base's files are mapped, and a system that is short of memory drops their pages.
    """
    shape = ModelShape.of(request)
    if shape is None:
        return None
    asked = str(request.step_settings.get("dtype", "auto"))
    size = shape.parameters * BYTES[asked] if asked in BYTES else float(shape.parameters * 2)
    largest = shape.vocabulary * shape.hidden * LARGEST
    terms = {"runtime": RUNTIME, "weights": shape.parameters * 4.0, "largest matrix": largest}
    terms["log-probabilities"] = comparison_memory(shape, RUNTIME)["log-probabilities"]  # held while it merges, and beside the result's
    return Estimate(terms, disk=size)


def _runtime(device: str, shape: ModelShape, spec: DenseSpec | None) -> float:
    """On a processor the libraries and the tokenizer; on an accelerator, where these are not, its context."""
    return CONTEXT if device != "cpu" else (OWN_RUNTIME if spec is not None else RUNTIME) + shape.vocabulary * VOCABULARY


def _larger(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return dict(max(one, other, key=lambda terms: sum(terms.values())))


def _activations(
    of: Pass, spec: DenseSpec | None, trainable: float, adapter: Mapping[str, float], checkpointing: bool
) -> float:  # fmt: skip
    """What the layers keep, and what the one works with whose gradients are computed."""
    outputs = adapter.get("outputs", 0.0)
    if spec is not None:
        beside = trainable - of_base(adapter, of.shape, trainable)
        rank = beside / max(1, sum(one.count * (one.inputs + one.outputs) for one in of.shape.linears))
        each = own_layer(of, rank, spec.head_norms, spec.sandwich) + (called_layers(of, outputs) if outputs else 0.0)
        work = layer_work(of, outputs)
    else:
        each, work = library_layer(of, trainable >= of.shape.parameters, outputs), layer_work(of, outputs)
    kept = each * (1 if checkpointing else of.shape.layers)
    if checkpointing:
        kept += of.shape.layers * of.shape.hidden * of.compute
    heap = HEAP if of.device == "cpu" else 1.0
    holes = HOLES if of.device == "cpu" and of.compute < 4 else 1.0
    return of.tokens * (kept * heap + work * holes) + adapter.get("work", 0.0) * holes


def _logits(shape: ModelShape, tokens: float, compute: float, whole: bool, softcap: bool) -> float:
    """A chunk of logits in float32, the same as computed, and its gradient, with two more where a softcap bends it; and the gradient of a
    head that trains, in both types."""
    chunk = min(max(CHUNK, FEWEST * shape.vocabulary * 4.0), tokens * shape.vocabulary * 4.0)
    if not whole:
        return chunk * (2 + (compute / 4 if compute < 4 else 0) + (2 if softcap else 0))
    kept = min(KEPT_BYTES, tokens * shape.vocabulary * 4.0) * (not softcap)
    return kept + chunk * (3 + compute / 4) + shape.vocabulary * shape.hidden * (4 + compute if compute < 4 else 4)
