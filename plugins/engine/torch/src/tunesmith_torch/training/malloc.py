"""What the C library does with large blocks that were freed: keeps them, where it would give them back and ask for them again.

A training step frees and takes the same gigabyte over and over. glibc returns blocks above a limit to the system at once, which then
clears each page anew when it is taken: a twentieth of a step's time on a CPU.
"""

from __future__ import annotations

import ctypes
import platform

LARGEST = 32 * 2**20  #: bytes; glibc keeps no larger block
_TRIM, _MAPPED = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h


def keep_freed_blocks() -> None:
    """For the whole process; nothing happens where the C library is another one."""
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_MAPPED, LARGEST)
        library.mallopt(_TRIM, 2**30)
