"""A checkpoint whose matrices are packed in integers, written as a plain one; how a matrix is unpacked is the caller's matter.

torch, safetensors and huggingface_hub are the caller's, too: imported where they are used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Result
from tunesmith.contracts.step import Step
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.safetensors import check_files
from tunesmith_models.weight_check import check_tensors

MARK = "qweight"  # the part by which a packed matrix is known
SHARD = "5GB"


def read_packing(source: Path, older: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model's config without how it is packed, and that.

    Args:
        older: name of the file in which older checkpoints say it.
    """
    config = json.loads((source / "config.json").read_text("utf-8"))
    return config, config.pop("quantization_config", None) or json.loads((source / older).read_text("utf-8"))


def unpack_matrices(
    source: Path, step: Step, unpack: Callable[[Mapping[str, Any]], Any], *, dtype: str, needed: Sequence[str], optional: Sequence[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """The tensors of the plain checkpoint by name, and the names of the matrices that were packed.

    Args:
        unpack: the matrix, of outputs by inputs, from its parts.
        needed, optional: names of the parts that are kept in place of ``weight``.

    Raises:
        UserError: TS-MODEL-008 or -022 when it is not whole.
        Cancelled: between two matrices.
    """
    import torch
    from safetensors import safe_open

    check_files(source)
    number, parts, tensors = getattr(torch, dtype), (*needed, *optional), {}
    with ExitStack() as stack:
        files = [stack.enter_context(safe_open(path, "pt")) for path in sorted(source.glob("*.safetensors"))]
        where = {name: file for file in files for name in file.keys()}  # noqa: SIM118
        matrices = sorted(name.removesuffix(f".{MARK}") for name in where if name.endswith(f".{MARK}"))
        wanted = [f"{matrix}.{part}" for matrix in matrices for part in needed]
        check_tensors(source, missing=[name for name in wanted if name not in where])
        for done, matrix in enumerate(matrices):
            step.check_cancelled()
            found = {part: where[f"{matrix}.{part}"].get_tensor(f"{matrix}.{part}") for part in parts if f"{matrix}.{part}" in where}
            tensors[f"{matrix}.weight"] = unpack(found).to(number).contiguous()
            step.progress(done + 1, len(matrices), what="unpacking", unit="matrices")
        for name, file in where.items():
            if name.rpartition(".")[2] not in parts or name.rpartition(".")[0] not in matrices:
                tensors[name] = file.get_tensor(name).to(number)
    return tensors, matrices


def write_plain(source: Path, output: Path, config: Mapping[str, Any], tensors: Mapping[str, Any], dtype: str) -> Result:
    """The checkpoint, with what lies beside the weights of `source`."""
    from huggingface_hub import save_torch_state_dict

    save_torch_state_dict(dict(sorted(tensors.items())), output, max_shard_size=SHARD)
    told = {**config, "torch_dtype": dtype, "dtype": dtype}
    (output / "config.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    copy_beside(source, output)
    return Result(metrics={"bytes": float(weights_size(output))})
