"""From an artifact to a running engine, with every choice made on the way recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from tunesmith.contracts import Artifact, Step, UserError
from tunesmith_transformers.engine.engine import Deliveries, Engine
from tunesmith_transformers.engine.metrics import Metrics
from tunesmith_transformers.engine.scheduler import Limits
from tunesmith_transformers.model.dequantized_linear import dequantize
from tunesmith_transformers.model.forward_pass import Forward
from tunesmith_transformers.model.loader import Loaded, load
from tunesmith_transformers.model.packed_linear import pack
from tunesmith_transformers.model.picture_check import check_picture
from tunesmith_transformers.model.self_check import check
from tunesmith_transformers.model.vision import Vision
from tunesmith_transformers.settings import TransformersSettings
from tunesmith_transformers.text.grammar import Grammars
from tunesmith_transformers.text.vocabulary import Vocabulary

KEPT_ROWS = 8  # of the prefix cache at least, however few answers are generated at a time


@dataclass(frozen=True)
class Started:
    """A running engine with what requests need: its vocabulary, grammars over it, the model's sampling defaults, and its eyes if any."""

    engine: Engine
    vocabulary: Vocabulary
    grammars: Grammars
    defaults: Mapping[str, Any]
    vision: Vision | None


def start_engine(
    artifact: Artifact, settings: TransformersSettings, step: Step, deliver: Callable[[Deliveries], None], metrics: Metrics
) -> Started:
    """Load, check and start."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    step.progress(0, 2, what="start the server")
    loaded = load(artifact.path, settings.dtype, step.placement)
    step.progress(1, 2, what="start the server")
    step.check_cancelled()
    step.decide(f"dtype {str(loaded.model.dtype).removeprefix('torch.')}", loaded.reason)
    if loaded.doubt:
        step.log(loaded.doubt, "warning")
    once, why = dequantize(loaded.model, settings.kv_cache_gib * 2**30)
    if why:
        step.decide("4-bit weights are dequantized " + ("once, at the start" if once else "at every step"), why)
    if packed := pack(loaded.model):
        step.decide(f"the weights of {packed} layers are laid out for oneDNN once", "it would be done at every product of bfloat16")
    forward = Forward(loaded.model)
    check(loaded.model, forward)
    vision = seeing(loaded, forward)
    if vision and vision.blind:
        step.log(f"served for text alone, requests with pictures are refused: {vision.blind}", "warning")
    limits = bounds(settings, loaded.positions, forward.cache.bytes_per_token)
    step.decide(
        f"at most {limits.length} tokens each and {limits.cache_tokens} in all",
        f"the model has {loaded.positions} positions, a token takes {forward.cache.bytes_per_token} bytes of "
        f"the {settings.kv_cache_gib:g} GiB",
    )
    if limits.kept_rows:
        step.decide(
            f"a prefix cache of up to {limits.kept_rows} texts", "beginnings that prompts share are read once: `enable_prefix_caching`"
        )
    if loaded.defaults:
        values = ", ".join(f"{name} {value}" for name, value in loaded.defaults.items())
        step.decide(f"where a request does not say: {values}", "the model's generation_config recommends it")
    if loaded.ignored:
        names = ", ".join(f"`{name}`" for name in loaded.ignored)
        step.log(
            f"the model's generation_config has {names}, which this server does not heed: answers may differ from `generate`'s", "warning"
        )
    forward.cache.clear()
    engine = Engine(forward, limits, loaded.ends, deliver, metrics)
    engine.start()
    step.progress(2, 2, what="start the server")
    rows = loaded.model.get_input_embeddings().num_embeddings
    vocabulary = Vocabulary(loaded.tokenizer, rows=rows, length=limits.length)
    return Started(engine, vocabulary, Grammars(vocabulary, loaded.ends, rows), loaded.defaults, vision)


def seeing(loaded: Loaded, forward: Forward) -> Vision | None:
    """The eyes of a model that has some; `blind` where it takes no pictures, or answers about one otherwise in a batch than alone."""
    if loaded.chat is None:
        return None
    vision = Vision(loaded.model, loaded.chat)
    if "image" not in loaded.chat.reader.kinds:
        vision.blind = "the model takes none"
        return vision
    try:
        check_picture(vision, forward)
    except UserError as error:
        vision.blind = error.why
        forward.attend(forward.attention.name)
    return vision


def bounds(settings: TransformersSettings, positions: int, token_bytes: int) -> Limits:
    """The limits that settings, model and memory allow together.

    Raises:
        UserError: TS-SERVE-005 if not even one answer fits the cache.
    """
    length = min(settings.max_model_len or positions, positions or settings.max_model_len)
    room = int(settings.kv_cache_gib * 2**30) // token_bytes
    if length == 0:
        raise UserError("TS-SERVE-005", "The model does not say how long its context is.", fix="Set `max_model_len`.")
    if room < length:
        raise UserError(
            "TS-SERVE-005", f"A `kv_cache_gib` of {settings.kv_cache_gib:g} GiB holds {room} tokens, fewer than one answer of {length}.",
            fix=f"Set `kv_cache_gib` to {length * token_bytes / 2**30:.2g} or more, or `max_model_len` to {room} or less.",
        )  # fmt: skip
    return Limits(
        settings.max_num_seqs,
        length,
        settings.max_queued_requests,
        settings.chunked_prefill_size,
        min(room, settings.max_num_seqs * length),
        max(settings.max_num_seqs, KEPT_ROWS) if settings.enable_prefix_caching else 0,
    )
