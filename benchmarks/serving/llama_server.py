"""llama.cpp's own server: FILE PORT THREADS SLOTS CONTEXT; runs in llama.cpp's environment."""

import sys
import time

import xllamacpp

if __name__ == "__main__":
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[2])
    params.n_parallel, params.n_ctx = int(sys.argv[4]), int(sys.argv[4]) * int(sys.argv[5])
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[3])
    params.ui = False
    server = xllamacpp.Server(params)
    while True:
        time.sleep(60)
