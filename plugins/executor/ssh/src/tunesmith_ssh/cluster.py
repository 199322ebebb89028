"""What a list of hosts does for a job: its ranks are started, asked after and ended over ssh."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_jobs import Gang, State
from tunesmith_ssh.client import SshClient, Unreachable
from tunesmith_ssh.host_orders import HostOrders
from tunesmith_ssh.placement import Placement, spread
from tunesmith_ssh.settings import SshSettings

_WELL = (None, "status 0")  # of a rank that runs, or has ended as it should


class SshCluster:
    """See `tunesmith_jobs.Cluster`. A job's id is the name of the folder of its try.

    Args:
        job: the job's directory.
        log: takes a message and its level.
    """

    def __init__(self, settings: SshSettings, client: SshClient, job: Path, log: Callable[[str, str], None]) -> None:
        self._settings, self._client, self._job, self._log = settings, client, job, log
        self._placing = threading.Lock()
        self._absent: set[str] = set()  # hosts that did not answer, of which it was told

    def submit(self, gang: Gang) -> str:
        taken = sum(self._settings.hosts.values())
        if gang.ranks > taken:
            raise TunesmithError(
                "TS-RUN-030", f"The hosts of the executor `ssh` take {taken} ranks, and the step has {gang.ranks}",
                fix="Name more hosts under `hosts`, or let them take more ranks; or give the step fewer.",
            )  # fmt: skip
        variables = {name: value for name, value in gang.environment.items() if name.startswith("PYTHON")}
        Placement([list(gang.command(rank)) for rank in range(gang.ranks)], variables).write(gang.directory)
        self._place(gang.directory)
        return gang.directory.name

    def state(self, id: str) -> State:
        folder = self._job / id
        placement = Placement.read(folder)
        if placement is None or placement.stopped:
            return "ended"
        if not placement.hosts:
            return "running" if self._place(folder) else "queued"
        ends, silent = self._ends(folder, placement)
        if any(end not in _WELL for end in ends.values()):
            return "ended"  # without this rank the others come to no end
        if silent:
            return "unknown"
        return "running" if None in ends.values() else "ended"

    def why(self, id: str) -> str:
        placement = Placement.read(self._job / id)
        if placement is None:
            return ""
        if not placement.hosts:
            return "the hosts have as many steps as `steps_per_host` lets them"
        ends, silent = self._ends(self._job / id, placement)
        at = {str(rank): host for host, ranks in placement.hosts.items() for rank in ranks}
        return "; ".join([*(f"rank {rank} on {at[rank]}: {end}" for rank, end in ends.items() if end not in _WELL), *map(str, silent)])

    def stop(self, id: str) -> None:
        folder = self._job / id
        if (placement := Placement.read(folder)) is not None:
            placement = placement.write(folder, stopped=True)
            if failed := self._end(folder, placement):
                raise failed[0]

    # --- starting ----------------------------------------------------------------------------------------------------------------

    def _place(self, folder: Path) -> bool:
        """Start the ranks of a try if there is room for all; whether they are started.

        Raises:
            TunesmithError: TS-RUN-031 to TS-RUN-034.
        """
        with self._placing:
            placement = Placement.read(folder)
            if placement is None or placement.stopped or placement.hosts:  # decided in the meantime
                return bool(placement and placement.hosts)
            chosen = spread(len(placement.commands), self._room(folder, placement), self._used_before(folder))
            if chosen is None:
                return False
            placement = placement.write(folder, hosts=chosen)  # before they start, so that whoever comes next finds them
            if not self._start(folder, placement):
                placement.write(folder, hosts={})
                return False  # asked again soon, for others
        self._log(f"{folder.name}: {', '.join(f'{_named(ranks)} on {host}' for host, ranks in chosen.items())}", "info")
        return True

    def _room(self, folder: Path, placement: Placement) -> Mapping[str, int]:
        """How many ranks each host takes that is there and has not too many steps."""
        hosts, orders = self._settings.hosts, self._orders(folder, placement)
        steps, failed = _asked(hosts, lambda host, _: orders.check(host))
        absent = [host for host, error in failed.items() if isinstance(error, Unreachable)]
        if len(absent) < len(failed):  # what its user has to see to, whether it is needed or not
            raise next(error for host, error in failed.items() if host not in absent)
        if sum(count for host, count in hosts.items() if host not in absent) < len(placement.commands):
            raise failed[absent[0]]
        for host in set(absent) - self._absent:
            self._log(f"{failed[host]}: it is left out", "warning")
        self._absent = set(absent)
        return {host: hosts[host] for host in hosts if host in steps and steps[host] < self._settings.steps_per_host}

    def _start(self, folder: Path, placement: Placement) -> bool:
        """Whether all ranks are started; none is, where a host is taken by now, or has gone."""
        orders, most = self._orders(folder, placement), self._settings.steps_per_host
        taken, failed = _asked(
            placement.hosts, lambda host, ranks: orders.start(host, {rank: placement.commands[rank] for rank in ranks}, most)
        )
        if not failed and all(taken.values()):
            return True
        self._end(folder, placement)
        if grave := [error for error in failed.values() if not isinstance(error, Unreachable)]:
            placement.write(folder, hosts={})
            raise grave[0]
        return False

    def _used_before(self, folder: Path) -> Sequence[str]:
        """Hosts of the tries that were lost: others come first."""
        earlier = (Placement.read(other) for other in self._job.glob("attempt-*") if other != folder)
        return [host for placement in earlier if placement for host in placement.hosts]

    # --- asking ------------------------------------------------------------------------------------------------------------------

    def _orders(self, folder: Path, placement: Placement) -> HostOrders:
        exports = [f"export {name}={shlex.quote(value)}" for name, value in placement.variables.items()]
        return HostOrders(self._client, folder, placement.commands[0][0], [*exports, *self._settings.setup])

    def _ends(self, folder: Path, placement: Placement) -> tuple[Mapping[str, str | None], Sequence[Exception]]:
        """How each rank ended, None while it runs; and the failures of hosts that can't be asked."""
        ends, failed = _asked(placement.hosts, self._orders(folder, placement).ends)
        return {rank: end for some in ends.values() for rank, end in some.items()}, list(failed.values())

    def _end(self, folder: Path, placement: Placement) -> Sequence[Exception]:
        """The failures of hosts on which the ranks can't be ended."""
        return list(_asked(placement.hosts, self._orders(folder, placement).stop)[1].values())


def _asked(hosts: Mapping[str, Any], ask: Callable[[str, Any], Any]) -> tuple[dict[str, Any], dict[str, Exception]]:
    """The answer of each host and the failures of those that gave none, all asked at the same time."""

    def answer(item: tuple[str, Any]) -> Any:
        try:
            return ask(*item)
        except (TunesmithError, OSError, ValueError, KeyError) as error:
            return error

    with ThreadPoolExecutor(max(1, min(32, len(hosts)))) as pool:
        answers = dict(zip(hosts, pool.map(answer, hosts.items()), strict=True))
    failed = {host: one for host, one in answers.items() if isinstance(one, Exception)}
    return {host: one for host, one in answers.items() if host not in failed}, failed


def _named(ranks: Sequence[int]) -> str:
    return f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks {ranks[0]} to {ranks[-1]}"
