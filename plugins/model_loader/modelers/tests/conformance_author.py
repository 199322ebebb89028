"""What the conformance kit can't know: a model on a hub. The hub is the tests' own, slow enough for a download to be in the middle of."""

from functools import cache

from modelers_server import ModelersServer

from tunesmith_sdk.testing.hub_scenes import failing_hub, only, slow_hub


@cache
def hub() -> ModelersServer:
    """One for the whole process."""
    return slow_hub(ModelersServer())


def uri(case) -> str:
    """With a cache of the step's own, which a killed one leaves to the next."""
    only({"OPENMIND_HUB_ENDPOINT": hub().url, "XDG_CACHE_HOME": str(case.kept / "xdg"), "TUNESMITH_CACHE": str(case.kept / "cache")})
    return "modelers://org/small"


def address(case) -> str:
    """Of a dataset, on the same hub."""
    uri(case)
    return "modelers://datasets/org/talks/train.jsonl"


def scene(case, setting, step, build):
    return failing_hub(hub(), uri(case), setting, step, build)
