"""`merge_method: passthrough`: layers of the models, one upon the other, as they are (mergekit's term); a file at a time in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import safe_open
from safetensors.torch import save_file

from tunesmith.contracts import Step, UserError
from tunesmith_combine.estimate import LARGEST
from tunesmith_combine.layer_slices import COUNT, Layer, check_config, stack, stacked_config
from tunesmith_models import configuration

_LAYER = re.compile(r"\b(layers|h|blocks)\.(\d+)\.")
_FIRST = re.compile(r"embed|wte|wpe")  # what stands before the layers; what else stands outside of them stands behind


class Piece(NamedTuple):
    """A tensor of the result: its name, whose it is, and its name there."""

    name: str
    model: int
    there: str


def passthrough(paths: Sequence[Path], places: Sequence[Mapping[str, Any]], step: Step) -> list[Layer]:
    """Write the stack's weights and config; the layers that it has.

    Args:
        paths: of the models, the base first.
        places: of each the tensors' files and shapes.

    Raises:
        UserError: TS-TRAIN-078 as `stack` and `check_config`; TS-TRAIN-071 for layers of another shape.
    """
    configs = [configuration(path) for path in paths]
    for config in configs:
        check_config(config)
    layers = stack(step.settings.slices, len(paths), min(int(config[COUNT]) for config in configs))
    pieces = list(_pieces(layers, places))
    _check(pieces, places, paths)
    files = list(_files(pieces, places))
    names = (
        ["model.safetensors"] if len(files) == 1 else [f"model-{at:05}-of-{len(files):05}.safetensors" for at in range(1, len(files) + 1)]
    )
    index, total, done = {}, 0, 0
    for name, file in zip(names, files, strict=True):
        with ExitStack() as opened:
            readers: dict[Path, Any] = {}
            tensors = {}
            for piece in file:
                step.check_cancelled()
                path = paths[piece.model] / places[piece.model][piece.there].file
                if path not in readers:
                    readers[path] = opened.enter_context(safe_open(path, framework="pt"))
                tensors[piece.name] = readers[path].get_tensor(piece.there)
                total += tensors[piece.name].nbytes
                done += 1
                step.progress(done, len(pieces), what="combine", unit="matrices")
            save_file(tensors, step.output / name, metadata={"format": "pt"})
            index |= dict.fromkeys(tensors, name)
    if len(files) > 1:
        said = {"metadata": {"total_size": total}, "weight_map": index}
        (step.output / "model.safetensors.index.json").write_text(json.dumps(said, indent=2) + "\n", "utf-8")
    (step.output / "config.json").write_text(json.dumps(stacked_config(configs[0], configs, layers), indent=2) + "\n", "utf-8")
    return layers


def _pieces(layers: Sequence[Layer], places: Sequence[Mapping[str, Any]]) -> Iterator[Piece]:
    """From below: what stands before the layers, of the first one's model; the layers; the rest, of the last one's."""
    first, last = layers[0].model, layers[-1].model
    yield from (Piece(name, first, name) for name in places[first] if not _LAYER.search(name) and _FIRST.search(name))
    for at, (model, layer) in enumerate(layers):
        for name in places[model]:
            found = _LAYER.search(name)
            if found and int(found[2]) == layer:
                yield Piece(f"{name[: found.start(2)]}{at}{name[found.end(2) :]}", model, name)
    yield from (Piece(name, last, name) for name in places[last] if not _LAYER.search(name) and not _FIRST.search(name))


def _check(pieces: Sequence[Piece], places: Sequence[Mapping[str, Any]], paths: Sequence[Path]) -> None:
    """All layers alike in names and shapes, as a config can say of them."""
    shapes: dict[str, tuple[int, ...]] = {}
    names: dict[str, set[str]] = {}
    for piece in pieces:
        found = _LAYER.search(piece.name)
        rest = piece.name[found.end() :] if found else piece.name
        names.setdefault(found[2] if found else "", set()).add(rest)
        shape = places[piece.model][piece.there].shape
        if shapes.setdefault(rest, shape) != shape:
            raise _other(paths[piece.model], f"{piece.there} has another shape than in the layers below it")
    layers = [have for layer, have in names.items() if layer]
    if odd := next((have ^ layers[0] for have in layers if have != layers[0]), None):
        raise _other(paths[pieces[-1].model], f"not all of its layers have {min(odd)}")


def _other(path: Path, why: str) -> UserError:
    return UserError(
        "TS-TRAIN-071", f"The model {path.name} does not come from this base: {why}",
        fix="Stack layers of models of one architecture and one size.",
    )  # fmt: skip


def _files(pieces: Sequence[Piece], places: Sequence[Mapping[str, Any]]) -> Iterator[list[Piece]]:
    """In their order, as many to a file as it holds; sizes are reckoned as of 16 bits."""
    file: list[Piece] = []
    size = 0.0
    for piece in pieces:
        count = 2.0
        for side in places[piece.model][piece.there].shape:
            count *= side
        if file and size + count > LARGEST:
            yield file
            file, size = [], 0.0
        file.append(piece)
        size += count
    yield file
