"""Who may talk to whom: agents believe their host's certificate alone, and a host tells nothing to who does not know the token."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

from elsewhere import away, counted, meanwhile, reached, when
from slurm_stand_in import Slurm
from tiny_plans import Place, step

from tunesmith.isolation import protocol
from tunesmith_jobs.certificate import NAME, client_context, server_context
from tunesmith_jobs.contact import Contact
from tunesmith_sdk.testing.recorder import Recorder


def contact_of(place: Place) -> tuple[Path, Contact]:
    """The folder of the one job that there is, and what its agents read."""
    found: list[Path] = []
    when(lambda: found.extend(place.home.rglob("contact.json")) or found)
    folder = found[0].parent
    contact = Contact.read(folder)
    assert contact is not None
    return folder, contact


def asked(contact: Contact, hello: bytes, trust: str | None = None) -> bytes:
    """What the host says to somebody who calls in with these bytes, until it hangs up."""
    context = client_context(trust or contact.certificate)
    with socket.create_connection(("127.0.0.1", contact.port), 10) as plain, context.wrap_socket(plain, server_hostname=NAME) as link:
        link.sendall(hello)
        link.settimeout(20)
        with contextlib.suppress(ConnectionError):
            return link.recv(1000)
    return b""


def greeting(**changes: object) -> bytes:
    return protocol.encode(
        protocol.notification("hello", {"rank": 0, "attempt": 1, "incarnation": "stranger", "at_work": False, "machine": "m"} | changes)
    )


def test_who_does_not_know_the_token_is_told_nothing_and_disturbs_nobody(place: Place, slurm: Slurm) -> None:
    told: dict[str, bytes] = {}

    def call() -> None:
        reached(place, 3)
        _, contact = contact_of(place)
        told["wrong token"] = asked(contact, greeting(token="0" * 64))
        told["no such rank"] = asked(contact, greeting(token=contact.token, rank=7))
        told["nonsense"] = asked(contact, b"GET / HTTP/1.1\r\n\r\n" * 30)
        with socket.create_connection(("127.0.0.1", contact.port), 10) as plain:  # no TLS at all
            plain.sendall(b"\x80\x04\x95 a pickle")
            plain.settimeout(20)
            with contextlib.suppress(ConnectionError):
                told["no TLS"] = b"" if plain.recv(1000)[:1] in (b"", b"\x15") else b"?"  # 0x15: TLS's own refusal

    thread = meanwhile(call)
    outcome = place.run(counted())
    thread.join(30)
    assert outcome.state == "done", outcome.error
    assert {"wrong token", "no such rank", "nonsense"} <= set(told)
    assert set(told.values()) == {b""}


def test_a_host_with_another_certificate_hears_nothing_from_an_agent(tmp_path: Path) -> None:
    context, _ = server_context()  # the imposter's
    _, certificate = server_context()  # what the agent was told
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        contact = Contact(1, "a" * 64, ("127.0.0.1",), listener.getsockname()[1], certificate, 3600.0)
        contact.write(tmp_path)
        agent = subprocess.Popen([sys.executable, "-m", "tunesmith_jobs.agent", str(tmp_path), "1", "0"])
        try:
            listener.settimeout(60)
            for _ in range(2):  # it tries again, and again says nothing
                plain, _ = listener.accept()
                with contextlib.suppress(ssl.SSLError, OSError), context.wrap_socket(plain, server_side=True) as link:
                    link.settimeout(5)
                    heard.append(link.recv(1000))
        finally:
            (tmp_path / "contact.json").unlink()
            assert agent.wait(30) == 1
    assert b"".join(heard) == b""


def test_the_folder_and_the_file_with_the_token_are_their_owners_alone(place: Place, slurm: Slurm) -> None:
    modes: list[int] = []

    def look() -> None:
        folder, _ = contact_of(place)
        modes.extend((path.stat().st_mode & 0o777) for path in (folder, folder / "contact.json"))

    thread = meanwhile(look)
    assert place.run(counted()).state == "done"
    thread.join(10)
    assert modes == [0o700, 0o600]


def test_secrets_are_in_no_script_and_in_no_record_of_the_cluster(place: Place, slurm: Slurm, monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    assert place.run(away(step("a", to=3))).state == "done"
    kept = [file for folder in (slurm.folder, place.home) for file in folder.rglob("*") if file.is_file()]
    assert kept
    assert [file for file in kept if b"hf_very_secret" in file.read_bytes()] == []


def test_an_agent_of_a_try_that_does_not_count_ends_at_once(tmp_path: Path) -> None:
    Contact(2, "a" * 64, ("127.0.0.1",), 9, "", 3600.0).write(tmp_path)
    done = subprocess.run([sys.executable, "-m", "tunesmith_jobs.agent", str(tmp_path), "1", "0"], timeout=60, check=False)
    assert done.returncode == 1


def test_an_agent_whose_host_stays_away_ends_when_its_patience_is_over(tmp_path: Path) -> None:
    _, certificate = server_context()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    Contact(1, "a" * 64, ("127.0.0.1",), port, certificate, 1.0).write(tmp_path)
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "tunesmith_jobs.agent", str(tmp_path), "1", "0"], timeout=60, check=False)
    assert done.returncode == 1
    assert time.monotonic() - started >= 1.0


def test_a_step_is_told_all_once_though_its_connection_is_cut_again_and_again(place: Place, slurm: Slurm) -> None:
    """A relay stands between agent and host, and cuts every connection after half a second."""
    stop = threading.Event()

    def relay() -> None:
        folder, contact = contact_of(place)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            data = json.loads((folder / "contact.json").read_text()) | {"port": listener.getsockname()[1], "addresses": ["127.0.0.1"]}
            part = folder / "contact.relayed"
            part.write_text(json.dumps(data))
            os.replace(part, folder / "contact.json")
            slurm.release()
            listener.settimeout(0.2)
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    agent, _ = listener.accept()
                    host = socket.create_connection(("127.0.0.1", contact.port), 10)
                    for one, other in ((agent, host), (host, agent)):
                        threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()
                    time.sleep(0.5)
                    for one in (agent, host):
                        with contextlib.suppress(OSError):
                            one.shutdown(socket.SHUT_RDWR)

    slurm.hold()
    meanwhile(relay)
    told = Recorder()
    try:
        outcome = place.run(counted(), reporter=told)
    finally:
        stop.set()
    assert outcome.state == "done", outcome.error
    assert [one[3] for one in told.of("metric")] == list(range(40))


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
