"""What the conformance kit can't know: a model on a hub. The hub is the tests' own, slow enough for a download to be in the middle of."""

import os
from functools import cache

from hub_server import HubServer

from tunesmith_sdk.testing.hub_models import model_files
from tunesmith_sdk.testing.hub_scenes import failing_hub
from tunesmith_sdk.testing.loopback_hub import STRANGERS

SIZE = 2_000_000  # bytes of weights: 31 chunks
PAUSE = 0.05  # seconds between two chunks
SLOW = 6  # requests of a process that are answered so: those of the first downloads, in which it is stopped or killed


@cache
def hub() -> HubServer:
    """One for the whole process, which ends it."""
    server = HubServer().__enter__()
    server.add("org/small", model_files(SIZE))
    server.add("datasets/org/talks", {"train.jsonl": b'{"text": "a talk"}\n' * 100_000})
    server.fault("train.jsonl", times=SLOW, delay=PAUSE)
    server.fault("model.safetensors", times=SLOW, delay=PAUSE)
    return server


def uri(case) -> str:
    """With a cache of the step's own, which a killed one leaves to the next."""
    for variable in STRANGERS:
        os.environ.pop(variable, None)
    os.environ.update(HF_ENDPOINT=hub().url, HF_HOME=str(case.kept / "hf"), TUNESMITH_CACHE=str(case.kept / "cache"))
    return "hf://org/small"


def address(case) -> str:
    """Of a dataset, on the same hub."""
    uri(case)
    return "hf://datasets/org/talks/train.jsonl"


def scene(case, setting, step, build):
    return failing_hub(hub(), uri(case), setting, step, build)
