"""What the conformance kit can't know: a model on a hub. The hub is the tests' own, slow enough for a download to be in the middle of."""

from functools import cache

from hub_server import HubServer

from tunesmith_sdk.testing.hub_scenes import failing_hub, only, slow_hub


@cache
def hub() -> HubServer:
    """One for the whole process."""
    return slow_hub(HubServer())


def uri(case) -> str:
    """With a cache of the step's own, which a killed one leaves to the next."""
    only({"HF_ENDPOINT": hub().url, "HF_HOME": str(case.kept / "hf"), "TUNESMITH_CACHE": str(case.kept / "cache")})
    return "hf://org/small"


def address(case) -> str:
    """Of a dataset, on the same hub."""
    uri(case)
    return "hf://datasets/org/talks/train.jsonl"


def scene(case, setting, step, build):
    return failing_hub(hub(), uri(case), setting, step, build)
