"""The same with a tool that all episodes share."""

import verifiers.v1 as vf
from double_sums import Sum, SumData, SumsConfig


class Abacus(vf.Toolset[vf.SharedToolsetConfig]):
    TOOL_PREFIX = "abacus"

    @vf.tool
    def add(self, a: int, b: int) -> str:
        """Adds two numbers."""
        return str(a + b)


class ToolSums(vf.Taskset[Sum, SumsConfig]):
    def toolsets(self, config: SumsConfig) -> list[vf.Toolset]:
        return [Abacus(vf.SharedToolsetConfig())]

    def load(self) -> list[Sum]:
        return [Sum(SumData(prompt=f"What is {n} + {n}?", answer=str(2 * n)), self.config.task) for n in range(self.config.num_tasks)]


__all__ = ["ToolSums"]

if __name__ == "__main__":
    Abacus.run()
