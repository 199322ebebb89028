"""A good minimal searcher: nine throws of a die, each after what was told of the last."""

import json
import random

BUDGET = 9


class Provider:
    def __init__(self):
        self.die, self.left, self.last, self.shift = random.Random(1), BUDGET, None, 0

    def ask(self):
        if not self.left:
            return None
        self.left -= 1
        self.last = {"throw": self.die.randrange(6) + self.shift}
        return self.last

    def tell(self, settings, score):
        if json.dumps(settings) == json.dumps(self.last):
            self.shift += 1
