"""What the conformance kit can't know: a taskset, and answers to its tasks."""

import sys
from pathlib import Path


def settings(case):
    sys.path.insert(0, str(Path(__file__).parent))  # where the taskset of the tests lies
    yield {"taskset": "double_sums"}


def episodes(case):
    sys.path.insert(0, str(Path(__file__).parent))
    row = {"messages": [{"role": "user", "content": "task 3"}], "task": 3}
    return [(row, 1, ["It is 6."], ["It is 7."])]
