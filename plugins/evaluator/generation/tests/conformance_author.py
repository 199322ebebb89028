"""What the conformance kit can't know: how many of some answers are right."""

from tunesmith_data.api import message
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

#: question, expected answer, given answer
ASKED = (
    ("What is the capital of France?", "Paris", "Paris"),
    ("Who wrote it?", "the Brontë sisters", "Brontë Sisters."),  # case, articles and stops count for nothing
    ("How far is it?", "3.10", "310"),  # but a point in a number does
    ("Where is it?", "Rome", "It is in Rome."),  # to hold the answer is not to be it
    ("Why?", "because", ""),
)
RIGHT = 2


def rows(case):
    """Numbers and three answers that are none, JSON and one that is not: schemas and patterns tell them apart, and tokenizers the first."""
    asked = {"Who paid?": "“Ada” paid 5€ to the 狐狸, of course.", "Is it so?": "true", "What is it called?": '"Ada"'}
    asked |= {f"How many are {number}?": str(number) for number in range(10, 70)}
    return [{"messages": [message("user", question), message("assistant", answer)]} for question, answer in asked.items()]


def known_answers(case):
    rows = [{"messages": [message("user", question), message("assistant", expected)]} for question, expected, _ in ASKED]
    with scripted_endpoint({question: given for question, _, given in ASKED}, case.directory) as endpoint:
        yield endpoint, rows, {"exact_match": RIGHT / len(ASKED), "scored": len(ASKED)}
