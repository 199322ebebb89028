"""What the conformance kit can't know: a judge, which judges by a rule, and completions of which one is better."""

import dataclasses

from rule_judge import by_words, rule_judge

from tunesmith_data.api import message
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint


def settings(case):
    with rule_judge() as (url, _):
        yield {"url": url}


def rows(case):
    """Short answers and a long one, of which the judgement is longer, too."""
    asked = {f"How many are {number}?": str(number) for number in range(10, 40)}
    asked["Who was it?"] = "It was, as far as anybody can tell today, the quick brown fox."
    return [{"messages": [message("user", question), message("assistant", answer)]} for question, answer in asked.items()]


def scene(case, setting, step, build):
    """A judge whose server fails at first."""
    failures = iter(range(2))
    with rule_judge(lambda shown: 503 if next(failures, None) is not None else by_words(shown)) as (url, _):
        judge = build()
        judge.settings = dataclasses.replace(judge.settings, url=url)
        return {"score": judge.score("What is 6 times 7?", "42", {})}


def examples(case):
    return [("What is 6 times 7?", "It is 42.", "It is 43.", {"prompt": "What is 6 times 7?", "answer": "42"})]


def known_answers(case):
    """The rule gives the best mark, or the second of ten."""
    asked = (("What is the capital of France?", "Paris", "It is Paris."), ("How many?", "42", "42"), ("Who?", "Ada", "Grace"))
    rows = [{"messages": [message("user", question), message("assistant", expected)]} for question, expected, _ in asked]
    with scripted_endpoint({question: given for question, _, given in asked}, case.directory) as endpoint:
        yield endpoint, rows, {"score": (1 + 1 + 1 / 9) / 3, "scored": 3}
