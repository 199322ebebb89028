"""What the executor `ssh` does with its hosts: real servers of OpenSSH on the loopback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from clusters import SshTested
from elsewhere import away, counted, meanwhile, reached, when
from tiny_plans import Place, step

from tunesmith.contracts.settings import build
from tunesmith.errors import TunesmithError
from tunesmith_sdk.testing.recorder import Recorder
from tunesmith_ssh.client import SshClient
from tunesmith_ssh.settings import SshSettings


def failure(place: Place, cluster: SshTested, **settings: object) -> TunesmithError:
    """Why a count is not started; nothing of it runs."""
    outcome = place.run(counted(cluster, **settings))
    assert outcome.state == "failed"
    when(cluster.over, 10)
    return outcome.error


def test_ranks_fill_the_first_hosts_first(place: Place, hosts: SshTested) -> None:
    told = Recorder()
    outcome = place.run(away(step("a", "ranks", processes=3), hosts), reporter=told)
    assert outcome.state == "done", outcome.error
    assert any("ranks 0 to 1 on alpha, rank 2 on beta" in str(one) for one in told.of("log")), told.told


def test_a_host_that_can_not_be_reached_is_left_out_where_the_others_are_enough(place: Place, hosts: SshTested) -> None:
    hosts.ssh.hosts["alpha"].dies()
    told = Recorder()
    outcome = place.run(away(step("a", "ranks", processes=3), hosts), reporter=told)
    assert outcome.state == "done", outcome.error
    assert any("`alpha` can't be reached" in str(one) and "left out" in str(one) for one in told.of("log"))


def test_a_host_that_is_needed_and_can_not_be_reached_is_an_error(place: Place, hosts: SshTested) -> None:
    hosts.ssh.hosts["alpha"].dies()
    error = failure(place, hosts, hosts={"alpha": 1})
    assert (error.code, "`alpha`" in error.what) == ("TS-RUN-031", True)
    assert failure(place, hosts, hosts={"nowhere.invalid": 1}, ssh_config="/dev/null").code == "TS-RUN-031"


def test_a_host_of_unknown_key_is_not_entered(place: Place, hosts: SshTested) -> None:
    hosts.ssh.known_hosts.write_text(hosts.ssh.hosts["beta"].known)
    error = failure(place, hosts)
    assert (error.code, "`alpha`" in error.what) == ("TS-RUN-032", True)


def test_a_host_that_does_not_know_the_user_is_an_error_and_no_question(place: Place, hosts: SshTested) -> None:
    (hosts.ssh.folder / "beta" / "authorized_keys").write_text("")
    error = failure(place, hosts)
    assert (error.code, "`beta`" in error.what) == ("TS-RUN-033", True)


def test_a_host_where_an_agent_can_not_start_is_an_error_that_says_why(place: Place, hosts: SshTested) -> None:
    error = failure(place, hosts, setup=["export PYTHONHOME=/nowhere"])
    assert error.code == "TS-RUN-034"
    error = failure(place, hosts, setup=["module load nothing-of-that-name"])
    assert (error.code, "module" in error.what) == ("TS-RUN-034", True)


def test_a_step_of_more_ranks_than_the_hosts_take_is_an_error(place: Place, hosts: SshTested) -> None:
    outcome = place.run(away(step("a", "ranks", processes=3), hosts, hosts={"alpha": 1, "beta": 1}))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-030")


@pytest.mark.slow
@pytest.mark.parametrize(("steps_per_host", "beside"), [(1, False), (2, True)])
def test_a_host_runs_as_many_steps_at_a_time_as_it_may(
    place: Place, hosts: SshTested, tmp_path: Path, steps_per_host: int, beside: bool
) -> None:
    other, both = Place.at(tmp_path / "other"), []
    settings = {"hosts": {"alpha": 1}, "steps_per_host": steps_per_host}

    def second() -> None:
        reached(place, 3)
        outcomes.append(other.run(away(step("a", to=3), hosts, **settings)))

    def first_still_counts() -> None:
        when(lambda: any(other.home.rglob("count.json")))
        both.append(any(place.home.rglob(".job/contact.json")))

    outcomes: list = []
    threads = [meanwhile(second), meanwhile(first_still_counts)]
    outcomes.append(place.run(away(step("a", to=60, pause=0.2 if beside else 0.05), hosts, **settings)))
    for thread in threads:
        thread.join(60)
    assert [one.state for one in outcomes] == ["done", "done"], [one.error for one in outcomes]
    assert both == [beside]


@pytest.mark.slow
def test_the_next_try_is_on_another_host(place: Place, hosts: SshTested) -> None:
    def murder() -> None:
        reached(place, 5)
        for pid in hosts.processes():  # its processes, and not the host
            os.kill(pid, 9)

    meanwhile(murder)
    told = Recorder()
    outcome = place.run(counted(hosts), reporter=told)
    assert outcome.state == "done", outcome.error
    logged = [str(one) for one in told.of("log")]
    assert any("attempt-1: rank 0 on alpha" in one for one in logged)
    assert any("on beta" in one for one in logged), logged
    assert any("rank 0 on alpha: it was killed" in str(one) for one in told.of("decision"))


def test_what_the_configuration_of_ssh_says_of_a_host_goes(hosts: SshTested) -> None:
    with SshClient(str(hosts.ssh.config)) as client:
        assert client.run("gamma", "echo $TUNESMITH_TEST_HOST")[0].strip().endswith(":gamma")


def test_a_name_that_looks_like_an_option_is_a_name(hosts: SshTested, tmp_path: Path) -> None:
    with SshClient(str(hosts.ssh.config)) as client, pytest.raises(TunesmithError):
        client.run(f"-oProxyCommand=touch {tmp_path}/owned", "true")
    assert not (tmp_path / "owned").exists()


def test_settings_need_hosts() -> None:
    assert build(SshSettings, {"hosts": {"alpha": 4}}).hosts == {"alpha": 4}
