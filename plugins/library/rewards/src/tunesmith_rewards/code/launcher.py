"""Shuts itself in and becomes the program: ``launcher SETTINGS COMMAND...``; Linux on x86-64, Python's standard library alone.

It gives up, with status 125 and the reason on standard error, where one of these can't be had:

- namespaces of its own for users, network, processes and IPC: no network, no other processes to be seen or signalled;
- Landlock (Linux 5.13): files are read where Python lives, and read and written in one directory;
- seccomp: no further process, no socket, no namespace, no tracing, no change of a file's mode, owner or times;
- limits of memory, processor seconds, file sizes and open files.
"""

import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_IPC, _NEW_USER, _NEW_PID, _NEW_NET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
_PDEATHSIG, _SECCOMP, _NO_NEW_PRIVS = 1, 22, 38  # of prctl
# of linux/landlock.h, version 1: execute 1, write 2, read 4, list 8; removing and making by kind up to 4096
_ALL, _READ = (1 << 13) - 1, 1 | 4 | 8
_FILES = 1 | 2 | 4
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CLONE, _THREAD = 56, 0x00010000
#: x86-64's numbers
_DENIED = {
    "socket": 41, "fork": 57, "vfork": 58, "ptrace": 101, "mount": 165, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
    "perf_event_open": 298, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321, "userfaultfd": 323,
    "io_uring_setup": 425, "pidfd_open": 434,
    # Landlock (its first version) does not look at who changes a file's size by name, its mode, owner, times and attributes
    "truncate": 76, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "utime": 132, "setxattr": 188, "lsetxattr": 189,
    "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "utimes": 235, "fchownat": 260, "futimesat": 261,
    "fchmodat": 268, "utimensat": 280, "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469,
}  # fmt: skip
_CLONE3 = 435
_ERRNO, _ALLOW, _KILL = 0x00050000, 0x7FFF0000, 0x80000000


def main() -> None:
    told = json.loads(sys.argv[1])
    try:
        if platform.machine() != "x86_64":
            raise OSError(f"no list of system calls for {platform.machine()}")
        _call("prctl", _PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
        _call("unshare", _NEW_USER | _NEW_NET | _NEW_PID | _NEW_IPC)
        child = os.fork()  # the first process of the new namespace: what it would leave behind ends with it
        if child:
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
        _call("prctl", _PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.chdir(told["directory"])
        _landlock(told["directory"], told["readable"])
        for what, most in told["limits"].items():
            resource.setrlimit(getattr(resource, what), (most, most))
        _seccomp()
    except OSError as error:
        print(f"sandbox: {error}", file=sys.stderr, flush=True)
        os._exit(125)
    os.execv(sys.argv[2], sys.argv[2:])


def _call(name: str, *arguments: int) -> int:
    done = int(getattr(_LIBC, name)(*map(ctypes.c_long, arguments)))
    if done < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return done


def _landlock(directory: str, readable: "list[str]") -> None:
    handled = ctypes.create_string_buffer(struct.pack("Q", _ALL), 8)
    rules = _syscall("Landlock", _CREATE_RULESET, ctypes.addressof(handled), 8, 0)
    for path, allowed in [*((path, _READ) for path in readable), (directory, _ALL), ("/dev/null", 2 | 4), ("/dev/urandom", 4)]:
        if not os.path.exists(path):
            continue
        at = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed if os.path.isdir(path) else allowed & _FILES, at), 12)
        _syscall("Landlock", _ADD_RULE, rules, 1, ctypes.addressof(rule), 0)
        os.close(at)
    _syscall("Landlock", _RESTRICT_SELF, rules, 0)
    os.close(rules)


def _syscall(what: str, *arguments: int) -> int:
    done = int(_LIBC.syscall(*map(ctypes.c_long, arguments)))
    if done < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return done


def _seccomp() -> None:
    """A filter that answers EPERM to what is denied. Jumps are from instruction to instruction (BPF)."""
    load, equal, bits, answer = 0x20, 0x15, 0x45, 0x06
    program = [
        (load, 0, 0, 4), (equal, 1, 0, 0xC000003E), (answer, 0, 0, _KILL),  # another architecture's calls
        (load, 0, 0, 0), (bits, 0, 1, 0x40000000), (answer, 0, 0, _ERRNO | 1),  # x32's numbers
        (equal, 0, 1, _CLONE3), (answer, 0, 0, _ERRNO | 38),  # its arguments can't be read here: libc falls back to clone
        *(step for number in _DENIED.values() for step in ((equal, 0, 1, number), (answer, 0, 0, _ERRNO | 1))),
        (equal, 0, 3, _CLONE), (load, 0, 0, 16), (bits, 1, 0, _THREAD), (answer, 0, 0, _ERRNO | 1),  # threads are let
        (answer, 0, 0, _ALLOW),
    ]  # fmt: skip
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)), 16)
    _call("prctl", _SECCOMP, 2, ctypes.addressof(head), 0, 0)


if __name__ == "__main__":
    main()
