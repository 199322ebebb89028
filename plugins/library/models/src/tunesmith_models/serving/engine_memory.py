"""Memory and time of an engine that allocates keys and values once, when it starts; from the model's configuration alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith_models.dtypes import BYTES, compute_type, stored_type
from tunesmith_models.model_size import ModelShape
from tunesmith_models.serving.engine_time import ALONE, EngineTime
from tunesmith_models.serving.expected_load import ExpectedLoad, held_against_load

PLAIN = 1.5  # bytes a parameter from which on a checkpoint is not quantized


def engine_memory(
    request: EstimateRequest, *, dtype: str, length: int, sequences: int, batch: int, libraries: float, cache: float = 0.0, remainder: str,
    names: tuple[str, str], room: Callable[[Mapping[str, float], float], float] | None = None, shards: int = 1, launching: float = ALONE,
) -> Estimate:  # fmt: skip
    """Weights, keys and values, activations of a step, the libraries, on each of the devices that share the model; in bytes. And the
    seconds that an expected load takes.

    Args:
        dtype: as it was set; ``auto``: the checkpoint's.
        length: longest text in tokens; 0: all that the model allows.
        sequences: texts under way at the same time.
        batch: tokens computed at once.
        libraries: what is resident beside the model.
        cache: for keys and values, on each device; 0: the engine takes what is left, and counted is what its settings can use.
        remainder: the name of the setting that says how much is taken then.
        names: of the settings that `length` and `sequences` are.
        room: bytes that the engine will find for keys and values on a device, of the estimate's terms and the device's memory.
        shards: devices that share the model.
        launching: seconds of the host for a layer and step.

    Raises:
        UserError: TS-SERVE-031 where not even one text finds memory for its keys and values, so that the engine would end after it has
            loaded the model; TS-SERVE-032 where the load that is expected would be refused; TS-SERVE-033 where there are fewer devices.
    """
    there = [device.memory for device in request.devices if device.memory]
    if shards > max(1, len(request.devices)) and request.devices:
        raise UserError(
            "TS-SERVE-033", f"{shards} devices are to share the model, and {len(request.devices)} can be used",
            fix="Set fewer, or leave the choice to the planner: `serve: auto`.",
        )  # fmt: skip
    shape = ModelShape.of(request)
    if shape is None:
        terms = {"weights": request.input_bytes / shards, "kv cache": cache, "libraries": libraries}
        return Estimate(terms, notes=("the model's sizes are unknown",))
    warnings = held_against_load(request, shape, length=length, sequences=sequences, names=names)
    type_, why = compute_type(dtype, stored_type(shape.config) or "bfloat16", request)
    size = BYTES[type_]
    quantized = 0 < request.input_bytes < PLAIN * shape.parameters  # it stays as small in memory as it is on disk
    weights = float(request.input_bytes) if quantized else shape.parameters * size
    length = min(length or shape.positions, shape.positions or length)
    notes = () if cache else (f"what {remainder} leaves is taken for keys and values; counted is what the settings can use",)
    widest = 2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size
    logits = sequences * shape.vocabulary * 4.0
    share = min(shards, shape.kv_heads)  # heads of keys and values are divided; where they are fewer than devices, several hold the same
    one = shape.kv_bytes(length, size, latent=True) / share
    terms = {
        "weights": weights / shards, "kv cache": cache or sequences * one,
        "activations": min(batch, max(length, 1)) * widest * size + logits, "libraries": libraries,
    }  # fmt: skip
    found = cache or (room(terms, min(there)) if room and there else one)
    if found < one:
        raise UserError(
            "TS-SERVE-031", f"no memory for keys and values: one text of {length} tokens takes {_gib(one)}, and there "
            + (f"are {_gib(found)}" if found > 0 else "is nothing left"),
            why=", ".join(f"{name} {_gib(value)}" for name, value in terms.items() if name != "kv cache"),
            fix=f"Lower `{names[0]}`, raise `{remainder}`, let more devices share the model, or serve one of fewer bits.",
        )  # fmt: skip
    if not cache and room and there:  # others wait until there is room again
        terms["kv cache"] = min(terms["kv cache"], found)
    load = ExpectedLoad.of(request)
    if load is None:
        return Estimate(terms, notes=notes)
    together = min(sequences, int(found // (one * load.length / length))) if cache or (room and there) else sequences
    time = EngineTime(shape, type_, weights, one * share / length, max(1, together), shards, launching)
    facts = request.devices[0].facts if request.devices else {}
    return Estimate(
        terms, notes=notes, warnings=tuple(warnings), seconds=time.seconds(load, facts), decisions=((f"computes in {type_}", why),)
    )  # fmt: skip


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
