"""Memory and disk of quantizing layer by layer, from the model's sizes alone; standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import BYTES, ModelShape, check_media, compute_type, stored_type
from tunesmith_models.group_size import fitting_group_size
from tunesmith_quantization.use import require_rows

HALF, SINGLE = 2.0, 4.0  #: bytes of a number in 16 and in 32 bits


@dataclass(frozen=True)
class Sizes:
    """What quantizers reckon with.

    Args:
        each: bytes of a number in the type that is computed in.
        tokens: of all rows that it calibrates on.
        batch: tokens that run through the model at once.
        group_size: weights that share a scale; -1: those of a row.
    """

    shape: ModelShape
    each: float
    tokens: int
    batch: int
    group_size: int

    @property
    def widest(self) -> int:
        """Columns of the widest matrix."""
        return max(linear.inputs for linear in self.shape.linears)

    @property
    def layer(self) -> float:
        """Weights of a layer's matrices, on average."""
        return self.shape.matrices / self.shape.layers


def layerwise(
    request: EstimateRequest, work: Callable[[Sizes], Mapping[str, float]], disk: Callable[[Sizes], float], *, libraries: float,
    grouped: bool = True,
) -> Estimate:  # fmt: skip
    """The model, what a library's work on a layer takes, the quantized model, the libraries.

    Args:
        request: whose settings have `num_calibration_samples`, `max_seq_length`, `batch_size` and, where weights share scales in groups,
            `group_size`.
        work: bytes by name, of what is kept and computed beside the model.
        disk: bytes of what is written.
        libraries: resident size of Python with them.
        grouped: whether weights of a group share a scale, whose size then has to divide the model's matrices.

    Raises:
        UserError: TS-QUANT-001 when the group size does not divide the model's matrices; TS-DATA-032 for rows that it does not take;
            TS-QUANT-009 when the step has a `use` and no rows.
    """
    require_rows(request)
    settings, shape, unsure = request.settings, ModelShape.of(request), check_media(request)
    group_size = fitting_group_size(shape, settings["group_size"]) if grouped else -1
    if shape is None:
        return Estimate({"model": float(request.input_bytes), "libraries": libraries}, notes=("the model's sizes are unknown",))
    rows = min(settings["num_calibration_samples"], request.data.get("rows") or settings["num_calibration_samples"])
    length = settings["max_seq_length"]
    each = BYTES[compute_type("auto", stored_type(shape.config) or "bfloat16", request)[0]]
    sizes = Sizes(shape, each, rows * length, settings["batch_size"] * length, group_size)
    written = disk(sizes)
    terms = {"model": shape.parameters * each, **work(sizes), "quantized model": written, "libraries": libraries}
    return Estimate(terms, disk=written, warnings=unsure)


def packed_size(shape: ModelShape, bits: int, group_size: int, *, zeros: bool = False, ordered: bool = False) -> float:
    """Bytes of a model whose layers' matrices are packed, with a scale in 16 bits a group; the rest in 16 bits.

    Args:
        group_size: weights of a row that share a scale; 0 or less: all of a row.
        zeros: whether a group has a zero, packed as weights are; `ordered`: whether each column tells its group, in 32 bits.
    """
    few = 0.0
    for one in shape.linears:
        groups = one.inputs / group_size if group_size > 0 else 1
        scales = groups * one.outputs * (HALF + (bits / 8 if zeros else 0))
        few += one.parameters * bits / 8 + one.count * (scales + (one.inputs * SINGLE if ordered else 0))
    return few + (shape.parameters - shape.matrices) * HALF
