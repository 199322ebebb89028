"""What a GGUF file expects after each token, by llama.cpp itself: a prompt at once, then its last tokens one by one, as it generates.

The package `xllamacpp` has llama.cpp's own C functions (llama.h) in its library. They are called as they are; of the structures that they
take by value only what is first in them is touched, after a look whether that is what is expected.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith_models.model_directory import gguf_in

LIBRARY = "xllamacpp.xllamacpp"
ONE_BY_ONE = 4  # of a sequence's last tokens
_CONTEXT = (512, 2048, 512)  # how llama_context_params begins: n_ctx, n_batch, n_ubatch, with their defaults


class _Params(ctypes.Structure):
    """Room for either structure of parameters; both are shorter, and what a caller hands over beyond their end is not read."""

    _fields_ = (("words", ctypes.c_int32 * 256),)


class _Batch(ctypes.Structure):
    _fields_ = (
        ("n_tokens", ctypes.c_int32), ("token", ctypes.c_void_p), ("embd", ctypes.c_void_p), ("pos", ctypes.c_void_p),
        ("n_seq_id", ctypes.c_void_p), ("seq_id", ctypes.c_void_p), ("logits", ctypes.c_void_p),
    )  # fmt: skip


_POINTER, _INT = ctypes.c_void_p, ctypes.c_int32
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "llama_log_set": (None, _POINTER, _POINTER),
    "llama_model_default_params": (_Params,),
    "llama_context_default_params": (_Params,),
    "llama_model_load_from_file": (_POINTER, ctypes.c_char_p, _Params),
    "llama_init_from_model": (_POINTER, _POINTER, _Params),
    "llama_set_n_threads": (None, _POINTER, _INT, _INT),
    "llama_model_get_vocab": (_POINTER, _POINTER),
    "llama_vocab_n_tokens": (_INT, _POINTER),
    "llama_get_memory": (_POINTER, _POINTER),
    "llama_memory_clear": (None, _POINTER, ctypes.c_bool),
    "llama_batch_get_one": (_Batch, _POINTER, _INT),
    "llama_decode": (_INT, _POINTER, _Batch),
    "llama_get_logits": (_POINTER, _POINTER),
    "llama_free": (None, _POINTER),
    "llama_model_free": (None, _POINTER),
}


def log_probs(directory: Path, ids: Sequence[Sequence[int]]) -> list[Any] | None:
    """Of each sequence a tensor of (tokens, vocabulary) in float32; None where llama.cpp is not here, or does not know the architecture.

    Args:
        ids: sequences of tokens, none longer than the model's context.
    """
    import torch

    library, file = _library(), gguf_in(Path(directory))
    if library is None or file is None:
        return None
    with _opened(library, file, max(map(len, ids))) as opened:
        return opened and [torch.tensor(_logits(library, *opened, list(row))).log_softmax(-1) for row in ids]


@cache
def _library() -> Any:
    """llama.cpp's functions; None where they are not to be had, or are not those that are known here."""
    found = find_spec(LIBRARY) if find_spec(LIBRARY.partition(".")[0]) else None
    if found is None or not found.origin:
        return None
    library = ctypes.CDLL(found.origin)
    for name, (result, *arguments) in _FUNCTIONS.items():
        if not hasattr(library, name):
            return None
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    quiet = ctypes.CFUNCTYPE(None, _INT, ctypes.c_char_p, _POINTER)(lambda *_: None)
    library.quiet = quiet  # kept as long as the library may call it
    library.llama_log_set(ctypes.cast(quiet, _POINTER), None)
    return library if tuple(library.llama_context_default_params().words[:3]) == _CONTEXT else None


@contextmanager
def _opened(library: Any, file: Path, longest: int) -> Iterator[tuple[Any, int] | None]:
    """(A context for sequences of that length, the size of the vocabulary); None for a file that llama.cpp can't read."""
    model = library.llama_model_load_from_file(os.fsencode(file), library.llama_model_default_params())
    if not model:
        yield None
        return
    params = library.llama_context_default_params()
    params.words[0] = params.words[1] = max(longest, _CONTEXT[0])
    context = library.llama_init_from_model(model, params)
    try:
        if context:
            library.llama_set_n_threads(context, *[int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)] * 2)
        yield (context, library.llama_vocab_n_tokens(library.llama_model_get_vocab(model))) if context else None
    finally:
        if context:
            library.llama_free(context)
        library.llama_model_free(model)


def _logits(library: Any, context: Any, vocabulary: int, row: list[int]) -> Any:
    """(tokens, vocabulary).

    Raises:
        RuntimeError: llama.cpp can't go on.
    """
    import numpy

    said = []
    library.llama_memory_clear(library.llama_get_memory(context), True)
    for first, last in _pieces(len(row)):
        tokens, wanted = (_INT * (last - first))(*row[first:last]), (ctypes.c_int8 * (last - first))(*[1] * (last - first))
        batch = library.llama_batch_get_one(tokens, last - first)
        batch.logits = ctypes.addressof(wanted)
        if status := library.llama_decode(context, batch):
            raise RuntimeError(f"llama.cpp stops at token {first} with status {status}")
        found = ctypes.cast(library.llama_get_logits(context), ctypes.POINTER(ctypes.c_float))
        said.append(numpy.ctypeslib.as_array(found, (last - first, vocabulary)).copy())
    return numpy.concatenate(said)


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    prompt = max(length - ONE_BY_ONE, 1)
    yield 0, prompt
    yield from ((at, at + 1) for at in range(prompt, length))
