"""vLLM as our plugin starts it: MODEL PORT DTYPE; runs in vLLM's environment, with our code on its path."""

import os
import sys

from tunesmith.contracts import Address
from tunesmith_vllm.command import command, environment
from tunesmith_vllm.settings import VllmSettings

if __name__ == "__main__":
    model, port, dtype = sys.argv[1:]
    settings, address = VllmSettings(dtype=dtype, max_model_len=4096), Address(port=int(port))
    words = command(settings, model, "bench", address, device="cpu", positions=8192, seed=0, shutdown_grace=30)
    os.execve(words[0], words, os.environ | environment(settings, "cpu", address))
