"""For all tests of the repository."""

import os
import signal


def pytest_configure() -> None:
    """Ctrl-C is tested on real processes, which inherit whether it is ignored: a shell's background job has it so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for tracker in ("TENSORBOARD", "MLFLOW", "WANDB"):  # they listen to every run, which costs each test; their own tests switch them on
        os.environ[f"TUNESMITH_{tracker}"] = "off"
