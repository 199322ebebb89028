"""What the conformance kit can't know: hosts. Here servers of OpenSSH on the loopback, of tests/executors."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[4] / "tests" / "executors"))

from lonely_job import goes_on_alone
from ssh_hosts import MISSING, SshHosts


def settings(case):
    """Three hosts, which a configuration of ssh names while the examination lasts."""
    if MISSING:
        raise RuntimeError(MISSING)
    hosts = SshHosts(case.directory / "hosts")
    try:
        yield {"hosts": dict.fromkeys(hosts.hosts, 2), "ssh_config": str(hosts.config), "host": "127.0.0.1"}
    finally:
        hosts.close()


def scene(case, setting, step, build):
    """What a setting changes: of where ranks start, of the file by which agents find their host, of how often a lost job is started."""
    from tunesmith.contracts import TunesmithError
    from tunesmith_jobs.contact import Contact
    from tunesmith_sdk.conformance.bench.job import job_of

    if setting == "reconnect_timeout":
        return goes_on_alone(case.directory, step, build())
    job, over = job_of(case.directory, "beat" if setting == "max_retries" else "report"), threading.Event()

    def lose() -> None:
        while setting == "max_retries" and not over.wait(0.01):
            for status in job.directory.glob("attempt-*/process-0.json"):
                with contextlib.suppress(OSError, ValueError):
                    _kill(json.loads(status.read_text())["pid"])

    threading.Thread(target=lose, daemon=True).start()
    try:
        if setting == "steps_per_host":
            return _both_at_once(case, step, build)
        build().run(step, job, lambda method, params: None)
    except TunesmithError as error:
        return error.code, error.why
    finally:
        over.set()
    placed = json.loads((job.directory / "attempt-1" / "placement.json").read_text())["hosts"]
    contact = Contact.read(job.directory)
    assert contact is not None
    return placed, list(contact.addresses)


def _kill(pid):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _both_at_once(case, step, build):
    """How many of four steps were on the three hosts at the same time."""
    from tunesmith_sdk.conformance.bench.job import job_of

    folders = [case.directory / f"job-{number}" for number in range(4)]
    for folder in folders:
        folder.mkdir()
    jobs = [job_of(folder, "beat") for folder in folders]
    threads = [threading.Thread(target=build().run, args=(step, job, lambda method, params: None), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 20
    placed = 0
    while time.monotonic() < until and placed < len(jobs):
        placed = sum(any(job.directory.glob("attempt-1/process-0.json")) for job in jobs)
        time.sleep(0.1)
    step.cancelled.set()
    for thread in threads:
        thread.join()
    return placed
