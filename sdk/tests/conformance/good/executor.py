"""A good minimal executor: processes of this machine."""

import os
import signal
import subprocess

from tunesmith.contracts.kinds.executor import STACKS, Activity


class Provider:
    def start(self, launch):
        launch.stdout.parent.mkdir(parents=True, exist_ok=True)
        variables = {name: value for name, value in os.environ.items() if name not in launch.without}
        with open(launch.stdout, "ab") as out, open(launch.stderr, "ab") as err:
            return Started(
                subprocess.Popen(
                    launch.command,
                    env={**variables, **launch.environment},
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            )


class Started:
    def __init__(self, process):
        self.process = process

    def poll(self):
        status = self.process.poll()
        return status

    def activity(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            ticks = file.read().rpartition(")")[2].split()[11:13]
        return Activity(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))

    def dump_stacks(self):
        os.kill(self.process.pid, STACKS)
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self, term_timeout):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(term_timeout)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
