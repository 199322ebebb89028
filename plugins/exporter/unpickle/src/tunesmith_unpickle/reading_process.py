"""Reads one file of pickled tensors and writes it as safetensors: ``reading_process FROM TO cut|open``, a process of its own.

It gives up with status 125 where it is to be cut off from the network and can't be, with 124 where PyTorch refuses the file; the reason is
on standard error. No part of Tunesmith is imported.
"""

import ctypes
import os
import resource
import signal
import sys
import zipfile

CANT_CUT, REFUSED = 125, 124
_PDEATHSIG, _NO_NEW_PRIVS = 1, 38  # of prctl
_NEW_IPC, _NEW_USER, _NEW_NET = 0x08000000, 0x10000000, 0x40000000  # of unshare


def main() -> None:
    source, target, cut = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what lies in memory is no file
    if cut == "cut":
        _cut_off()
    import torch
    from safetensors.torch import save_file

    try:
        state = torch.load(source, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(source))
        seen, tensors = set(), {}
        for name, tensor in state.items():
            place = tensor.untyped_storage().data_ptr()
            tensors[name] = tensor.clone(memory_format=torch.contiguous_format) if place in seen else tensor.contiguous()
            seen.add(place)
        save_file(tensors, target, metadata={"format": "pt"})
    except Exception as error:  # of a library that reads what a stranger wrote
        print(f"{type(error).__name__}: {error}".splitlines()[0][:500], file=sys.stderr, flush=True)
        os._exit(REFUSED)


def _cut_off() -> None:
    """Into namespaces without a network, and for good."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        for name, *arguments in (
            ("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0), ("unshare", _NEW_USER | _NEW_NET | _NEW_IPC),
            ("prctl", _PDEATHSIG, signal.SIGKILL, 0, 0, 0),  # a new user namespace forgets it
        ):  # fmt: skip
            if getattr(libc, name)(*map(ctypes.c_long, arguments)) < 0:
                raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    except (OSError, AttributeError) as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(CANT_CUT)


if __name__ == "__main__":
    main()
