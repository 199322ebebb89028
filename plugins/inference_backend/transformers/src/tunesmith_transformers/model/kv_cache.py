"""Keys and values of the running sequences: one row per sequence, one column per position."""

from __future__ import annotations

import contextlib
import math
import mmap
from dataclasses import dataclass

import torch


@dataclass
class Layer:
    """Keys and values of one layer, each ``[rows, columns, heads, size]``.

    A token's heads lie together, so that one `index_copy_` writes a whole step's tokens whatever rows and positions they are at,
    and the first rows and columns are a view that attention reads without copying.
    """

    keys: torch.Tensor
    values: torch.Tensor

    def write(self, key: torch.Tensor, value: torch.Tensor, where: torch.Tensor) -> None:
        """Store keys and values ``[tokens, heads, size]`` at flat places (row x columns + position)."""
        self.keys.flatten(0, 1).index_copy_(0, where, key)
        self.values.flatten(0, 1).index_copy_(0, where, value)


class CacheLost(Exception):
    """There was no memory to change the cache's size, and its content is gone; the cause says more."""


class RowCache:
    """Written in place, so that a step costs its new tokens and not the whole past; its size is the scheduler's decision.

    It is made as large as it may become, and changes its shape only for sequences longer than usual: growing it bit by bit would leave
    holes in memory as large as itself.

    Layers come into being at the first write, with the shapes that the model really has; positions are never moved within a row.
    """

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self.layers: dict[int, Layer] = {}

    def layer(self, index: int, key: torch.Tensor, value: torch.Tensor) -> Layer:
        """The layer's store; made like `key` and `value` ``[tokens, heads, size]`` if it is new."""
        found = self.layers.get(index)
        if found is None:
            found = self.layers[index] = Layer(self._new(key), self._new(value))
        return found

    def _new(self, like: torch.Tensor) -> torch.Tensor:
        return blank((self.rows, self.columns, *like.shape[1:]), like)

    def resize(self, rows: int, columns: int) -> None:
        """Hold `rows` sequences of up to `columns` positions; what fits of the old content stays in its place.

        Raises:
            CacheLost: there is not enough memory.
        """
        if (rows, columns) == (self.rows, self.columns):
            return
        both = slice(min(rows, self.rows)), slice(min(columns, self.columns))
        self.rows, self.columns = rows, columns
        try:
            for layer in self.layers.values():  # one tensor at a time: the peak is one tensor more, not a second cache
                for name in ("keys", "values"):
                    old = getattr(layer, name)
                    new = blank((rows, columns, *old.shape[2:]), old)
                    new[both] = old[both]
                    setattr(layer, name, new)
        except Exception as error:
            self.clear()
            raise CacheLost(f"for {rows} x {columns} tokens") from error

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` positions of row `source` to row `target`."""
        for layer in self.layers.values():
            layer.keys[target, :length] = layer.keys[source, :length]
            layer.values[target, :length] = layer.values[source, :length]

    def clear(self) -> None:
        """Give all memory back."""
        self.rows = self.columns = 0
        self.layers.clear()

    @property
    def bytes_per_token(self) -> int:
        """Over all layers; 0 before the first write."""
        return sum(t[0, 0].numel() * t.element_size() for layer in self.layers.values() for t in (layer.keys, layer.values))


def blank(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Zeros (what lies behind a mask must be finite), which in main memory cost nothing until they are written.

    torch's own zeros would touch every page. Huge pages would, too: rows are far apart, and the first token of each would fill megabytes.
    """
    size = math.prod(shape) * like.element_size()
    if like.device.type != "cpu" or not hasattr(mmap, "MAP_PRIVATE"):
        return like.new_zeros(shape)
    area = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without huge pages
            area.madvise(mmap.MADV_NOHUGEPAGE)
    return torch.frombuffer(area, dtype=torch.uint8).view(like.dtype).view(shape)
