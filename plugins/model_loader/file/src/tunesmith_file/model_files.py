"""Which of a list of file names belong to a model, and what kind of model they are: decided from the names alone.

Working on names lets the same rules serve a directory, a Python distribution and a hub's listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tunesmith.errors import UserError, did_you_mean, listed
from tunesmith_file.declared_layouts import DeclaredLayout

#: Files beside the weights that a reader of the model needs, and the licence, which has to travel with it.
BESIDE_WEIGHTS = (
    "*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken", "LICENSE*", "NOTICE*", "additional_chat_templates/*.jinja",
)  # fmt: skip
LEFT_OUT = ("trainer_state.json", "requirements*.txt", "training_args.json", "all_results.json", "train_results.json", "eval_results.json")
PICKLED = ("*pytorch_model*.bin", "adapter_model*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")

_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_SPLIT_GGUF = re.compile(r"(.*)-\d{5}-of-\d{5}\.gguf")


@dataclass(frozen=True)
class Layout:
    """A model among files.

    Args:
        kind: ``hf`` (config.json and safetensors), ``gguf``, ``peft`` (an adapter), or a format that a plugin declares (``model/onnx``).
        root: directory of the model, ``""`` or ending with ``/``.
        files: its files, relative to `root`, sorted.
    """

    kind: str
    root: str
    files: tuple[str, ...]


def find(names: Iterable[str], inside: str = "", *, where: str, layouts: Sequence[DeclaredLayout] = ()) -> Layout:
    """The one model among `names` (relative, with ``/``).

    Args:
        inside: a directory or a file among `names` to look at; empty: all.
        where: what the user knows the place by, for messages; ``{where}/FILE`` must name a file in it.
        layouts: further formats, as installed plugins declare them.

    Raises:
        UserError: TS-MODEL-001 if `inside` is not there, TS-MODEL-004 if there is no model or more than one, TS-MODEL-005 if its weights
            are pickled.
    """
    names = sorted(set(names))
    inside = inside.strip("/")
    if inside in names:
        return _of_file(names, inside, where, layouts)
    root = inside + "/" if inside else ""
    below = [name[len(root):] for name in names if name.startswith(root)]  # fmt: skip
    if inside and not below:
        raise UserError("TS-MODEL-001", f"There is no `{inside}` in {where}.", fix=did_you_mean(inside, names))
    found = list(_models(below, layouts))
    top = [layout for layout in found if not layout.root] or found
    if len(top) == 1:
        return Layout(top[0].kind, root + top[0].root, top[0].files)
    if top:
        choices = sorted(root + layout.root + (layout.files[0] if layout.kind == "gguf" else "") for layout in top)
        fix = f"Name the one to use: {where}/{choices[0]}"
        raise UserError("TS-MODEL-004", f"There are {len(top)} models in {where}.", why=_listing(choices), fix=fix)
    _refuse(below, where, layouts)
    raise AssertionError("unreachable")


def _of_file(names: list[str], name: str, where: str, layouts: Sequence[DeclaredLayout]) -> Layout:
    root, _, file = name.rpartition("/")
    root += "/" if root else ""
    if file.endswith(".gguf"):
        return Layout("gguf", root, _split(names, root, file))
    _refuse_pickle([file], where)
    if file.endswith((".safetensors", ".json")):
        return find(names, root, where=where, layouts=layouts)
    raise UserError("TS-MODEL-004", f"{where}: `{name}` is not a model.", fix="Name a .gguf file, or the directory of a model.")


def _models(names: list[str], layouts: Sequence[DeclaredLayout]) -> Iterable[Layout]:
    folders: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        folders.setdefault(folder + "/" if folder else "", []).append(file)
    for root, files in sorted(folders.items()):
        if "adapter_config.json" in files and "adapter_model.safetensors" in files:
            yield Layout("peft", root, _chosen(names, root, ["adapter_model.safetensors"]))
        elif "config.json" in files and any(f.endswith(".safetensors") for f in files):
            yield Layout("hf", root, _chosen(names, root, _weights(files)))
        else:
            ggufs = sorted({_split(names, root, f) for f in files if f.endswith(".gguf")})
            yield from (Layout("gguf", root, group) for group in ggufs) if ggufs else _declared(names, root, layouts)


def _declared(names: list[str], root: str, layouts: Sequence[DeclaredLayout]) -> Iterable[Layout]:
    below = [name[len(root):] for name in names if name.startswith(root)]  # fmt: skip
    for one in layouts:
        if one.files and all(any(_matches(name, pattern) for name in below) for pattern in one.files):
            weights = [name for name in below if any(_matches(name, pattern) for pattern in (*one.files, *one.also))]
            yield Layout(one.format, root, _chosen(names, root, weights))


def _weights(files: list[str]) -> list[str]:
    """The safetensors that transformers would read; repositories often hold the same weights a second time under other names."""
    all_of_them = [f for f in files if f.endswith(".safetensors")]
    if "model.safetensors" in all_of_them:
        return ["model.safetensors"]
    return [f for f in all_of_them if _SHARD.fullmatch(f)] or all_of_them


def _chosen(names: list[str], root: str, weights: list[str]) -> tuple[str, ...]:
    below = [name[len(root):] for name in names if name.startswith(root)]  # fmt: skip
    beside = [name for name in below if any(_matches(name, p) for p in BESIDE_WEIGHTS) and not any(_matches(name, p) for p in LEFT_OUT)]
    return tuple(sorted({*weights, *beside}))


def _split(names: list[str], root: str, file: str) -> tuple[str, ...]:
    """All parts of a GGUF that was split into several files; just `file` if it was not."""
    match = _SPLIT_GGUF.fullmatch(file)
    if not match:
        return (file,)
    pattern = re.compile(re.escape(root + match[1]) + r"-\d{5}-of-\d{5}\.gguf")
    return tuple(sorted(name[len(root):] for name in names if pattern.fullmatch(name)))  # fmt: skip


def _matches(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def _refuse(names: list[str], where: str, layouts: Sequence[DeclaredLayout]) -> None:
    files = [name.rpartition("/")[2] for name in names]
    if "config.json" in files or "adapter_config.json" in files:
        _refuse_pickle(files, where)
    known = sorted(one.format for one in layouts if one.files)  # since the plugins that write them are installed
    raise UserError(
        "TS-MODEL-004",
        f"There is no model in {where}.",
        why=_listing(names) if names else "It is empty.",
        fix="A model is a .gguf file, a directory with config.json and *.safetensors, or one with adapter_config.json and "
        f"adapter_model.safetensors; installed plugins add {listed(known)}." if known else
        "A model is a .gguf file, a directory with config.json and *.safetensors, or one with adapter_config.json and "
        "adapter_model.safetensors.",
    )  # fmt: skip


def _refuse_pickle(files: list[str], where: str) -> None:
    pickled = [file for file in files if any(fnmatchcase(file, p) for p in PICKLED)]
    if pickled:
        raise UserError(
            "TS-MODEL-005",
            f"The weights in {where} are pickled: {', '.join(pickled[:3])}.",
            why="Loading a pickle runs whatever code it holds; safetensors hold numbers only.",
            fix="Use a revision of the model that has *.safetensors, or install `tunesmith-unpickle[runtime]` and convert them in a step: "
            "`safe: {export: {unpickle: {allow: scanned}}, from: model}`.",
        )


def _listing(names: list[str]) -> str:
    return "It holds " + ", ".join(names[:8]) + (f" and {len(names) - 8} more." if len(names) > 8 else ".")
