"""For all tests of the repository."""

import functools
import gc
import os
import signal
import ssl
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "tools"))
import proofs

settings.register_profile("tunesmith", deadline=None)  # no test measures time: on a busy machine 200 ms are soon over
settings.load_profile("tunesmith")

_SECONDS: dict[str, float] = defaultdict(float)  # by file
_PASSED: set[str] = set()
_FAILED: set[str] = set()


def pytest_configure() -> None:
    """Signals are tested on real processes, which inherit whether one is ignored: Ctrl-C in a shell's background job, SIGHUP under nohup.

    Every request by `httpx.get` reads the certificates of the world, 45 ms of it, also where it asks this machine: here they are read once.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ssl.create_default_context = functools.cache(ssl.create_default_context)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What modules and tests are made of stays until the end: looking through it for garbage, again and again while it grows, is a tenth of
    the collection's time, and each full pass after it takes as long again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    file = report.nodeid.partition("::")[0]
    _SECONDS[file] += report.duration
    if report.failed:
        _FAILED.add(file)
    elif report.when == "call" and report.passed:
        _PASSED.add(file)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What each package's tests took, where they took more than their budget (see `budgets` in pyproject.toml)."""
    spent: dict[str, float] = defaultdict(float)
    for file, seconds in _SECONDS.items():
        spent[proofs.package(file)] += seconds
    if sum(spent.values()) < 60:
        return
    terminalreporter.section("seconds by package")
    for package, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        budget = proofs.budget(package)
        over = "  over its budget" if seconds > budget and not config.getoption("markexpr").startswith("(slow") else ""
        terminalreporter.write_line(f"{seconds:6.0f} of {budget:4.0f}  {package}{over}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Proofs of the kind that the run says it makes are noted (`make test-slow`, `make test-engines`); not of one that was cut short."""
    kind, options = os.environ.get("TUNESMITH_NOTE_PROOFS"), session.config.option
    whole = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not options.keyword and not options.maxfail
    if kind and whole and not hasattr(session.config, "workerinput") and not any("::" in word for word in session.config.args):
        known, commit = set(proofs.proofs(kind)), proofs.git("rev-parse", "HEAD")
        clean = {file for file in known & _PASSED - _FAILED if not proofs.git("status", "--porcelain", "--", *proofs.subject(file))}
        proofs.write(kind, {file: proofs.Passed(date.today().isoformat(), commit, round(_SECONDS[file], 1)) for file in clean})
