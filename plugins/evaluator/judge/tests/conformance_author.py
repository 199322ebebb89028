"""What the conformance kit can't know: a judge, which judges by a rule, and completions of which one is better."""

import dataclasses

from rule_judge import by_words, rule_judge

from tunesmith_data.api import message


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
