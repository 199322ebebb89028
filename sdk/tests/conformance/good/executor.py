"""A good minimal executor: processes of this machine."""

import os
import signal
import subprocess


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

    def stop(self, term_timeout):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(term_timeout)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
