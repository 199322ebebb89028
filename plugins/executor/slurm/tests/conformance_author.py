"""What the conformance kit can't know: a cluster. Here the stand-in of tests/executors."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

sys.path.append(str(Path(__file__).parents[4] / "tests" / "executors"))

from lonely_job import goes_on_alone
from slurm_stand_in import Slurm


def settings(case):
    """Its commands, in the folder that a setting names."""
    cluster = Slurm(case.directory / "slurm")
    try:
        yield {"bin": str(cluster.commands)}
    finally:
        cluster.close()


def scene(case, setting, step, build):
    """What a setting changes: of the job's script, of the file by which its agents find their host, of how often a lost job is started."""
    from tunesmith.contracts import TunesmithError
    from tunesmith_jobs.contact import Contact
    from tunesmith_sdk.conformance.bench.job import job_of

    if setting == "reconnect_timeout":
        return goes_on_alone(case.directory, step, build())
    job, executor = job_of(case.directory, "beat" if setting == "max_retries" else "report"), build()
    over = threading.Event()

    def lose() -> None:
        while setting == "max_retries" and not over.wait(0.1):
            subprocess.run([f"{case.settings['bin']}/scancel", "--me"], check=True)

    threading.Thread(target=lose, daemon=True).start()
    try:
        executor.run(step, job, lambda method, params: None)
    except TunesmithError as error:
        return error.code, error.why
    finally:
        over.set()
    contact = Contact.read(job.directory)
    assert contact is not None
    script = (job.directory / "attempt-1" / "batch.sh").read_text().replace(str(case.directory), "").splitlines()
    told = [line for line in script if not line.startswith("#SBATCH --job-name")]
    return told, list(contact.addresses)
