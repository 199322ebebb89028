"""A taskset of verifiers, written by its own interface: sums, in one turn."""

import verifiers.v1 as vf


class SumData(vf.TaskData):
    answer: str


class Sum(vf.Task[SumData]):
    @vf.reward(weight=1.0)
    async def right(self, trace: vf.Trace) -> float:
        return float(self.data.answer in trace.last_reply)


class SumsConfig(vf.TasksetConfig):
    num_tasks: int = 5


class Sums(vf.Taskset[Sum, SumsConfig]):
    def load(self) -> list[Sum]:
        return [Sum(SumData(prompt=f"What is {n} + {n}?", answer=str(2 * n)), self.config.task) for n in range(self.config.num_tasks)]


__all__ = ["Sums"]
