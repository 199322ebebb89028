"""The reward `code`: programs that want out of the sandbox, really run, and programs that want to pass without passing."""

from __future__ import annotations

import importlib
import os
import tempfile
from pathlib import Path

import pytest

from tunesmith.errors import TunesmithError
from tunesmith_rewards.rewards.settings import CodeSettings

SECRET = "do not read me"


@pytest.fixture(scope="module")
def sandbox():
    module = importlib.import_module("tunesmith_rewards.code.sandbox")
    try:
        return module.Sandbox(5.0, 256)
    except TunesmithError as error:
        pytest.skip(f"this machine has no sandbox: {error.why}")


@pytest.fixture(scope="module")
def code(sandbox):
    return importlib.import_module("tunesmith_rewards.code.reward").Code(CodeSettings(seconds=5.0, partial=True))


def test_programs_that_want_out_stay_in(sandbox, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text(SECRET)
    outside.chmod(0o644)
    before = outside.stat()
    tried = f"""
import ctypes, os, shutil, socket, subprocess
def tries(what, f):
    try:
        print(what, 'done', f())
    except BaseException as error:
        print(what, type(error).__name__)
path, libc = {str(outside)!r}, ctypes.CDLL(None, use_errno=True)
tries('read', lambda: open(path).read())
tries('write', lambda: open(path, 'w'))
tries('append', lambda: open(path, 'a'))
tries('truncate', lambda: os.truncate(path, 0))
tries('chmod', lambda: os.chmod(path, 0o777))
tries('chown', lambda: os.chown(path, 1, 1))
tries('utime', lambda: os.utime(path, (1, 1)))
tries('remove', lambda: os.remove(path))
tries('rename', lambda: os.rename(path, 'mine'))
tries('link', lambda: os.link(path, 'mine'))
tries('symlink', lambda: (os.symlink(path, 'mine'), open('mine').read()))
tries('list', lambda: os.listdir({str(tmp_path)!r}))
tries('create', lambda: open({str(tmp_path / "new")!r}, 'w'))
tries('proc', lambda: open('/proc/1/environ', 'rb').read())
tries('inet', lambda: socket.socket(socket.AF_INET))
tries('unix', lambda: socket.socket(socket.AF_UNIX))
tries('netlink', lambda: socket.socket(socket.AF_NETLINK))
tries('fork', lambda: os.fork())
tries('run', lambda: subprocess.run(['/bin/sh', '-c', 'true']))
tries('exec', lambda: os.execv('/bin/sh', ['sh', '-c', 'echo done']))
tries('memory', lambda: bytearray(1 << 30))
tries('disk', lambda: open('large', 'wb').write(bytes(1 << 22)))
tries('kill', lambda: os.kill({os.getpid()}, 9))
print('unshare', libc.unshare(0x10000000), 'ptrace', libc.ptrace(16, 1, 0, 0), 'mount', libc.mount(b'/', b'/', 0, 4096, 0))
print('environment', sorted(os.environ))
"""
    status, output = sandbox.run(tried)
    assert status == 0, output
    assert " done" not in output, output
    assert SECRET not in output
    assert "unshare -1 ptrace -1 mount -1" in output
    assert "environment ['HOME', 'LANG'" in output
    assert outside.read_text() == SECRET
    assert (outside.stat().st_mode, outside.stat().st_mtime, outside.stat().st_uid) == (before.st_mode, before.st_mtime, before.st_uid)
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]


def test_its_own_directory_is_its_own_and_gone_afterwards(sandbox):
    status, output = sandbox.run("import os; open('a', 'w').write('x'); print(open('a').read(), os.getcwd())")
    assert (status, output[:2]) == (0, "x ")
    assert not Path(output[2:].strip()).exists()
    assert Path(output[2:].strip()).parent == Path(tempfile.gettempdir())


def test_threads_and_the_standard_library_are_there(sandbox):
    program = "import json, math, threading\nt = threading.Thread(target=print, args=(json.dumps(math.gcd(4, 6)),))\nt.start(); t.join()"
    assert sandbox.run(program) == (0, "2\n")


def test_one_that_goes_on_is_ended_with_all_that_it_has():
    module = importlib.import_module("tunesmith_rewards.code.sandbox")
    try:
        box = module.Sandbox(1.0, 256)
    except TunesmithError as error:
        pytest.skip(f"this machine has no sandbox: {error.why}")
    assert (
        box.run("import signal\nfor s in range(1, 32):\n  try: signal.signal(s, signal.SIG_IGN)\n  except OSError: pass\nwhile True: pass")[
            0
        ]
        is None
    )


@pytest.mark.parametrize(
    ("completion", "tests", "value"),
    [
        ("So:\n```python\ndef add(a, b):\n    return a + b\n```", ["assert add(1, 2) == 3", "assert add(1, 1) == 3"], 0.5),
        ("print(int(input()) * 2)", [{"input": "21", "output": "42"}], 1.0),
        ("raise SystemExit(0)", "assert False", 0.0),  # it leaves before the tests
        ("import os; os._exit(0)", "assert False", 0.0),
        ("def add(:", "assert True", 0.0),
        ("", "assert True", 0.0),
    ],
)
def test_programs_get_the_share_of_the_tests_that_they_pass(code, completion: str, tests, value: float):
    assert code.score("p", completion, {"tests": tests}) == value


def test_a_machine_that_cannot_shut_programs_in_runs_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    module = importlib.import_module("tunesmith_rewards.code.sandbox")
    launcher = tmp_path / "launcher.py"
    text = Path(module._LAUNCHER).read_text(encoding="utf-8")
    launcher.write_text(text.replace('platform.machine() != "x86_64"', "True"))
    monkeypatch.setattr(module, "_LAUNCHER", launcher)
    with pytest.raises(TunesmithError, match="TS-REWARD-005"):
        module.Sandbox(5.0, 256)
