"""What the conformance kit can't know: a model on a hub. The hub is the tests' own, slow enough for a download to be in the middle of."""

from functools import cache

from oci_server import OCIServer

from tunesmith_sdk.testing.hub_scenes import failing_hub, only, slow_hub


@cache
def hub() -> OCIServer:
    """One for the whole process."""
    return slow_hub(OCIServer())


def uri(case) -> str:
    """With a cache of the step's own, which a killed one leaves to the next."""
    only({"TUNESMITH_OCI_ENDPOINT": hub().url, "DOCKER_CONFIG": str(case.kept), "TUNESMITH_CACHE": str(case.kept / "cache")})
    return "oci://registry.example/org/small"


def scene(case, setting, step, build):
    return failing_hub(hub(), uri(case), setting, step, build)
