"""What the conformance kit can't know: a taskset, and answers to its tasks."""


def settings(case):
    yield {"taskset": "double_sums"}


def episodes(case):
    row = {"messages": [{"role": "user", "content": "task 3"}], "task": 3}
    return [(row, 1, ["It is 6."], ["It is 7."])]
