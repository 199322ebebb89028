"""What the conformance kit can't know: questions with an answer in words, and what EvalScope's ROUGE gives of known ones."""

from tunesmith_data.api import message
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

QUESTIONS = {f"What comes after {number}?": f"The number {number + 1}" for number in range(6)}  # of two words at least, for ROUGE-2


def rows(case):
    return [{"messages": [message("user", asked), message("assistant", answer)]} for asked, answer in QUESTIONS.items()]


def known_answers(case):
    said = dict(list(QUESTIONS.items())[:3])  # the other three are answered with something wrong
    with scripted_endpoint(said, case.directory) as endpoint:
        yield endpoint, rows(case), {"Rouge-L-R": 0.5, "scored": 6}
