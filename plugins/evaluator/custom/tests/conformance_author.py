"""What the conformance kit can't know: a function, and what it says of answers."""

from tunesmith_data.api import message
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

CODE = "def score(answer, row):\n    return row['expected'] in answer\n"
ASKED = {"Which is the largest planet?": ("Jupiter", "It is Jupiter."), "Who wrote Faust?": ("Goethe", "Schiller")}


def settings(case):
    return {"code": CODE}


def rows(case):
    return [{"messages": [message("user", asked), message("assistant", expected)]} for asked, (expected, _) in ASKED.items()]


def known_answers(case):
    with scripted_endpoint({asked: said for asked, (_, said) in ASKED.items()}, case.directory) as endpoint:
        yield endpoint, rows(case), {"score": 0.5, "scored": 2}
