"""Rewards that do what rewards of strangers do, told by what stands in the completion."""

import os
import signal
import time


class Odd:
    def score(self, prompt, completion, row):
        print("said on standard output, and no answer")
        if completion == "raise":
            raise ValueError("I will not")
        if completion == "hang":
            time.sleep(600)
        if completion == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return {"none": None, "nan": float("nan"), "text": "0.5"}.get(completion, float(len(completion)))


class Batched(Odd):
    def score_batch(self, prompts, completions, rows):
        if "short" in completions:
            return [1.0]
        return [self.score(*asked) for asked in zip(prompts, completions, rows, strict=False)]


class Unmade:
    def __init__(self):
        raise RuntimeError("no model there")
