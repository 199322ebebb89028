"""Serves model.gguf behind the OpenAI API by llama.cpp's own server; how, lies in serve.json beside it."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

import xllamacpp

here = Path(__file__).resolve().parent
said = json.loads((here / "serve.json").read_text("utf-8"))
params = xllamacpp.CommonParams()
params.model.path = str(here / "model.gguf")
params.model_alias = {said["name"]}
params.hostnames, params.port = ["0.0.0.0"], said["port"]
params.n_ctx, params.n_parallel = said["ctx_size"] * said["parallel"], said["parallel"]
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(os.environ.get("THREADS") or len(os.sched_getaffinity(0)))
params.cpuparams.poll = params.cpuparams_batch.poll = 0  # waiting threads sleep
params.fit_params = False  # the context is what serve.json says, or starting fails
params.cache_ram_mib = 0  # no further copies of old prompts' caches: the memory is what the container was given
params.endpoint_metrics = True
params.ui = False

stop = threading.Event()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stop.set())
try:
    server = xllamacpp.Server(params)
except RuntimeError as error:
    sys.exit(str(error))
print(f"serving {said['name']} at {server.listening_address}", flush=True)
stop.wait()
os._exit(0)  # the library's threads need no farewell
