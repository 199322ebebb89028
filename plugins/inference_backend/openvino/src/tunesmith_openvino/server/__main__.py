"""``python -m tunesmith_openvino.server --model DIR --converted DIR --name NAME --port PORT ...``: up when it answers /health; SIGTERM
ends it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tunesmith.contracts import Address, UserError
from tunesmith_models import configuration
from tunesmith_openvino.conversion import WEIGHTS, ensure_converted
from tunesmith_openvino.server.limits import blocks, longest
from tunesmith_openvino.server.pipeline_process import PipelineOptions
from tunesmith_openvino.settings import OpenVinoSettings

POLL = 0.5  # seconds between looks at the pipeline's health
HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "u8"}  # dtypes in OpenVINO's words


def options(words: list[str] | None = None) -> argparse.Namespace:
    """One for each of the backend's settings, with its default."""
    parser = argparse.ArgumentParser(prog="tunesmith_openvino.server")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--converted", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--allowed-hosts", nargs="*", default=[])
    parser.add_argument("--shutdown-grace", type=float, default=30.0)
    for name, value in vars(OpenVinoSettings()).items():
        kind = (lambda word: word == "True") if isinstance(value, bool) else type(value)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=value)
    return parser.parse_args(words)


def pipeline_options(asked: argparse.Namespace) -> PipelineOptions:
    """How OpenVINO is to run.

    Raises:
        UserError: TS-SERVE-003, TS-SERVE-005 for what does not fit.
    """
    files = [*asked.model.glob("*.safetensors"), *asked.model.glob(WEIGHTS)]
    config, size = configuration(asked.model), sum(path.stat().st_size for path in files)
    cache = asked.dtype if asked.kv_cache_dtype == "auto" else asked.kv_cache_dtype
    scheduler = {
        "num_kv_blocks": blocks(config, size, asked.kv_cache_gib, cache, longest(config, asked.max_model_len)),
        "max_num_seqs": asked.max_num_seqs, "max_num_batched_tokens": asked.max_num_batched_tokens, "dynamic_split_fuse": True,
        "enable_prefix_caching": asked.enable_prefix_caching,
    }  # fmt: skip
    threads = asked.threads or len(os.sched_getaffinity(0))
    properties = {
        "INFERENCE_PRECISION_HINT": HINTS[asked.dtype], "KV_CACHE_PRECISION": HINTS[cache], "INFERENCE_NUM_THREADS": threads,
    }  # fmt: skip
    return PipelineOptions(scheduler, properties)


def serve(asked: argparse.Namespace, up: threading.Event, stop: threading.Event) -> None:
    """Set `up` when requests are answered; until `stop` is set.

    Raises:
        RuntimeError: the model can't be converted or loaded, or the pipeline's process has ended.
        UserError: TS-SERVE-001, TS-SERVE-003, TS-SERVE-005.
    """
    from tunesmith_transformers.api.engines import Host

    how = pipeline_options(asked)
    with Host(asked.name, Address(asked.host, asked.port, tuple(asked.allowed_hosts))) as host:
        ensure_converted(asked.model, asked.converted, asked.weight_format)
        _start(asked, how, host)
        host.ready()
        up.set()
        while not stop.wait(POLL):
            if host.failure:
                raise RuntimeError(host.failure)
        if not host.drain(asked.shutdown_grace):
            print(f"answers still running after {asked.shutdown_grace:g} s were cut off", flush=True)


def _start(asked: argparse.Namespace, how: PipelineOptions, host: Any) -> None:
    """Give the host its engine, its vocabulary and the model's own sampling."""
    from transformers import AutoTokenizer, GenerationConfig

    from tunesmith_openvino.server.engine import PipelineEngine
    from tunesmith_openvino.server.grammars import NoGrammars
    from tunesmith_torch.api.text import ends_of_model
    from tunesmith_transformers.api.engines import Limits, Vocabulary, ignored, recommended

    config = configuration(asked.model)
    length = longest(config, asked.max_model_len)
    tokenizer = AutoTokenizer.from_pretrained(asked.model, local_files_only=True, trust_remote_code=False)
    ends, doubt = ends_of_model(asked.model, tokenizer)
    engine = PipelineEngine(Limits(asked.max_num_seqs, length, asked.max_queued_requests), ends, host.server.deliver, host.service.metrics)
    engine.start(asked.converted, how)
    rows = int((config.get("text_config") or config).get("vocab_size") or 0)
    service = host.service
    service.engine, service.vocabulary, service.grammars = engine, Vocabulary(tokenizer, rows=rows, length=length), NoGrammars()
    dropped: dict[str, Any] = {}
    if (asked.model / "generation_config.json").exists():
        generation = GenerationConfig.from_pretrained(asked.model, local_files_only=True)
        service.defaults, dropped = recommended(generation), dict(ignored(generation))
        if suppressed := service.defaults.pop("suppress_tokens", None):
            dropped["suppress_tokens"] = suppressed
    for line in (doubt, f"the model's generation_config has {', '.join(dropped)}, which is not heeded here" if dropped else ""):
        if line:
            print(line, flush=True)


def main() -> None:
    asked, up, stop = options(), threading.Event(), threading.Event()

    def heed(*_: Any) -> None:
        stop.set()
        if not up.is_set():
            os._exit(0)  # nobody is answered yet; what converts or loads is ended by the orphan reaper that started this program

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heed)
    try:
        serve(asked, up, stop)
    except (RuntimeError, UserError) as error:
        sys.exit(str(error))  # what led to it was said above


if __name__ == "__main__":  # its pipeline's process imports this module once more
    main()
