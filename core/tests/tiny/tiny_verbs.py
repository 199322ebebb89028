"""Verbs that do next to nothing, for tests of running: standard library only, each in a real worker."""

from __future__ import annotations

import ctypes
import http.server
import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tunesmith.contracts import Result, UserError, setting


@dataclass(frozen=True)
class CountSettings:
    to: int = setting(20, "how far to count")
    pause: float = setting(0.0, "seconds between two numbers")
    fail: str = setting("", "how to fail at the end")


def count(step) -> Result:
    """Counts with a checkpoint per number, so that a killed count goes on; its artifact says nothing of kills. Where the variable
    TINY_HOLD is set, it stays at the third number that it counts itself until it is cancelled."""
    checkpoint = step.work / "count.json"
    numbers = json.loads(checkpoint.read_text()) if checkpoint.exists() else []
    text = "".join((source.path / "numbers.txt").read_text() for source in step.inputs.values() if source.path.is_dir())
    begun, held = len(numbers), "TINY_HOLD" in os.environ
    for number in range(begun, step.settings.to):
        step.check_cancelled()
        numbers.append(number * number + step.seed)
        aside = step.work / "count.json.new"
        aside.write_text(json.dumps(numbers))
        os.replace(aside, checkpoint)
        step.metric("square", numbers[-1], number)
        step.progress(number + 1, step.settings.to, what="counting")
        time.sleep(step.settings.pause)
        if held and number == begun + 2:
            step.wait_cancelled(120)
    until(step)
    fail(step.settings.fail)
    (step.output / "half").write_text("x" * 5000)
    (step.output / "numbers.txt").write_text(text + json.dumps(numbers))
    os.unlink(step.output / "half")
    return Result(metrics={"last": float(numbers[-1])}, meta={"count": len(numbers)})


def until(step) -> None:
    """Wait for a file where `fail` = "until <file>", so that whoever cancels need not be quick."""
    word, _, sign = step.settings.fail.partition(" ")
    while word == "until" and not os.path.exists(sign):
        step.check_cancelled()
        time.sleep(0.01)


def library(step) -> Result:
    """Imports one that takes a minute, then cleans up with another."""
    for number in range(600):
        (step.work / f"tiny_part{number}.py").write_text("import time; time.sleep(0.1)")
    (step.work / "tiny_cleaner.py").write_text("from pathlib import Path; clean = Path.touch")
    sys.path.insert(0, str(step.work))
    step.log("importing")
    try:
        for number in range(600):
            __import__(f"tiny_part{number}")
    finally:
        __import__("tiny_cleaner").clean(Path(step.settings.fail))
    return Result()


def fail(how: str) -> None:
    """Fail in the way that `how` names."""
    if how == "crash":
        raise RuntimeError("something\nbroke")
    if how == "user":
        raise UserError("TINY-001", "a row is wrong", fix="Fix it.")
    if how == "segfault":
        ctypes.string_at(0)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(2)  # Any thread may be the one that writes the stacks; until it has, this one stays here.
    if how == "exit":
        os._exit(7)
    if how == "import":
        import tiny_missing_library  # noqa: F401
    if how == "memory":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
        bytearray(2**30)
    if how == "disk":
        raise OSError(28, "No space left on device")
    if how == "system-exit":
        sys.exit(3)
    if how == "hang-up":
        import gc
        import socket

        for thing in gc.get_objects():
            if isinstance(thing, socket.socket):
                thing.shutdown(socket.SHUT_RDWR)
        time.sleep(60)


def shout(step) -> Result:
    """Prints far too much, from Python and from below it."""
    line = b"the protocol does not hear this " * 32 + b"\n"
    for _ in range(step.settings.to):
        os.write(1, line)
    print("Content-Length: 5\r\n\r\nhello")
    print("an error line", file=sys.stderr)
    step.log("it was <loud>", "warning")
    (step.output / "quiet").write_text("done")
    return Result()


def flood(step) -> Result:
    """Prints `to` megabytes on stdout and on stderr; with `fail` "report" it reports as many instead."""
    text = "x" * 2**20
    for number in range(step.settings.to):
        if step.settings.fail == "report":
            step.log(text[: 2**17])
            step.metric(text[: 2**17], 1.0, number)
            step.decide(text[: 2**17], "it can")
        else:
            os.write(1, text.encode())
            os.write(2, text.encode())
    (step.output / "dry").write_text("done")
    return Result()


def stubborn(step) -> Result:
    """Does not hear that it should stop, and ignores SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    step.log("deaf now")
    time.sleep(120)
    return Result()


def family(step) -> Result:
    """Starts a child that would live long."""
    import subprocess

    child = subprocess.Popen(["sleep", "120"])
    (Path(step.settings.fail)).write_text(str(child.pid))
    step.log("child is up")
    time.sleep(120)
    return Result()


_DAEMON = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
with open(sys.argv[1] + ".new", "w") as file: file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(120)
"""


def daemon(step) -> Result:
    """Starts a daemon: in a session of its own, nobody's child. `fail` = "<file for its process id>:<how to go on>"."""
    import subprocess

    sign, _, how = step.settings.fail.partition(":")
    subprocess.run([sys.executable, "-c", _DAEMON, sign], check=True)
    while not os.path.exists(sign):
        time.sleep(0.01)
    if how == "wait":
        step.log("the daemon is up")
        step.wait_cancelled(120)
        step.check_cancelled()
    if how == "deaf":
        time.sleep(120)
    fail(how)
    (step.output / "sign").write_text(sign)
    return Result()


def ranks(step) -> Result:
    """Every rank leaves a mark beside the rendezvous file; rank 0 sees them all. `fail` = "<rank>:<how>"."""
    place = step.placement
    meeting = Path(place.rendezvous.removeprefix("file://"))
    (meeting.parent / f"here-{place.rank}").write_text("x")
    step.log(f"rank {place.rank} is here")
    rank, _, how = step.settings.fail.partition(":")
    if how and int(rank) == place.rank:
        fail(how)
    deadline = time.monotonic() + (60 if how else 30)
    while len(list(meeting.parent.glob("here-*"))) < place.processes or how:
        if time.monotonic() > deadline:
            raise TimeoutError("the others did not come")
        time.sleep(0.02)
    if place.rank == 0:
        (step.output / "ranks").write_text(str(place.processes))
    return Result(metrics={"ranks": place.processes})


def late(step) -> Result:
    """All ranks wait for one, which takes some seconds for something else first. `fail` = "<rank>:<what it does>"."""
    place = step.placement
    late, _, how = step.settings.fail.partition(":")
    mark = Path(place.rendezvous.removeprefix("file://")).parent / "mark"
    if int(late) == place.rank:
        _busy_with(how, step)
        mark.write_text("x")
    step.progress(place.rank, 2, what="waiting")
    while not mark.exists():
        time.sleep(0.02)
    (step.output / "sign").write_text("x")
    return Result()


def _busy_with(how: str, step) -> None:
    until = time.monotonic() + 3.6  # more than twice what those wait who are hasty (tests/faults/test_ranks_that_hang.py)
    while time.monotonic() < until:
        if how == "reports":
            step.progress(time.monotonic(), what="loading")
        if how == "writes":
            with open(step.work / "file", "wb") as file:
                file.write(b"x" * 2**21)
                os.fsync(file.fileno())
        if how != "computes":
            time.sleep(0.2)


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"squares")

    def log_message(self, *_: object) -> None:
        pass


def answer(step) -> None:
    """A service: answers every question alike."""
    (Path(step.settings.fail) if step.settings.fail else step.work / "starts").open("a").write("x")
    server = http.server.HTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    step.ready(url=f"http://127.0.0.1:{server.server_address[1]}", model="squares")
    step.log("the service is up")
    step.wait_cancelled()
    server.shutdown()


def faint(step) -> None:
    """A service that ends by itself: before it is up, or at the first question."""
    if step.settings.fail == "early":
        return

    class Faint(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            os._exit(3)

    server = http.server.HTTPServer(("127.0.0.1", 0), Faint)
    step.ready(url=f"http://127.0.0.1:{server.server_address[1]}", model="squares")
    server.serve_forever()


def ask(step) -> Result:
    """Asks the service it reads."""
    import urllib.request

    endpoint = step.inputs["from"]
    text = urllib.request.urlopen(endpoint.meta["url"]).read().decode()
    (step.output / "metrics.json").write_text(json.dumps({"length": len(text)}))
    sample = {"prompt": "what?", "expected": "squares", "answer": text, "score": 1.0}
    (step.output / "samples.jsonl").write_text(json.dumps(sample) + "\n")
    return Result(metrics={"length": float(len(text))})


def silent(step) -> None:
    """Writes nothing."""


def answers_once(step) -> Result:
    """Makes something else each time: how often it was run, as `fail`, a file, counts."""
    with open(step.settings.fail, "a") as times:
        times.write("x")
    (step.output / "numbers.txt").write_text(f"[{Path(step.settings.fail).stat().st_size}]")
    return Result()


def litter(step) -> Result:
    """Leaves a file wherever it is."""
    Path("litter.log").write_text("noise")
    (step.output / "nothing").write_text("")
    return Result()


def environment(step) -> Result:
    """The names of the variables that it sees."""
    (step.output / "environment").write_text(" ".join(sorted(os.environ)))
    return Result()


def modules(step) -> Result:
    """The names of the modules in its process."""
    (step.output / "modules.json").write_text(json.dumps(sorted(sys.modules)))
    return Result()


def bulk(step) -> Result:
    """Writes `to` files of 100 kB."""
    for number in range(step.settings.to):
        (step.output / f"{number}.bin").write_bytes(bytes(100_000))
    return Result()


def say(step) -> Result:
    """An evaluation: one sample whose answer is `fail`; right if that is short."""
    answer = step.settings.fail
    right = len(answer) < 10
    sample = {"question": "why?", "expected": "so", "answer": answer, "right": right}
    (step.output / "samples.jsonl").write_text(json.dumps(sample) + "\n")
    return Result(metrics={"right": float(right), "length": float(len(answer))})


def tell(step) -> Result:
    """What a model in training would have answered to two questions, `to` times."""
    lines = [
        {"step": at, "prompt": prompt, "completion": f"{prompt} {at} <b>"} for at in range(step.settings.to) for prompt in ("Who?", "Why?")
    ]
    (step.output / "completions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Result()


def busy(step) -> Result:
    """Computes without a pause, and hears nothing."""
    Path(step.settings.fail).write_text(str(os.getpid()))
    until = time.monotonic() + 120
    while time.monotonic() < until:
        sum(range(1_000_000))
    return Result()


def variables(step) -> Result:
    """Writes which of some variables its process has."""
    (step.output / "names").write_text(" ".join(name for name in ("ACME_TOKEN", "OTHER_TOKEN", "PATH") if name in os.environ))
    return Result()
