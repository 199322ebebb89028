"""From whatever a step's code raised to an error that a person can use; the traceback goes to the log (law L6)."""

from __future__ import annotations

import errno

from tunesmith.errors import TunesmithError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_TEXTS = ("No space left on device", "os error 28")
_LARGE_TEXT = "(os error 27)"  # what libraries in Rust say of EFBIG
_MEMORY_TEXTS = ("out of memory", "can't allocate memory", "Cannot allocate memory")


def coded(error: BaseException) -> TunesmithError:
    """The coded error for an exception of a step."""
    if isinstance(error, TunesmithError):
        return error
    text = str(error)
    if (isinstance(error, OSError) and error.errno == errno.EFBIG) or _LARGE_TEXT in text:
        return _too_large(text)
    if (isinstance(error, OSError) and error.errno in _FULL) or any(sign in text for sign in _FULL_TEXTS):
        return _disk_full(text)
    if is_out_of_memory(error):
        return TunesmithError(
            "TS-RUN-012", "The step ran out of memory", why=_one_line(error),
            fix="Make it smaller (batch size, length, precision), or end other programs. `tunesmith plan` shows the estimate.",
        )  # fmt: skip
    if isinstance(error, ModuleNotFoundError):
        return TunesmithError(
            "TS-RUN-011", f"The step needs the module `{error.name}`, which is not installed where it runs",
            fix="Install the plugin with its runtime: pip install \"<plugin>[runtime]\". `tunesmith doctor` names it.",
        )  # fmt: skip
    return TunesmithError("TS-RUN-010", f"The step crashed: {_one_line(error)}", fix="The traceback is in the step's log.")


def is_out_of_memory(error: BaseException) -> bool:
    """By type, and by the names and texts of libraries that have types of their own for it, so that none needs importing."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _MEMORY_TEXTS)


def disk_error(error: OSError) -> TunesmithError:
    """The coded error for trouble with the project's own files."""
    if error.errno in _FULL:
        return _disk_full(str(error))
    if error.errno == errno.EFBIG:
        return _too_large(str(error))
    return TunesmithError(
        "TS-STORE-004", "Tunesmith can't write to its home", why=str(error),
        fix="Give yourself the right to write there, or choose another place with --home.",
    )  # fmt: skip


def _disk_full(why: str) -> TunesmithError:
    return TunesmithError(
        "TS-STORE-001", "The disk is full", why=why,
        fix="Free some space (old runs: `.tunesmith/runs`, artifacts: `.tunesmith/store`), or put the store elsewhere with --home, "
            "then run the same command: it continues.",
    )  # fmt: skip


def _too_large(why: str) -> TunesmithError:
    return TunesmithError(
        "TS-STORE-001", "A file grew larger than is allowed here", why=why,
        fix="Lift the limit (`ulimit -f unlimited`), or use a file system that takes large files (FAT32 ends at 4 GiB) with --home; "
            "then run the same command: it continues.",
    )  # fmt: skip


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
