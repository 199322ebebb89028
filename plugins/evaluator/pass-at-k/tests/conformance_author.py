"""What the conformance kit can't know: problems with tests, and programs that pass them."""

from tunesmith_data.api import message
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

PROBLEMS = {"Print 42.": ("print(42)", "42"), "Print 7.": ("print(3 + 4)", "7"), "Print nothing.": ("pass", "")}


def rows(case):
    return [
        {"messages": [message("user", asked)], "columns": {"tests": [{"input": "", "output": output}], "answer": program}}
        for asked, (program, output) in PROBLEMS.items()
    ]


def known_answers(case):
    said = {"Print 42.": "```python\nprint(42)\n```", "Print 7.": "print(8)", "Print nothing.": "pass"}
    with scripted_endpoint(said, case.directory) as endpoint:
        yield endpoint, rows(case), {"pass@1": 2 / 3, "scored": 3}
