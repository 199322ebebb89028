"""What the conformance kit can't know: questions of whose choices one model prefers the right one, and a model that always says B."""

from tunesmith_sdk.testing.choice_models import choice_answers, questions


def rows(case):
    return questions(case)


def known_answers(case):
    for model, asked, told in choice_answers(case):
        yield model, asked, {"acc": told["accuracy"], "acc_norm": told["accuracy_norm"], "scored": told["scored"], "truncated": 0.0}
