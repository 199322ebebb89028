"""What Ray has on a node for a rank: an actor that starts the rank's agent and knows how it ended.

Sent by value, since nodes need not have this package: the agent alone is started by the executor's own interpreter.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import ray
from ray import cloudpickle


@ray.remote
class RankActor:
    """
    Args:
        command: starts the agent, which ends with this actor's process.
        variables: on top of the node's, whose PYTHONPATH comes after theirs.
        directory: of the try, for what it prints.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], directory: str, rank: int) -> None:
        import ctypes
        import os
        import signal
        import subprocess

        libc, path = ctypes.CDLL(None), [one["PYTHONPATH"] for one in (variables, os.environ) if one.get("PYTHONPATH")]
        environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(path)}
        with open(f"{directory}/rank-{rank}.out", "ab") as out:
            self._process = subprocess.Popen(
                list(command), cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment,
                start_new_session=True,
                preexec_fn=lambda: libc.prctl(1, signal.SIGKILL),  # PR_SET_PDEATHSIG: its worker hears of its end in the same way
            )  # fmt: skip

    def end(self) -> str | None:
        """How the agent ended; None while it runs."""
        status = self._process.poll()
        return None if status is None else f"status {status}"

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL six seconds later."""
        import os
        import signal
        import subprocess

        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, number)
                try:
                    self._process.wait(6)
                except subprocess.TimeoutExpired:
                    continue


cloudpickle.register_pickle_by_value(sys.modules[__name__])
