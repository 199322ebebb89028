"""A model's safetensors, of which a rank reads the pieces that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from tunesmith.contracts import UserError


class CheckpointFiles:
    """The tensors of the ``*.safetensors`` in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._files: dict[str, Any] = {}
        for path in sorted(directory.glob("*.safetensors")):
            stream = safe_open(path, "pt")
            self._files |= dict.fromkeys(stream.keys(), stream)

    def piece(self, name: str, dim: int | None, rank: int, size: int) -> torch.Tensor:
        """Of a tensor: part number `rank` of `size` along `dim`; all of it where that is None.

        Raises:
            UserError: TS-TRAIN-083 when it is not there, or has a number that is none.
        """
        if name not in self._files:
            raise UserError(
                "TS-TRAIN-083", f"The model has no tensor `{name}`", why=f"It is in none of the safetensors of {self.directory.name}.",
                fix="Fetch the model again; one in another format can be converted by transformers' save_pretrained.",
            )  # fmt: skip
        stored = self._files[name].get_slice(name)
        part = slice(None)
        if dim is not None:
            each = stored.get_shape()[dim] // size
            part = slice(rank * each, (rank + 1) * each)
        found = stored[:, part] if dim == 1 else stored[part]
        if not bool(torch.isfinite(found).all()):
            raise UserError(
                "TS-TRAIN-083", f"The model's tensor `{name}` has numbers that are none (NaN or infinite)",
                fix="Fetch the model again, or use another one.",
            )  # fmt: skip
        return found
