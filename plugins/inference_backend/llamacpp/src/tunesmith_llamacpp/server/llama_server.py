"""llama.cpp's own server, in this process, at a port of its own."""

from __future__ import annotations

import argparse
import os
from typing import Any

import xllamacpp as library

_FLASH = {"auto": "AUTO", "on": "ENABLED", "off": "DISABLED"}


def start(asked: argparse.Namespace) -> Any:
    """Load the model and listen; returns the library's server, whose ``listening_address`` is its URL."""
    params = library.CommonParams()
    params.model.path = asked.model
    params.model_alias = {asked.name}
    params.hostnames = ["127.0.0.1"]
    params.n_ctx = asked.ctx_size * asked.parallel
    params.n_parallel = asked.parallel
    params.n_batch, params.n_ubatch = asked.batch_size, min(asked.ubatch_size, asked.batch_size)
    params.n_gpu_layers = asked.n_gpu_layers
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = asked.threads or len(os.sched_getaffinity(0))
    params.cpuparams.poll = params.cpuparams_batch.poll = 0  # waiting threads sleep
    params.flash_attn_type = getattr(library.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{_FLASH[asked.flash_attn]}")
    params.cache_type_k = params.cache_type_v = getattr(library.ggml_type, f"GGML_TYPE_{asked.cache_type.upper()}")
    params.fit_params = False  # the context is what was asked for, or starting fails
    params.cache_ram_mib = 0  # no further copies of old prompts' caches beside the slots' own
    params.endpoint_metrics = True
    params.ui = False
    return library.Server(params)
