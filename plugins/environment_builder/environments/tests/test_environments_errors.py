"""What uv and pip say when they fail, word for word as they said it, and what a person is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith_environments.installers.errors import failed
from tunesmith_environments.installers.process import Ended

NO_SOLUTION = "error: No solution found when resolving dependencies\n  cause: "
SAID = {
    "uv: nowhere": (
        "TS-ENV-003",
        NO_SOLUTION + "Because nails was not found in the package registry and you require nails==1, we can conclude that your\n",
    ),
    "uv: nowhere, asked for by another": (
        "TS-ENV-003",
        NO_SOLUTION + "Because nails was not found in the package registry and anvil==2 depends on nails, we can conclude that\n",
    ),
    "uv: no such version": (
        "TS-ENV-003",
        NO_SOLUTION + "Because there is no version of nails==99 and you require nails==99, we can conclude that your requirements\n",
    ),
    "uv: conflict": (
        "TS-ENV-004",
        NO_SOLUTION + "Because anvil>=9.0.0,<=9.1.1 depends on nails>=1.5 and anvil>=9.2.0 depends on nails>=1.6, we can conclude that "
        "anvil>=9.0.0 depends on nails>=1.5.\n         And because you require nails<1 and anvil>=9, we can conclude",
    ),
    "uv: no network": (
        "TS-ENV-001",
        "error: Request failed after 3 retries in 9.4s\n  cause: Failed to fetch: http://127.0.0.1:9/simple/nails/\n  cause: error sending "
        "request for url (http://127.0.0.1:9/simple/nails/)\n  cause: client error (Connect)\n  cause: tcp connect error\n",
    ),
    "uv: full": ("TS-ENV-002", "error: failed to copy file\n  cause: No space left on device (os error 28)\n"),
    "uv: rights": ("TS-ENV-012", "error: failed to create directory `/srv/x`\n  cause: Permission denied (os error 13)\n"),
    "uv: hash": (
        "TS-ENV-006",
        "error: Failed to download `nails==1.6.0`\n  cause: Hash mismatch for `nails==1.6.0`\n\n         Expected:\n           sha256:00\n",
    ),
    "uv: build": ("TS-ENV-009", "error: Failed to build `nails==1`\n  cause: The build backend returned an error\n  gcc: not found\n"),
    "pip: nowhere": (
        "TS-ENV-003",
        "ERROR: Could not find a version that satisfies the requirement nails (from versions: none)\n"
        "ERROR: No matching distribution found for nails\n",
    ),
    "pip: conflict": (
        "TS-ENV-004",
        "ERROR: Cannot install anvil==2 and nails==1 because these package versions have conflicting dependencies.\n"
        "ERROR: ResolutionImpossible: for help visit https://pip.pypa.io\n",
    ),
    "pip: no network": (
        "TS-ENV-001",
        "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError('<x>: Failed to establish a new "
        "connection: [Errno 111] Connection refused')': /simple/nails/\nERROR: No matching distribution found for nails<1.5\n",
    ),
    "pip: hash": (
        "TS-ENV-006",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n    nails==1.6.0 from file:///w\n",
    ),
    "pip: full": ("TS-ENV-002", "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"),
}


@pytest.mark.parametrize("case", SAID)
def test_what_an_installer_says_has_its_code(case: str):
    code, said = SAID[case]
    error = failed(case[:3].strip(":"), Ended(1, said), Recipe(("nails",), plugins=("acme-forge",)), offline=False)
    assert error.code == code
    assert "acme-forge" in error.what or "nails" in error.what or code in ("TS-ENV-002", "TS-ENV-012")
    assert error.why
    assert error.fix


OFFLINE = {
    "uv": NO_SOLUTION + "Because nails was not found in the cache and you require nails<1.5, we can conclude that your requirements are\n\n"
    "hint: Packages were unavailable because the network was disabled.\n",
    "pip": "ERROR: Could not find a version that satisfies the requirement nails<1.5 (from versions: none)\n"
    "ERROR: No matching distribution found for nails<1.5\n",
}


@pytest.mark.parametrize("installer", OFFLINE)
def test_offline_the_package_that_is_not_here_is_named(installer: str):
    error = failed(installer, Ended(1, OFFLINE[installer]), None, offline=True)
    assert error.code == "TS-ENV-008"
    assert "`nails" in error.what
    assert "tunesmith env bundle" in error.fix


@given(st.text(), st.booleans())
def test_whatever_an_installer_says_has_a_code(text: str, offline: bool):
    assert failed("uv", Ended(1, text), None, offline).code.startswith("TS-ENV-0")
