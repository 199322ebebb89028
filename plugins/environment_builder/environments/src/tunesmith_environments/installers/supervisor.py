"""Run as a file: `python supervisor.py COMMAND...` with a pipe from the host as stdin. Ends the whole process group when the host is gone.

The pipe's other end is the host's alone, so it closes however the host dies, on every system; and what the command started in its
group (compilers, downloads) goes with it.
"""

import os
import signal
import subprocess
import sys
import threading


def _watch():
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main():
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_watch, daemon=True).start()
    status = child.wait()
    os._exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
