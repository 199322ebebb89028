"""What the conformance kit can't know: a model on a hub. The hub is the tests' own, slow enough for a download to be in the middle of."""

from functools import cache

from modelscope_server import ModelScopeServer

from tunesmith_sdk.testing.hub_scenes import failing_hub, only, slow_hub


@cache
def hub() -> ModelScopeServer:
    """One for the whole process."""
    return slow_hub(ModelScopeServer())


def uri(case) -> str:
    """With a cache of the step's own, which a killed one leaves to the next."""
    only({"MODELSCOPE_ENDPOINT": hub().url, "MODELSCOPE_CACHE": str(case.kept / "ms"), "TUNESMITH_CACHE": str(case.kept / "cache")})
    return "modelscope://org/small"


def address(case) -> str:
    """Of a dataset, on the same hub."""
    uri(case)
    return "modelscope://datasets/org/talks/train.jsonl"


def scene(case, setting, step, build):
    return failing_hub(hub(), uri(case), setting, step, build)
