"""The verb `combine`: matrix by matrix, so that no more than one file of the result is held at a time."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tunesmith.contracts import Result, Step, UserError
from tunesmith.contracts.artifacts import several
from tunesmith_combine.estimate import check_weights
from tunesmith_combine.merge_methods import together
from tunesmith_combine.passthrough import passthrough
from tunesmith_models.safetensors import check_files


def run(step: Step) -> Result:
    """The base plus what its fine-tuned models have learnt, in the base's files and numbers.

    Raises:
        UserError: TS-MODEL-008 when files are missing or truncated; as `check_weights`; TS-TRAIN-071 when a model has other matrices than
            the base; as `passthrough`.
    """
    base, tuned = step.inputs["model"].path, [artifact.path for artifact in several(step.inputs, "tuned")]
    for path in (base, *tuned):
        check_files(path)
    weights = check_weights(vars(step.settings), len(tuned)) or [1 / len(tuned)] * len(tuned)
    places = [_places(path) for path in (base, *tuned)]
    if step.settings.merge_method == "passthrough":
        return _stacked(step, [base, *tuned], places)
    for path, found in zip(tuned, places[1:], strict=True):
        _check(path, places[0], found)
    total, done = len(places[0]), 0
    for name in sorted({place.file for place in places[0].values()}):
        result: dict[str, torch.Tensor] = {}
        with ExitStack() as stack:
            files: dict[Path, Any] = {}
            for tensor in (tensor for tensor, place in places[0].items() if place.file == name):
                step.check_cancelled()
                values = [
                    _read(stack, files, path / found[tensor].file, tensor) for path, found in zip((base, *tuned), places, strict=True)
                ]
                result[tensor] = _combined(tensor, values, weights, step)
                done += 1
                step.progress(done, total, what="combine", unit="matrices")
        save_file(result, step.output / name, metadata={"format": "pt"})
    _copy_beside(base, step.output)
    return Result(meta={"models": len(tuned), "weights": weights, "method": step.settings.merge_method})


def _stacked(step: Step, paths: list[Path], places: list[dict[str, Place]]) -> Result:
    _copy_beside(paths[0], step.output, but=("model.safetensors.index.json",))
    layers = passthrough(paths, places, step)
    names = ["model", *(name for name in step.inputs if name.partition(".")[0] == "tuned")]
    stood = [[names[model], layer] for model, layer in layers]
    return Result(meta={"models": len(paths) - 1, "method": step.settings.merge_method, "stacked": stood})


def _copy_beside(base: Path, output: Path, but: tuple[str, ...] = ()) -> None:
    for path in base.iterdir():
        if path.is_file() and path.suffix != ".safetensors" and path.name not in but:
            shutil.copyfile(path, output / path.name)


def _combined(name: str, values: list[torch.Tensor], weights: list[float], step: Step) -> torch.Tensor:
    base, *others = values
    differences = [other.float() - base.float() for other in others]
    if not base.is_floating_point() or not any(difference.any() for difference in differences):
        return base
    # each matrix draws for itself, so that the result does not depend on the order of the files
    torch.manual_seed(int.from_bytes(hashlib.sha256(f"{step.seed} {name}".encode()).digest()[:7], "big"))
    return (base.float() + together(base, differences, weights, step.settings)).to(base.dtype)


def _read(stack: ExitStack, files: dict[Path, Any], path: Path, name: str) -> torch.Tensor:
    if path not in files:
        files[path] = stack.enter_context(safe_open(path, framework="pt"))
    return files[path].get_tensor(name)


class Place(NamedTuple):
    """Where a matrix lies: the file's name; and its sizes."""

    file: str
    shape: tuple[int, ...]


def _places(directory: Path) -> dict[str, Place]:
    """By matrix, in the order of the files."""
    found: dict[str, Place] = {}
    for path in sorted(directory.glob("*.safetensors")):
        with safe_open(path, framework="pt") as tensors:
            found |= {name: Place(path.name, tuple(tensors.get_slice(name).get_shape())) for name in tensors.keys()}  # noqa: SIM118
    return found


def _check(path: Path, base: dict[str, Place], found: dict[str, Place]) -> None:
    for name in sorted(base.keys() | found.keys()):
        if name not in base or name not in found or base[name].shape != found[name].shape:
            how = "in another size" if name in base and name in found else "and only one of the two has it"
            raise UserError(
                "TS-TRAIN-071", f"The model {path.name} does not come from this base: {name} differs, {how}",
                fix="Combine models that were fine-tuned from one base, without new layers, and give that base as `from`.",
            )  # fmt: skip
