"""Rows of numbers in ggml's types of few bits, by ggml itself, whose library the package `libggml-python` brings prebuilt."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import gguf
import numpy as np

Type = gguf.GGMLQuantizationType


@functools.cache
def _library() -> ctypes.CDLL:
    import libggml

    library = ctypes.CDLL(str(Path(libggml.__file__).parent / "lib64" / "libggml-base.so"))
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    floats = ctypes.POINTER(ctypes.c_float)
    count = ctypes.c_int64
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, floats, ctypes.c_void_p, count, count, count, floats]
    library.ggml_quantize_init.argtypes = [ctypes.c_int]
    return library


def rounded(values: np.ndarray, type: Type, importance: np.ndarray | None = None) -> np.ndarray:
    """(rows, bytes of a row) in uint8.

    Args:
        values: (rows, columns) in float32; a row is a multiple of the type's block.
        importance: (columns,) of each column, by how much its error counts.
    """
    rows, columns = values.shape
    block, bytes_of_block = gguf.GGML_QUANT_SIZES[type]
    written = np.empty((rows, columns // block * bytes_of_block), np.uint8)
    source, floats = np.ascontiguousarray(values, np.float32), ctypes.POINTER(ctypes.c_float)
    weights = None if importance is None else np.ascontiguousarray(importance, np.float32)
    library = _library()
    library.ggml_quantize_init(int(type))
    size = library.ggml_quantize_chunk(
        int(type), source.ctypes.data_as(floats), written.ctypes.data, 0, rows, columns,
        None if weights is None else weights.ctypes.data_as(floats),
    )  # fmt: skip
    if size != written.nbytes:
        raise ValueError(f"ggml wrote {size} bytes of {type.name} in place of {written.nbytes}")
    return written
