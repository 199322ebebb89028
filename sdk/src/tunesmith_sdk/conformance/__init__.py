"""The conformance kit: does a plugin keep what its kind promises?

Checks are made from what a plugin's manifest declares, so they can't be weakened by it. They run in real workers, in the plugin's own
environment, on tiny real models. In a plugin's tests, two lines make a test of each check::

    # tests/test_conformance.py
    from tunesmith_sdk.conformance import suite

    test_conformance = suite(__file__)

``pytest -k adapter.merges`` runs one. The same from the command line: ``tunesmith plugin check . --only adapter.merges``; from Python::

    report = conform(Path("."))
    assert report.ok, report.level

A plugin that brings a kind brings its checks, too: `check`, `action` and `observer` mark them (docs/own-kind.md).

A check that can't be made here (no such device, an environment that is not built) is *not run*, with the reason, and never passed. What an
author may say to the kit stands in pyproject.toml (see `tunesmith_sdk.conformance.author_settings`) and in a file of functions that it
names (see `tunesmith_sdk.conformance.author_functions`).
"""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_sdk.conformance.author_functions import Case
    from tunesmith_sdk.conformance.bench.subject import Subject
    from tunesmith_sdk.conformance.catalog import action, observer
    from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
    from tunesmith_sdk.conformance.examination import conform
    from tunesmith_sdk.conformance.pytest_suite import suite
    from tunesmith_sdk.conformance.report.outcome import Outcome, Report

__all__ = ["Case", "CheckFailed", "NotRun", "Outcome", "Report", "Subject", "action", "check", "conform", "observer", "suite"]

_HOMES = {
    "Case": "author_functions", "CheckFailed": "checks", "NotRun": "checks", "check": "checks", "action": "catalog",
    "observer": "catalog",
    "conform": "examination", "Outcome": "report.outcome", "Report": "report.outcome", "Subject": "bench.subject", "suite": "pytest_suite",
}  # fmt: skip
__getattr__ = exports(__name__, {name: f"{__name__}.{home}" for name, home in _HOMES.items()})
