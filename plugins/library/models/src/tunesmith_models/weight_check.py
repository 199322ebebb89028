"""A model's weights are read whole or not at all: one way for whatever loads a checkpoint; standard library only.

Libraries fill what a checkpoint lacks with random numbers, leave out what they have no place for, and go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.model_loader import brings_code
from tunesmith.errors import UserError
from tunesmith_models.safetensors import check_files, irregular

_SHOWN = 5  # names in a message


def load_whole(load: Callable[..., tuple[Any, Mapping[str, Any]]], directory: Path, **options: Any) -> Any:
    """The model that ``load(directory, **options)`` gives: without network, without the checkpoint's own code, and with every tensor.

    Args:
        load: a class's `from_pretrained`, which reports what it found (``output_loading_info``). It is let load tensors of another
            shape, because only then it names them; they are refused here.
        options: for it. With ``device_map={"": "meta"}`` nothing is kept of the weights: so a library that does not report can be given
            only what is whole.

    Raises:
        UserError: TS-MODEL-008 when a file is missing or truncated; TS-MODEL-022 when tensors are missing, unexpected or of another shape;
            TS-MODEL-023 when the model needs code of its own; TS-MODEL-020 when it can't be loaded for another reason.
    """
    directory = Path(directory)
    check_files(directory)
    options = {"use_safetensors": True, "local_files_only": True, "trust_remote_code": False, **options}
    try:
        model, report = load(directory, output_loading_info=True, ignore_mismatched_sizes=True, **options)
    except (OSError, ValueError, KeyError, TypeError, ImportError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and type(error) not in (RuntimeError, NotImplementedError):
            raise  # out of memory, for one
        missing, misshapen = irregular(directory)  # what an architecture keeps as one tensor (experts) can't be put together
        check_tensors(directory, missing=missing, misshapen=misshapen)
        raise unloadable(directory, error) from error
    check_report(directory, report)
    plain_kernels(model)
    return model


def plain_kernels(model: Any) -> None:
    """Keep bitsandbytes from its kernel for processors with AVX512-BF16 where that would stop with an AssertionError at the first token:
    in layers of 4 bits whose widths are no multiples of its blocks."""
    for layer in model.modules() if hasattr(model, "modules") else ():
        if getattr(layer, "support_avx512bf16_for_cpu", False) and (layer.out_features % 32 or layer.in_features % 2):
            layer.support_avx512bf16_for_cpu = False


def check_report(directory: Path, report: Mapping[str, Any]) -> None:
    """`check_tensors` of what a `from_pretrained` reports."""
    check_tensors(
        directory,
        missing=report["missing_keys"],
        unexpected=report["unexpected_keys"],
        misshapen=map(_misshapen, report["mismatched_keys"]),
    )


def check_tensors(directory: Path, *, missing: Iterable[str] = (), unexpected: Iterable[str] = (), misshapen: Iterable[str] = ()) -> None:
    """
    Args:
        missing: names that the architecture has and the files have not; `unexpected`: the other way round.

    Raises:
        UserError: TS-MODEL-022 when there are any.
    """
    kinds = {"Missing": sorted(missing), "Unexpected": sorted(unexpected), "Of another shape": sorted(misshapen)}
    found = [f"{kind}: {_listed(names)}." for kind, names in kinds.items() if names]
    if found:
        raise UserError(
            "TS-MODEL-022", f"The weights of the model {directory.name} are not those of its architecture", why=" ".join(found),
            fix="Fetch or make the model again: a library would go on with random numbers. Or correct config.json, if that is wrong.",
        )  # fmt: skip


def unloadable(directory: Path, error: Exception) -> UserError:
    """What a library's refusal to load the model in `directory` means: TS-MODEL-023 or TS-MODEL-020."""
    said = " ".join(str(error).split())
    if brings_code(_config(directory)) and ("custom code" in said or "remote_code" in said):
        return needs_code(directory.name)
    return UserError(
        "TS-MODEL-020", f"The model {directory.name} can't be loaded", why=f"{type(error).__name__}: {said}"[:600],
        fix="It has to be a causal language model in Hugging Face's layout with safetensors weights, of an architecture that the "
        "library which loads it knows in the version installed here.",
    )  # fmt: skip


def needs_code(name: str) -> UserError:
    return UserError(
        "TS-MODEL-023", f"The model {name} needs code of its own, which is never run",
        why="Its config.json names classes in Python files beside the weights (`auto_map`), and the library that loads it has no such "
        "architecture itself. A checkpoint must not choose which code runs.",
        fix="Take a revision that is converted for the library, a model of an architecture that it knows, or a newer version of it.",
    )  # fmt: skip


def _config(directory: Path) -> Mapping[str, Any]:
    try:
        config = json.loads((directory / "config.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def _misshapen(entry: str | tuple[str, tuple[int, ...], tuple[int, ...]]) -> str:
    """Newer libraries tell the shapes in the file and in the model, older ones the name alone."""
    return entry if isinstance(entry, str) else f"{entry[0]} ({tuple(entry[1])} in place of {tuple(entry[2])})"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
