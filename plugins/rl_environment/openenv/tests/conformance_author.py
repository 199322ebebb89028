"""What the conformance kit can't know: a server, and answers to what it asks."""

import random


def settings(case):
    yield {"app": "games:numbers", "text": "hint", "columns": ["highest"]}


def episodes(case):
    row = {"messages": [{"role": "user", "content": "Find my number."}], "highest": 3}
    right = random.Random(1).randint(1, 3)
    return [(row, 1, [str(right)], ["0", str(right)])]
