"""For all tests of the repository."""

import os
import signal


def pytest_configure() -> None:
    """Ctrl-C is tested on real processes, which inherit whether it is ignored: a shell's background job has it so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["TUNESMITH_TENSORBOARD"] = "off"  # a plugin that listens to every run costs each test; its own tests switch it on
