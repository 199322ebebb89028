"""What a rank was doing is read from its main thread, whichever thread took the signal."""

from __future__ import annotations

from tunesmith.running.worker.stacks import innermost

_LISTENING = """  File "/lib/python3.11/threading.py", line 982 in run
  File "/lib/python3.11/threading.py", line 1002 in _bootstrap
"""
_TRAINING = """  File "/plugin/loop.py", line 80 in step
  File "/plugin/engine.py", line 12 in run
  File "/core/worker.py", line 112 in serve
  File "<frozen runpy>", line 198 in _run_module_as_main
"""


def test_the_main_thread_is_told_of_though_another_took_the_signal() -> None:
    usual = f"Thread 0x02 (most recent call first):\n{_LISTENING}\nCurrent thread 0x01 (most recent call first):\n{_TRAINING}"
    other = f"Current thread 0x02 (most recent call first):\n{_LISTENING}\nThread 0x01 (most recent call first):\n{_TRAINING}"
    assert innermost(usual) == innermost(other) == "step (loop.py:80) < run (engine.py:12) < serve (worker.py:112)"


def test_of_a_rank_that_wrote_nothing_nothing_is_told() -> None:
    assert innermost("") == ""
